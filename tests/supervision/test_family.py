"""What services leave behind: it is found and stopped with them, and nobody else is."""

import signal
from pathlib import Path
from typing import Any

import pytest

from ssd.testing import FakeProcess, daemonizes, dies, ignores
from supervision.machine import Machine

TERM, KILL = signal.SIGTERM, signal.SIGKILL
ALWAYS = {"when": "always"}


def family(process: FakeProcess) -> None:
    """A main process makes a child, a child with a session of its own, and a daemon."""
    process.fork(name="child")
    process.fork(name="leader").lead()
    daemonizes(name="daemon")(process.fork())


def machine_of(directory: Path, runs: Any = family, **fields: Any) -> Machine:
    """Return a machine whose supervisor, a subreaper, runs one service."""
    machine = Machine(directory, [{"name": "web", **fields}])
    machine.table.caller.subreaper = True
    machine.supervisor.effects.reaps = True
    machine.program("web", runs=runs)
    machine.supervisor.start("web")
    machine.settle()
    return machine


def living(machine: Machine) -> list[str]:
    """Return the names of all that runs besides init and the supervisor."""
    there = [each for each in machine.table.inhabitants() if each.pid > 100 and not each.ended]
    return [each.name.decode() for each in there]


@pytest.mark.parametrize(
    ("mode", "left"),
    [(None, []), ("tree", []), ("group", ["leader", "daemon"]),
     ("main", ["child", "leader", "daemon"])],
)  # fmt: skip
def test_stop_ends_what_kill_mode_declares(
    tmp_path: Path, mode: str | None, left: list[str]
) -> None:
    """All of it unless it is declared; the daemon has left all but the marker."""
    machine = machine_of(tmp_path, **({} if mode is None else {"kill_mode": mode}))
    assert ["web", "child", "leader", "daemon"] == living(machine)
    machine.supervisor.stop("web")
    machine.settle()
    assert (left, {"web": "stop/waiting"}) == (living(machine), machine.states())


def test_remains_of_a_crash_are_stopped_before_the_restart(tmp_path: Path) -> None:
    """They may hold the port; the next start waits until the last of them has ended."""

    def crashing(process: FakeProcess) -> None:
        process.fork(name="slow", reactions={TERM: dies(after=7)}).lead()
        process.die(after=5, status=1)

    machine = machine_of(tmp_path, crashing, respawn=ALWAYS)
    machine.until(11)
    assert ["slow"] == living(machine)
    machine.until(12)
    assert ["web", "slow"] == living(machine)
    assert [0, 12] == [each.identity.start_time // 100 for each in machine.table.started]


def test_crash_that_leaves_nothing_is_restarted_at_once(tmp_path: Path) -> None:
    """Nobody is signalled."""
    machine = machine_of(tmp_path, lambda each: each.die(after=5, status=1), respawn=ALWAYS)
    machine.until(5)
    assert ([0, 5], []) == (
        [each.identity.start_time // 100 for each in machine.table.started],
        machine.table.signals,
    )


def test_stubborn_remains_are_killed(tmp_path: Path) -> None:
    """By the schedule of the service; nothing else of the machine is signalled."""

    def crashing(process: FakeProcess) -> None:
        daemonizes(reactions={TERM: ignores()})(process.fork())
        process.die(after=5, status=1)

    machine = machine_of(tmp_path, crashing, stop_schedule="TERM/3/KILL/5")
    stranger = machine.table.add("stranger")
    machine.until(20)
    signals = [(time, signum) for time, _, signum, _ in machine.table.signals]
    assert [(5, TERM), (8, signal.SIGSTOP), (8, KILL)] == signals
    assert not stranger.ended


def test_other_services_are_not_hit(tmp_path: Path) -> None:
    """Each service has a session and a marker of its own."""
    machine = Machine(tmp_path, [{"name": "web"}, {"name": "web2"}])
    machine.table.caller.subreaper = True
    machine.supervisor.effects.reaps = True
    for name in ("web", "web2"):
        machine.program(name, runs=family)
        machine.supervisor.start(name)
    machine.settle()
    machine.supervisor.stop("web")
    machine.settle()
    assert ["web2", "child", "leader", "daemon"] == living(machine)


def test_hurried_stop_kills_what_a_crash_has_left(tmp_path: Path) -> None:
    """Also if it is being stopped already, and its main process has long ended."""

    def crashing(process: FakeProcess) -> None:
        process.fork(name="slow", reactions={TERM: ignores()}).lead()
        process.die(after=5, status=1)

    machine = machine_of(tmp_path, crashing)
    machine.until(10)
    assert ["slow"] == living(machine)
    machine.supervisor.shutdown()
    machine.supervisor.hurry()
    machine.until(11)
    assert [] == living(machine)


def test_stranger_with_the_pid_of_the_main_process_is_not_hit(tmp_path: Path) -> None:
    """What it has left is known by the marker; the pid was free at once."""

    def crashing(process: FakeProcess) -> None:
        daemonizes(name="daemon")(process.fork())
        process.die(after=5, status=1)

    machine = machine_of(tmp_path, crashing)
    pid = machine.table.started[0].pid
    machine.table.clock.advance(5)
    machine.table.clock.at(5, lambda: None)
    assert machine.table.started[0].state == "zombie"
    machine.table.started[0].reap()
    stranger = machine.table.add("stranger", pid=pid)
    machine.settle()
    assert (["stranger"], False) == (living(machine), stranger.ended)
