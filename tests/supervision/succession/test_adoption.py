"""What a new supervisor makes of what an earlier one has left, on declared processes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ssd.supervision import events
from ssd.supervision.succession.journal import Journal
from ssd.supervision.succession.successor import begin
from ssd.testing import FakeProcess, ignores
from supervision.machine import Machine

ALWAYS = {"when": "always", "limit": 0}
HOOKS = {
    f"{when}_{what}": f"{when} {what}" for when in ("before", "after") for what in ("start", "stop")
}


class Line:
    """Supervisors of one machine, each the successor of the one before."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        self.told: list[str] = []
        self.machines: list[Machine] = []

    def first(self, *services: dict[str, Any], **programs: Any) -> Machine:
        """Begin with a supervisor on a fresh machine; ``programs``: what each one does."""
        machine = Machine(self.directory, services)
        for name, runs in programs.items():
            machine.table.register(f"/bin/{name}", runs=runs)
        return self._begin(machine)

    def next(self, *services: dict[str, Any], names: tuple[str, ...] = ()) -> Machine:
        """Let a supervisor follow: its predecessor does nothing any more, as after kill -9."""
        before = self.machines[-1]
        before.table.now()
        machine = Machine(self.directory, services, table=before.table)
        return self._begin(machine, names)

    def _begin(self, machine: Machine, names: tuple[str, ...] = ()) -> Machine:
        self.machines.append(machine)
        begin(machine.supervisor, Journal(self.fd, self.told.append), names)
        return machine


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """Return a line of supervisors."""
    made = Line(tmp_path)
    yield made
    for machine in made.machines:
        if machine.supervisor.journal is not None:
            machine.supervisor.journal.close()
    os.close(made.fd)


def crash(after: float, status: int = 1) -> Callable[[FakeProcess], None]:
    """Return a program that ends by itself."""
    return lambda process: process.die(after=after, status=status)


def stubborn(process: FakeProcess) -> None:
    """Ignore TERM."""
    process.reactions[15] = ignores()


def living(machine: Machine) -> list[str]:
    """Return the programs that run."""
    return sorted(each.argv[-1] for each in machine.table.started if not each.ended)


def test_running_service_is_taken_over(line: Line) -> None:
    """The same process, with what is known of it; it is not started again."""
    web = {"name": "web", "respawn": ALWAYS}
    first = line.first(web)
    first.until(5)
    before = first.supervisor.units["web"]
    second = line.next(web)
    second.until(10)
    after = second.supervisor.units["web"]
    assert (before.process, before.since, before.ready_at) == (
        after.process, after.since, after.ready_at
    )  # fmt: skip
    assert ({"web": "start/running"}, ["/bin/web"]) == (second.states(), living(second))
    assert [f"web is taken over: it runs as process {after.process.pid}"] == second.said


def test_restarts_and_their_row_go_on(line: Line) -> None:
    """A supervisor that is killed often does not make a crash loop faster."""
    web = {"name": "web", "respawn": {**ALWAYS, "backoff": 1, "delay_max": 100}}
    first = line.first(web, web=crash(after=1))
    first.until(10)
    before = first.supervisor.units["web"]
    second = line.next(web)
    after = second.supervisor.units["web"]
    assert before.restarts == after.restarts > 2
    assert (before.history.row, before.next_attempt) == (after.history.row, after.next_attempt)
    assert before.last.status == after.last.status == 1
    second.until(before.next_attempt + 0.5)
    assert {"web": "start/running"} == second.states()
    assert before.restarts == after.restarts


def test_end_that_nobody_saw_is_said_and_judged(line: Line) -> None:
    """It counts as a failure, because nobody knows that it was none."""
    web = {"name": "web", "respawn": {**ALWAYS, "when": "failure"}}
    first = line.first(web, web=crash(after=5, status=0))
    first.until(1)
    pid = first.supervisor.units["web"].process.pid
    first.table.wait([], 7)
    second = line.next(web)
    second.settle()
    assert [
        f"web reports: process {pid} ended while no supervisor watched it",
        f"web has ended, nobody knows how (process {pid})",
        "web is started again now (attempt 1)",
    ] == second.said[:3]
    assert {"web": "start/running"} == second.states()
    assert 1 == second.supervisor.units["web"].restarts


def test_service_that_never_respawns_is_given_up(line: Line) -> None:
    """If it ended unseen, the policy is asked as ever."""
    web = {"name": "web", "respawn": {"when": "never"}}
    first = line.first(web, web=crash(after=5, status=0))
    first.until(1)
    first.table.wait([], 7)
    second = line.next(web)
    second.settle()
    assert {"web": "stop/failed"} == second.states()
    assert "it has ended, nobody knows how" == second.supervisor.units["web"].failure


