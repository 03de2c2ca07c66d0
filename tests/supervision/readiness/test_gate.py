"""What a start waits for before a service counts as ready, on declared processes."""

import errno
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from ssd.supervision.readiness.probes import pause
from ssd.testing import FakeProcess, daemonizes, exits, in_turn
from supervision.machine import Machine

NOTIFY = {"kind": "notify", "timeout": 20}
ASKS = {"kind": "command", "command": ["/bin/ask"], "timeout": 20}


def machine_with(tmp_path: Path, readiness: dict[str, Any], **fields: Any) -> Machine:
    """Return a machine with one service, which is started."""
    machine = Machine(tmp_path, [{"name": "web", "readiness": readiness, **fields}])
    machine.supervisor.start("web")
    return machine


def says(*messages: tuple[float, str]) -> Any:
    """Return what a program does that sends messages, each after so many seconds."""

    def react(process: FakeProcess) -> None:
        for seconds, text in messages:
            process.after(seconds, lambda process, text=text: process.notify(text))  # type: ignore[misc]

    return react


def test_notification_makes_it_ready(tmp_path: Path) -> None:
    """READY=1 does, and nothing before it."""
    machine = machine_with(tmp_path, NOTIFY)
    machine.program("web", runs=says((3, "STATUS=loading"), (7, "READY=1")))
    machine.until(6)
    assert {"web": "start/spawned"} == machine.states()
    assert "loading" == machine.supervisor.units["web"].status_text
    machine.until(7)
    machine.settle()
    assert {"web": "start/running"} == machine.states()
    assert ["web reports: loading", "web is ready"] == machine.said[-2:]


def test_readiness_that_never_comes_is_a_failed_start(tmp_path: Path) -> None:
    """After the timeout the process is stopped, and the service is given up or tried again."""
    machine = machine_with(tmp_path, NOTIFY)
    machine.until(19.9)
    assert {"web": "start/spawned"} == machine.states()
    machine.until(30)
    assert {"web": "stop/failed"} == machine.states()
    assert "it was not ready within 20 seconds" == machine.supervisor.units["web"].failure
    assert [(20.0, signal.SIGTERM)] == machine.table.started[0].signals


def test_failed_start_is_repeated_by_the_policy(tmp_path: Path) -> None:
    """It counts as a crash: with ``when`` failure the program is started again."""
    machine = machine_with(tmp_path, NOTIFY, respawn={"when": "failure"})
    machine.program("web", runs=in_turn(says(), says((5, "READY=1"))))
    machine.until(26)
    assert {"web": "start/running"} == machine.states()
    assert 1 == machine.supervisor.units["web"].restarts


def test_extension_replaces_the_time_that_is_left(tmp_path: Path) -> None:
    """EXTEND_TIMEOUT_USEC counts from the moment in which it is sent."""
    machine = machine_with(tmp_path, NOTIFY)
    machine.program("web", runs=says((15, "EXTEND_TIMEOUT_USEC=30000000"), (44, "READY=1")))
    machine.until(45)
    assert {"web": "start/running"} == machine.states()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (f"ERRNO={errno.EACCES}", "it reported error 13, Permission denied"),
        ("ERRNO=x", "it sent an invalid notification: ERRNO=x"),
        (
            "EXTEND_TIMEOUT_USEC=\x1b[2J",
            "it sent an invalid notification: EXTEND_TIMEOUT_USEC=?[2J",
        ),
    ],
)
def test_reported_error_ends_the_start(tmp_path: Path, message: str, reason: str) -> None:
    """The service says itself that it will not be ready."""
    machine = machine_with(tmp_path, NOTIFY)
    machine.program("web", runs=says((1, message)))
    machine.until(2)
    assert reason == machine.supervisor.units["web"].failure


