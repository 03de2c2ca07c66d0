"""Services whose program goes to the background by itself: the daemon is found and followed."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from ssd.matching import Process
from ssd.processes.kin import Kin
from ssd.supervision.readiness.following import choose
from ssd.supervision.succession.journal import Journal
from ssd.supervision.succession.successor import begin
from ssd.testing import FakeProcess, daemonizes, exits
from supervision.machine import Machine

FIRST = 100


def kin(pid: int, session: int, start_time: int = 0) -> Kin:
    """Return an orphan of a start."""
    return Kin(Process(pid, start_time or pid), 1, session, session)


@pytest.mark.parametrize(
    ("expect", "candidates", "chosen"),
    [
        ("none", [], None),
        ("fork", [kin(101, FIRST)], 101),
        ("fork", [kin(101, 101)], 101),
        ("daemon", [kin(101, FIRST)], None),
        ("daemon", [kin(101, 101)], None),
        ("daemon", [kin(102, 101)], 102),
        ("daemon", [kin(101, 101), kin(102, 101)], 102),
        ("none", [kin(102, 101), kin(103, 101)], 102),
        ("none", [kin(299, 101, 1), kin(103, 101, 2)], 299),
    ],
)
def test_daemon_is_chosen_by_its_session(
    expect: str, candidates: list[Kin], chosen: int | None
) -> None:
    """The one in the middle of a daemon(7) leads the session, and the daemon does not."""
    found = choose(candidates, FIRST, expect)
    assert chosen == (None if found is None else found.pid)


def following(tmp_path: Path, runs: Any, **fields: Any) -> Machine:
    """Return a machine with a subreaper and a service that goes to the background."""
    fields = {"background": False, "pidfile": "none", **fields}
    machine = Machine(tmp_path, [{"name": "web", **fields}])
    machine.table.caller.subreaper = True
    machine.program("web", runs=runs)
    machine.supervisor.start("web")
    return machine


def forks(process: FakeProcess) -> None:
    """Fork once and end."""
    process.fork()
    process.die(status=0)


def living(machine: Machine) -> list[FakeProcess]:
    """Return the processes that live, but init and the supervisor."""
    table = machine.table
    found = [table[pid] for pid in table.pids() if pid not in (1, table.caller.pid)]
    return [each for each in found if not each.ended]


def daemon_of(machine: Machine) -> FakeProcess:
    """Return the fake process that is the main one."""
    unit = machine.supervisor.units["web"]
    assert unit.process is not None
    return machine.table[unit.process.pid]


def test_daemon_is_followed_by_its_pidfile(tmp_path: Path) -> None:
    """Ready once it is known; its end is the end of the service."""
    pidfile = str(tmp_path / "web.pid")
    machine = following(tmp_path, daemonizes(pidfile), pidfile=pidfile)
    machine.until(1)
    daemon = daemon_of(machine)
    assert ["web is starting", "web runs as process 101", f"web runs as process {daemon.pid}"] == (
        machine.said[:3]
    )
    assert {"web": "start/running"} == machine.states()
    daemon.die(status=0)
    machine.until(2)
    assert {"web": "stop/failed"} == machine.states()


@pytest.mark.parametrize(("expect", "runs"), [("fork", forks), ("daemon", daemonizes())])
def test_daemon_without_a_pidfile_is_the_orphan(tmp_path: Path, expect: str, runs: Any) -> None:
    """The supervisor is its parent now."""
    machine = following(tmp_path, runs, expect=expect)
    machine.until(1)
    assert {"web": "start/running"} == machine.states()
    assert machine.table.caller.pid == daemon_of(machine).ppid


def test_process_in_the_middle_is_not_taken(tmp_path: Path) -> None:
    """One that leads its session, and ends soon, is waited for."""

    def slowly(process: FakeProcess) -> None:
        middle = process.fork()
        middle.lead()
        middle.after(0.1, forks)
        process.die(status=0)

    machine = following(tmp_path, slowly, expect="daemon")
    machine.until(1)
    daemon = daemon_of(machine)
    assert not daemon.ended
    assert daemon.session != daemon.pid


def test_orphan_that_stays_is_the_daemon(tmp_path: Path) -> None:
    """A daemon that leads its own session looks like one in the middle, but for the time."""

    def leads(process: FakeProcess) -> None:
        process.fork().lead()
        process.die(status=0)

    machine = following(tmp_path, leads)
    machine.until(1)
    assert daemon_of(machine).pid == daemon_of(machine).session
    assert 0.2 <= (machine.supervisor.units["web"].ready_at or 0) < 0.5


def test_failed_first_process_is_a_failed_start(tmp_path: Path) -> None:
    """With its status."""
    machine = following(tmp_path, exits(3, after=1))
    machine.until(2)
    reason = "it exited with status 3 before it went to the background"
    assert reason == machine.supervisor.units["web"].failure


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        (exits(0), "no process of it is left"),
        (None, "its first process has not ended"),
    ],
)
def test_start_without_a_daemon_fails_in_time(tmp_path: Path, runs: Any, reason: str) -> None:
    """Nothing stays of one that stays in the foreground."""
    machine = following(tmp_path, runs, readiness={"timeout": 5})
    machine.until(20)
    assert f"it was not ready within 5 seconds: {reason}" == (
        machine.supervisor.units["web"].failure
    )
    assert [] == [each for each in machine.table.started if not each.ended]


def test_pidfile_that_never_comes_is_named(tmp_path: Path) -> None:
    """The user sees which file."""
    pidfile = str(tmp_path / "other.pid")
    machine = following(tmp_path, forks, pidfile=pidfile, readiness={"timeout": 5})
    machine.until(20)
    reason = f"it was not ready within 5 seconds: the pidfile {pidfile} names no process of it"
    assert reason == machine.supervisor.units["web"].failure
    assert [] == living(machine)


def test_stop_ends_a_daemon_that_is_not_known_yet(tmp_path: Path) -> None:
    """Nothing of a start stays, though its first process has ended."""
    machine = following(tmp_path, forks, pidfile=str(tmp_path / "other.pid"))
    machine.until(3)
    assert 1 == len(living(machine))
    machine.supervisor.stop("web")
    machine.until(4)
    assert [] == living(machine)
    assert {"web": "stop/waiting"} == machine.states()


def test_pidfile_of_ours_names_the_daemon(tmp_path: Path) -> None:
    """With ``background`` true the supervisor writes it, also for what ``expect`` finds."""
    pidfile = tmp_path / "web.pid"
    machine = following(tmp_path, forks, expect="fork", background=True, pidfile=str(pidfile))
    machine.until(3)
    assert {"web": "start/running"} == machine.states()
    assert f"{daemon_of(machine).pid}\n" == pidfile.read_text()


def test_stopped_process_is_continued_and_ready(tmp_path: Path) -> None:
    """``expect`` stop: it raises SIGSTOP once it works."""

    def stops(process: FakeProcess) -> None:
        process.after(3, lambda process: process.receive(signal.SIGSTOP))

    machine = following(tmp_path, stops, expect="stop", background=True)
    machine.until(2)
    assert {"web": "start/spawned"} == machine.states()
    machine.until(4)
    assert {"web": "start/running"} == machine.states()
    assert [signal.SIGCONT] == [signum for _, signum in machine.table.started[0].signals]


def test_readiness_is_asked_of_the_daemon(tmp_path: Path) -> None:
    """A first process that ends is not enough if another kind is declared."""
    pidfile = str(tmp_path / "web.pid")
    readiness = {"kind": "command", "command": ["/bin/ask"], "timeout": 20}
    machine = following(tmp_path, daemonizes(pidfile), pidfile=pidfile, readiness=readiness)
    machine.table.register("/bin/ask", runs=exits(0, after=4))
    machine.until(3)
    assert {"web": "start/spawned"} == machine.states()
    machine.until(6)
    assert {"web": "start/running"} == machine.states()


def test_declared_main_process_is_followed(tmp_path: Path) -> None:
    """MAINPID of a child: the old one may end, and the service goes on."""

    def replaced(process: FakeProcess) -> None:
        child = process.fork()
        process.notify(f"MAINPID={child.pid}\nREADY=1")
        process.die(after=2, status=0)

    readiness = {"kind": "notify", "timeout": 20}
    machine = following(tmp_path, replaced, background=True, readiness=readiness)
    machine.until(5)
    assert {"web": "start/running"} == machine.states()
    assert machine.table.started[0].state == "gone"
    assert not daemon_of(machine).ended


def test_foreign_main_process_is_refused(tmp_path: Path) -> None:
    """A service must not have others signalled in its place."""
    readiness = {"kind": "notify", "timeout": 20}
    machine = following(
        tmp_path,
        lambda process: process.notify("MAINPID=1\nREADY=1"),
        background=True,
        readiness=readiness,
    )
    machine.until(1)
    assert machine.table.started[0] is daemon_of(machine)
    assert "web reports: MAINPID=1 is not a process of this service: ignored" in machine.said


def test_readiness_that_nobody_heard_is_assumed(tmp_path: Path) -> None:
    """A service that says READY=1 while no supervisor runs is not stopped for it."""
    fields = {"readiness": {"kind": "notify", "timeout": 20}}
    directory = os.open(tmp_path, os.O_RDONLY)
    machine = Machine(tmp_path, [{"name": "web", **fields}])
    begin(machine.supervisor, Journal(directory, print))
    machine.until(1)
    after = Machine(tmp_path, [{"name": "web", **fields}], table=machine.table)
    begin(after.supervisor, Journal(directory, print))
    after.until(20)
    assert {"web": "start/spawned"} == after.states()
    after.until(22)
    assert {"web": "start/running"} == after.states()
    assert "web reports: it may have said READY=1 while no supervisor listened" in after.said
    for each in (machine, after):
        each.supervisor.journal.close()  # type: ignore[union-attr]
    os.close(directory)


@pytest.mark.parametrize("seconds", [0.0, 2.0], ids=["before", "after it is known"])
def test_successor_goes_on_to_follow(tmp_path: Path, seconds: float) -> None:
    """A supervisor that is killed while a daemon starts leaves that to the next one."""
    pidfile = tmp_path / "web.pid"
    readiness = {"kind": "command", "command": ["/bin/ask"], "timeout": 20}
    fields = {"background": False, "pidfile": str(pidfile), "readiness": readiness}
    directory = os.open(tmp_path, os.O_RDONLY)
    machine = Machine(tmp_path, [{"name": "web", **fields}])
    machine.table.caller.subreaper = True
    machine.table.register("/bin/ask", runs=exits(0, after=5))

    def slowly(process: FakeProcess) -> None:
        process.after(1, daemonizes(pidfile))

    machine.program("web", runs=slowly)
    begin(machine.supervisor, Journal(directory, print))
    machine.until(seconds)
    after = Machine(tmp_path, [{"name": "web", **fields}], table=machine.table)
    begin(after.supervisor, Journal(directory, print))
    after.until(20)
    assert {"web": "start/running"} == after.states()
    assert int(pidfile.read_text()) == daemon_of(after).pid
    for each in (machine, after):
        each.supervisor.journal.close()  # type: ignore[union-attr]
    os.close(directory)