@pytest.mark.parametrize(
    ("when", "states"), [("always", "start/running"), ("never", "stop/failed")]
)
def test_end_that_was_judged_is_acted_on(line: Line, when: str, states: str) -> None:
    """A successor judges an end that nobody saw, and is killed before its first turn."""
    web = {"name": "web", "respawn": {**ALWAYS, "when": when}}
    line.first(web, web=crash(after=5)).until(1)
    line.machines[0].table.wait([], 7)
    assert {"web": "start/running"} == line.next(web).states()
    third = line.next(web)
    third.settle()
    unit = third.supervisor.units["web"]
    assert ({"web": states}, when == "always") == (third.states(), unit.restarts == 1)
    assert (None, 7.0) == (unit.last.status, unit.last.time)


def test_restart_that_waits_for_another_service_is_still_one(line: Line) -> None:
    """The counts go on: nobody has started it."""
    web = {"name": "web", "after": ["db"], "respawn": ALWAYS}
    services = web, {"name": "db", "respawn": {**ALWAYS, "delay": 50}}
    first = line.first(*services, web=crash(after=2), db=crash(after=1))
    first.until(10)
    assert {"web": "start/starting", "db": "respawn/waiting"} == first.states()
    first.supervisor.journal.renew()
    second = line.next(*services)
    second.settle()
    assert "start/starting" == second.states()["web"]
    assert 1 == second.supervisor.units["web"].restarts


@pytest.mark.parametrize("how", ["stopped", "given up"])
def test_service_at_rest_stays_at_rest(line: Line, how: str) -> None:
    """A new supervisor starts nothing that was stopped, or has failed."""
    web = {"name": "web", "respawn": {"when": "never"}}
    first = line.first(web, web=crash(after=2))
    first.until(1)
    if how == "stopped":
        first.supervisor.stop("web")
    first.until(3)
    expected = first.states()
    second = line.next(web)
    second.until(10)
    assert (expected, []) == (second.states(), living(second))
    unit, before = second.supervisor.units["web"], first.supervisor.units["web"]
    assert (unit.failure, unit.last.status) == (before.failure, before.last.status)


def test_new_service_is_started(line: Line) -> None:
    """One that the journal does not know, unless it is manual."""
    first = line.first({"name": "web"})
    first.until(1)
    second = line.next({"name": "web"}, {"name": "new"}, {"name": "hand", "manual": True})
    second.until(2)
    assert {"web": "start/running", "new": "start/running", "hand": "stop/waiting"} == (
        second.states()
    )


def test_named_services_alone_are_started(line: Line) -> None:
    """With what they require."""
    first = line.first()
    first.settle()
    second = line.next(
        {"name": "web", "requires": ["db"]}, {"name": "db"}, {"name": "other"}, names=("web",)
    )
    second.until(2)
    assert ["/bin/db", "/bin/web"] == living(second)


def test_service_without_its_declaration_is_stopped(line: Line) -> None:
    """By the schedule that was declared."""
    first = line.first({"name": "gone", "stop_schedule": "USR1/5"}, {"name": "web"})
    first.until(1)
    second = line.next({"name": "web"})
    second.until(2)
    assert ({"web": "start/running"}, ["/bin/web"]) == (second.states(), living(second))
    assert [10] == [sent.signum for sent in first.table.signals]


@pytest.mark.parametrize("verb", ["stop", "restart"])
def test_wish_that_nothing_has_begun_is_done(line: Line, verb: str) -> None:
    """A client may have been told that it was taken."""
    first = line.first({"name": "web"})
    first.until(1)
    pid = first.supervisor.units["web"].process.pid
    getattr(first.supervisor, verb)("web")
    second = line.next({"name": "web"})
    second.until(3)
    unit = second.supervisor.units["web"]
    if verb == "stop":
        assert {"web": "stop/waiting"} == second.states()
    else:
        assert ({"web": "start/running"}, True) == (second.states(), unit.process.pid != pid)
    assert [pid] == [each.pid for each in first.table.started if each.ended]


def test_stop_goes_on(line: Line) -> None:
    """With its whole schedule, from the first signal."""
    web = {"name": "web", "stop_schedule": "TERM/10/KILL/5", "respawn": ALWAYS}
    first = line.first(web, web=stubborn)
    first.until(1)
    first.supervisor.stop("web")
    first.until(4)
    second = line.next(web)
    second.until(30)
    assert ({"web": "stop/waiting"}, []) == (second.states(), living(second))
    assert [15, 15, 19, 9] == [sent.signum for sent in first.table.signals]  # STOP before KILL


def test_end_of_all_is_carried_out_and_then_all_start(line: Line) -> None:
    """Who starts a supervisor again wants its services, but for those that were stopped before."""
    services = {"name": "web"}, {"name": "off"}
    first = line.first(*services)
    first.until(1)
    pid = first.supervisor.units["web"].process.pid
    first.supervisor.stop("off")
    first.until(2)
    first.supervisor.shutdown()
    second = line.next(*services)
    second.until(5)
    assert {"web": "start/running", "off": "stop/waiting"} == second.states()
    assert pid in [each.pid for each in first.table.started] or True