@pytest.mark.parametrize("status", [0, 3])
def test_end_before_readiness_is_a_failed_start(tmp_path: Path, status: int) -> None:
    """Whatever its exit status: it has not done what it was started for."""
    machine = machine_with(tmp_path, NOTIFY)
    machine.program("web", runs=exits(status, after=2))
    machine.until(3)
    reason = f"it exited with status {status} before it was ready"
    assert reason == machine.supervisor.units["web"].failure


def test_last_message_of_an_ended_process_counts(tmp_path: Path) -> None:
    """A task that is ready and ends at once was ready."""
    machine = machine_with(tmp_path, NOTIFY)
    machine.program("web", runs=lambda process: (process.notify("READY=1"), process.die(status=0)))
    machine.until(1)
    assert {"web": "stop/waiting"} == machine.states()
    assert machine.supervisor.units["web"].failure is None


def test_command_is_repeated_until_it_succeeds(tmp_path: Path) -> None:
    """After pauses that grow, so the service is ready soon after it works."""
    machine = machine_with(tmp_path, ASKS)
    asked = machine.table.register("/bin/ask", runs=in_turn(*[exits(1)] * 4, exits(0)))
    machine.until(10)
    assert {"web": "start/running"} == machine.states()
    assert 5 == len(asked.processes)
    assert 1 > (machine.supervisor.units["web"].ready_at or 99)


def test_command_without_a_path_is_looked_for(tmp_path: Path, monkeypatch) -> None:
    """In PATH, as a start of ssd-service does."""
    program = tmp_path / "bin" / "asks"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"/nowhere:{program.parent}")
    machine = machine_with(tmp_path, {**ASKS, "command": ["asks", "-q"]})
    asked = machine.table.register(str(program), runs=exits(0))
    machine.until(1)
    assert ({"web": "start/running"}, 1) == (machine.states(), len(asked.processes))


def test_command_that_hangs_is_killed_at_the_timeout(tmp_path: Path) -> None:
    """The command and the service: nothing of the start stays."""
    machine = machine_with(tmp_path, ASKS)
    machine.until(60)
    assert "it was not ready within 20 seconds" == machine.supervisor.units["web"].failure
    assert [] == [each for each in machine.table.started if not each.ended]


def test_reason_of_the_last_attempt_is_told(tmp_path: Path) -> None:
    """A user sees what to look at."""
    machine = machine_with(tmp_path, ASKS)
    machine.table.register("/bin/ask", runs=exits(1))
    machine.until(60)
    reason = "it was not ready within 20 seconds: the command /bin/ask exited with status 1"
    assert reason == machine.supervisor.units["web"].failure


def test_pidfile_makes_it_ready_once_it_names_it(tmp_path: Path) -> None:
    """One that names nothing that lives does not."""
    pidfile = tmp_path / "web.pid"

    def writes(process: FakeProcess) -> None:
        process.after(2, lambda process: pidfile.write_text("999\n"))
        process.after(4, lambda process: pidfile.write_text(f"{process.pid}\n"))

    machine = machine_with(tmp_path, {"kind": "pidfile", "timeout": 20}, background=False)
    machine.program("web", runs=lambda process: (writes(process.fork()), process.die(status=0)))
    machine.until(3.9)
    assert {"web": "start/spawned"} == machine.states()
    machine.until(5.1)
    assert {"web": "start/running"} == machine.states()


