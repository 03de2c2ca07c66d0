"""ssd-supervise as process 1, and as the parent of what its services leave behind."""

import os
import signal
import time
from pathlib import Path

import pytest
from kit.children import WAIT_TIMEOUT, child
from kit.supervise import NAP, supervise

from ssd.supervision.cli import pid1
from ssd.supervision.effects import held

pytestmark = pytest.mark.requires_namespaces


def script_of(text: str) -> str:
    """Return the declaration of a service that a shell runs."""
    return f"script = '''\n{text}\n'''\npidfile = \"none\"\nprocess_name = \"sh\"\n"


@pytest.fixture
def command(ssd_path: Path) -> Path:
    """Return the installed command."""
    return ssd_path.with_name("ssd-supervise")


def test_orphans_are_reaped(command, tmp_path) -> None:
    """As process 1 and as a subreaper: no zombie is left of a hundred."""
    text = "for i in $(seq 100); do (exec /bin/true &) ; done; exec /bin/sleep 1000"
    for init in (True, False):
        services = {"mother": script_of(text), "nap": NAP}
        with supervise(command, tmp_path / "d", services, init=init) as running:
            running.until("mother runs as process", "nap runs as process")
            end = time.monotonic() + WAIT_TIMEOUT
            while _is_busy(running.processes()):
                assert time.monotonic() < end, running.processes()
                os.sched_yield()
            assert 0 == running.stop()


def _is_busy(processes: dict[int, str]) -> bool:
    """Tell whether anything runs but what is meant to stay."""
    naps = [name for name in processes.values() if name.endswith(" sleep")]
    return len(naps) < 2 or any(name[0] == "Z" or "true" in name for name in processes.values())


def test_status_of_a_main_process_is_never_taken() -> None:
    """What a unit waits for is left to it; what nobody waits for is reaped."""
    with child("true") as known, child("true") as stranger:
        for process in (known, stranger):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        kept = held.OwnChild(known.pid, 0, -1)
        assert not pid1.reap_strangers()
        assert 0 == kept.poll()
        assert pid1.reap_strangers()
        with pytest.raises(ChildProcessError):
            os.waitpid(stranger.pid, os.WNOHANG)


def test_term_stops_in_order(command, tmp_path) -> None:
    """As process 1, too, whose signals the kernel drops unless they are handled."""
    services = {"app": f'requires = ["base"]\n{NAP}', "base": NAP}
    with supervise(command, tmp_path / "d", services, init=True) as running:
        running.until("app runs as process")
        assert "1" == running.pids_of(running.pid)[-1]
        assert 0 == running.stop()
    said = [line.split(" ", 2)[2] for line in running.said]
    assert said.index("app has stopped") < said.index("base has stopped")
    assert said.index("app has stopped") < min(
        number for number, line in enumerate(said) if line.startswith("base was ended")
    )


def test_term_before_the_start_ends_process_1(command, tmp_path) -> None:
    """While a shell still reads a declaration."""
    gate = tmp_path / "d" / "gate.fifo"
    gate.parent.mkdir()
    os.mkfifo(gate)
    (tmp_path / "d" / "slow").write_text(f"read word < {gate}\nDAEMON=/bin/$word\n")
    with supervise(command, tmp_path / "d", {"nap": NAP}, init=True) as running:
        with open(gate, "w"):  # a shell reads it now
            running.find()
            running.send(signal.SIGTERM)
            assert 0 == running.end()
    assert [] == running.said


@pytest.mark.parametrize(("text", "status"), [("exit 0", 0), ("exit 3", 3), ("kill -9 $$", 137)])
def test_exit_with_ends_with_the_status_of_the_service(command, tmp_path, text, status) -> None:
    """All others are stopped; 128 and the number for a signal."""
    services = {"main": script_of(text), "nap": NAP}
    with supervise(command, tmp_path / "d", services, "--exit-with", "main", init=True) as running:
        assert status == running.end()
    assert any(line.endswith("nap has stopped") for line in running.said)


def test_exit_with_waits_until_the_service_stays_down(command, tmp_path) -> None:
    """It ends only when no restart follows."""
    text = "n=$(cat /run/n || echo 0); echo $((n + 1)) > /run/n; exit $((n < 2 ? 9 : 0))"
    main = script_of(text) + '[respawn]\nwhen = "failure"\n'
    with supervise(
        command, tmp_path / "d", {"main": main}, "--exit-with=main", init=True
    ) as running:
        assert 0 == running.end()
    assert 3 == sum("main runs as process" in line for line in running.said)


def test_exit_with_passes_signals_on(command, tmp_path) -> None:
    """QUIT, with which images of nginx are stopped, reaches the service."""
    text = "trap 'exit 5' QUIT; echo ready > /run/ready; while :; do sleep 1000 & wait; done"
    ready = '[readiness]\nkind = "command"\ncommand = ["test", "-s", "/run/ready"]\n'
    with supervise(
        command, tmp_path / "d", {"main": script_of(text) + ready}, "--exit-with", "main", init=True
    ) as running:
        running.until("main runs as process")
        end = time.monotonic() + WAIT_TIMEOUT
        while not running.path("/run/ready").exists():
            assert time.monotonic() < end
            os.sched_yield()
        running.send(signal.SIGQUIT)
        assert 5 == running.end()


def test_exit_with_an_unknown_service_is_wrong_usage(command, tmp_path) -> None:
    """Nothing is started."""
    with supervise(command, tmp_path / "d", {"nap": NAP}, "--exit-with", "pan") as running:
        assert 2 == running.end()
    assert ["ssd-supervise: --exit-with names pan, which is not to be started"] == running.said


def test_exit_when_failed_ends_with_1(command, tmp_path) -> None:
    """As soon as any service is given up; the others are stopped. Without it they go on."""
    services = {"bad": script_of("exit 7"), "nap": NAP}
    with supervise(command, tmp_path / "d", services, "--exit-when-failed", init=True) as running:
        assert 1 == running.end()
    assert any(line.endswith("nap has stopped") for line in running.said)
    with supervise(command, tmp_path / "e", services, init=True) as running:
        running.until("bad is given up: it exited with status 7", "nap runs as process")
        assert 1 == running.stop()


def test_second_term_kills_at_once(command, tmp_path) -> None:
    """A service that ignores TERM for a minute is gone after the second one."""
    stubborn = script_of("trap '' TERM; echo > /run/ready; while :; do sleep 1000; done")
    services = {"stubborn": f'stop_schedule = "TERM/600/KILL/5"\n{stubborn}'}
    with supervise(command, tmp_path / "d", services, init=True) as running:
        running.until("stubborn runs as process")
        end = time.monotonic() + WAIT_TIMEOUT
        while not running.path("/run/ready").exists():
            assert time.monotonic() < end
            os.sched_yield()
        running.send(signal.SIGTERM)
        running.until("stubborn is stopping")
        running.send(signal.SIGTERM)
        running.until("kills what has not stopped yet", "stubborn was ended by SIGKILL")
        assert 0 == running.end()