def test_orderly_end_is_followed_by_a_fresh_start(line: Line) -> None:
    """All services start, also those that were stopped or had failed."""
    services = {"name": "web"}, {"name": "off"}
    first = line.first(*services)
    first.until(1)
    first.supervisor.stop("off")
    first.supervisor.shutdown()
    first.until(5)
    first.supervisor.close()
    second = line.next(*services)
    second.until(6)
    assert {"web": "start/running", "off": "start/running"} == second.states()


def hooked(after: float = 4.0) -> dict[str, Any]:
    """Return what the shell does: each hook takes some seconds."""
    return {"sh": lambda process: process.die(after=after)}


@pytest.mark.parametrize(
    ("killed", "expected"),
    [
        (1, ["before start", "before start", "/bin/web", "after start"]),
        (5, ["before start", "/bin/web", "after start"]),
        (9, ["before start", "/bin/web", "after start"]),
    ],
)
def test_hook_of_a_start_is_waited_for(line: Line, killed: float, expected: list[str]) -> None:
    """The one before the start is run again then, because nobody knows that it has succeeded."""
    web = {"name": "web", **HOOKS}
    first = line.first(web, **hooked())
    first.until(killed)
    second = line.next(web)
    second.until(killed + 0.5)
    running = [each for each in first.table.started if not each.ended]
    assert len(running) == (1 if killed == 1 else 2 if killed == 5 else 1)
    second.until(40)
    assert {"web": "start/running"} == second.states()
    assert expected == [
        each.argv[3] if each.argv[0] == "/bin/sh" else each.argv[0] for each in first.table.started
    ]


@pytest.mark.parametrize("killed", [11, 16])
def test_hook_of_a_stop_is_waited_for(line: Line, killed: float) -> None:
    """And run once."""
    web = {"name": "web", **HOOKS}
    first = line.first(web, **hooked())
    first.until(10)
    first.supervisor.stop("web")
    first.until(killed)
    second = line.next(web)
    second.until(40)
    assert {"web": "stop/waiting"} == second.states()
    ran = [each.argv[3] for each in first.table.started if each.argv[0] == "/bin/sh"]
    assert ["before start", "after start", "before stop", "after stop"] == ran


def test_hook_that_ended_unseen_is_not_repeated(line: Line) -> None:
    """Unless the start depends on its success."""
    web = {"name": "web", **HOOKS}
    first = line.first(web, **hooked())
    first.until(5)
    first.table.wait([], 20)
    second = line.next(web)
    second.until(30)
    ran = [each.argv[3] for each in first.table.started if each.argv[0] == "/bin/sh"]
    assert ["before start", "after start"] == ran
    assert {"web": "start/running"} == second.states()


def test_those_that_wait_for_others_start_after_them(line: Line) -> None:
    """What was taken over counts as up."""
    services = {"name": "db"}, {"name": "web", "requires": ["db"]}
    first = line.first(services[0])
    first.until(1)
    second = line.next(*services)
    second.until(2)
    assert {"db": "start/running", "web": "start/running"} == second.states()
    assert ["/bin/db", "/bin/web"] == living(second)


def test_task_that_is_done_is_not_done_again(line: Line) -> None:
    """What it has made is there, for those that require it too."""
    services = {"name": "once", "task": True}, {"name": "web", "requires": ["once"]}
    first = line.first(services[0], once=crash(after=1, status=0))
    first.until(3)
    second = line.next(*services)
    second.until(5)
    assert 1 == sum(each.argv == ["/bin/once"] for each in first.table.started)
    assert ["/bin/web"] == living(second)


def test_other_boot_means_that_nothing_runs(line: Line) -> None:
    """All services are started, whatever somebody had wished."""
    web = {"name": "web"}
    first = line.first(web)
    first.until(1)
    first.supervisor.stop("web")
    first.until(2)
    path = line.directory / "journal"
    boot = first.table.origin.boot()
    path.write_bytes(path.read_bytes().replace(boot, b"another"))
    second = line.next(web)
    second.until(3)
    assert {"web": "start/running"} == second.states()


def test_pid_that_has_another_owner_is_not_taken_over(line: Line) -> None:
    """A pid alone is nobody: the start time must be the same."""
    web = {"name": "web", "respawn": ALWAYS}
    first = line.first(web)
    first.until(1)
    process = first.supervisor.units["web"].process
    path = line.directory / "journal"
    start = b'"start":%d'
    text = path.read_bytes().replace(start % process.start_time, start % (process.start_time - 9))
    path.write_bytes(text)
    os.unlink(line.directory / "web.pid")
    second = line.next(web)
    second.until(2)
    assert any("ended while no supervisor watched it" in said for said in second.said)
    assert process != second.supervisor.units["web"].process


def test_events_tell_what_was_taken_over(line: Line) -> None:
    """Those who listen from the start hear of each service once."""
    services = [{"name": f"web{number}"} for number in range(3)]
    line.first(*services).until(1)
    second = line.next(*services)
    second.until(2)
    assert ["web0", "web1", "web2"] == [
        event.name for event in second.events if isinstance(event, events.Adopted)
    ]