def test_port_makes_it_ready_once_it_answers(tmp_path: Path) -> None:
    """A connection is enough; until there is one it is tried again."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
        machine = machine_with(tmp_path, {"kind": "port", "address": port, "timeout": 20})
        machine.until(5)
        assert {"web": "start/spawned"} == machine.states()
        listener.listen()
        machine.until(7)
        assert {"web": "start/running"} == machine.states()


def test_socket_that_never_answers_is_named(tmp_path: Path) -> None:
    """With its address."""
    where = str(tmp_path / "socket")
    machine = machine_with(tmp_path, {"kind": "socket", "address": where, "timeout": 20})
    machine.until(60)
    reason = f"it was not ready within 20 seconds: nothing listens at {where}"
    assert reason == machine.supervisor.units["web"].failure


def test_stop_ends_the_wait(tmp_path: Path) -> None:
    """Nobody asks any more, and nothing is told later."""
    machine = machine_with(tmp_path, ASKS)
    asked = machine.table.register("/bin/ask", runs=exits(1))
    machine.until(3)
    machine.supervisor.stop("web")
    machine.until(4)
    count = len(asked.processes)
    machine.until(100)
    assert count == len(asked.processes)
    assert {"web": "stop/waiting"} == machine.states()


def test_dependents_wait_for_readiness(tmp_path: Path) -> None:
    """Not only for the process."""
    services = [
        {"name": "db", "readiness": NOTIFY},
        {"name": "web", "requires": ["db"]},
    ]
    machine = Machine(tmp_path, services)
    machine.program("db", runs=says((9, "READY=1")))
    machine.supervisor.start_all()
    machine.until(8)
    assert {"db": "start/spawned", "web": "start/starting"} == machine.states()
    machine.until(10)
    assert {"db": "start/running", "web": "start/running"} == machine.states()


def test_pauses_grow_up_to_a_second() -> None:
    """What takes long is not asked often."""
    assert [0.01, 0.015, 0.0225] == [pause(0.01, number) for number in range(3)]
    assert 1.0 == pause(0.01, 10_000)


STAYS = {"kind": "stays", "timeout": 5}


def test_service_that_stays_is_ready_after_its_time(tmp_path: Path) -> None:
    """Not before, whatever it says: READY=1 and EXTEND_TIMEOUT_USEC do not change the time."""
    machine = machine_with(tmp_path, STAYS, watchdog=100)
    machine.program("web", runs=says((2, "READY=1"), (3, "EXTEND_TIMEOUT_USEC=1000000")))
    machine.until(4.9)
    assert {"web": "start/spawned"} == machine.states()
    machine.until(5)
    machine.settle()
    assert {"web": "start/running"} == machine.states()


@pytest.mark.parametrize("status", [0, 3])
def test_service_that_does_not_stay_has_failed_to_start(tmp_path: Path, status: int) -> None:
    """Whatever its exit status."""
    machine = machine_with(tmp_path, STAYS)
    machine.program("web", runs=exits(status, after=2))
    machine.until(3)
    reason = f"it exited with status {status} before it had run for 5 seconds"
    assert reason == machine.supervisor.units["web"].failure


def test_service_that_has_stayed_may_end(tmp_path: Path) -> None:
    """After its time an end is judged as any other."""
    machine = machine_with(tmp_path, STAYS)
    machine.program("web", runs=exits(0, after=6))
    machine.until(7)
    assert {"web": "stop/waiting"} == machine.states()
    assert machine.supervisor.units["web"].failure is None


def test_start_that_does_not_stay_is_repeated_by_the_policy(tmp_path: Path) -> None:
    """What depends on it waits meanwhile."""
    needs = {"name": "app", "requires": ["web"]}
    web = {"name": "web", "readiness": STAYS, "respawn": {"when": "failure", "delay": 1}}
    machine = Machine(tmp_path, [needs, web])
    machine.program("web", runs=in_turn(exits(1, after=4), says()))
    machine.supervisor.start("app")
    machine.until(9.9)
    assert {"app": "start/starting", "web": "start/spawned"} == machine.states()
    machine.until(11)
    assert {"app": "start/running", "web": "start/running"} == machine.states()


def test_daemon_must_stay_from_the_moment_in_which_it_is_known(tmp_path: Path) -> None:
    """Its first process has more time to end than the daemon must stay."""
    pidfile = str(tmp_path / "web.pid")
    machine = machine_with(tmp_path, STAYS, background=False)
    machine.program("web", runs=lambda it: it.after(7, daemonizes(pidfile)))
    machine.until(11.9)
    assert {"web": "start/spawned"} == machine.states()
    machine.until(12.5)
    assert {"web": "start/running"} == machine.states()
