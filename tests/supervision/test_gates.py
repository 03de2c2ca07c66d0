"""Order in a supervisor, on declared processes: who waits, who falls with whom."""

import signal
from pathlib import Path

import pytest

from ssd.testing import dies
from supervision.machine import Machine


def started(machine: Machine) -> list[str]:
    """Return the programs in the order of their starts."""
    return [each.argv[0].removeprefix("/bin/") for each in machine.table.started]


def test_starts_follow_the_order(tmp_path: Path) -> None:
    """Whatever the order of the declarations."""
    services = [
        {"name": "web", "requires": ["db"], "after": ["cache"]},
        {"name": "cache", "after": ["db"]},
        {"name": "db"},
    ]
    machine = Machine(tmp_path, services)
    machine.supervisor.start_all()
    machine.settle()
    assert ["db", "cache", "web"] == started(machine)


def test_start_takes_its_requirements_along(tmp_path: Path) -> None:
    """What it only wants comes first if it starts anyway, and is not started for it."""
    services = [{"name": "web", "requires": ["db"], "after": ["cache"]}, {"name": "db"}]
    machine = Machine(tmp_path, [*services, {"name": "cache"}])
    machine.supervisor.start("web")
    machine.settle()
    assert ["db", "web"] == started(machine)


def test_stop_is_in_the_opposite_order(tmp_path: Path) -> None:
    """Each waits until what depends on it has stopped; the others stop side by side."""
    services = [
        {"name": "web", "requires": ["db"]},
        {"name": "job", "after": ["db"]},
        {"name": "db"},
        {"name": "alone"},
    ]
    machine = Machine(tmp_path, services)
    for name, seconds in (("web", 3), ("job", 5), ("db", 1), ("alone", 2)):
        machine.table.register(f"/bin/{name}", reactions={signal.SIGTERM: dies(after=seconds)})
    machine.supervisor.start_all()
    machine.settle()
    machine.supervisor.shutdown()
    machine.until(100)
    pids = {each.pid: each.argv[0].removeprefix("/bin/") for each in machine.table.started}
    sent = sorted((each.time, pids[each.pid]) for each in machine.table.signals)
    assert [(0, "alone"), (0, "job"), (0, "web"), (5, "db")] == sent
    assert 6.0 == machine.table.now()


def test_single_stop_does_not_wait_for_those_that_stay(tmp_path: Path) -> None:
    """Only what is stopped, too, is waited for."""
    machine = Machine(tmp_path, [{"name": "web", "requires": ["db"]}, {"name": "db"}])
    machine.supervisor.start_all()
    machine.settle()
    machine.supervisor.stop("db")
    machine.settle()
    assert {"web": "start/running", "db": "stop/waiting"} == machine.states()


@pytest.mark.parametrize(
    ("declared", "state", "reason"),
    [
        ("fail", "stop/failed", "it requires db, which has failed"),
        ("stop", "stop/failed", "it requires db, which has failed"),
        ("ignore", "start/running", None),
    ],
)
def test_failed_requirement_means_what_is_declared(
    declared: str, state: str, reason: str | None, tmp_path: Path
) -> None:
    """Not started, or started anyway."""
    services = [{"name": "web", "requires": ["db"], "on_required_failure": declared}]
    machine = Machine(tmp_path, [*services, {"name": "db"}])
    machine.table.register("/bin/db", fails=2)
    machine.supervisor.start_all()
    machine.settle()
    assert state == machine.states()["web"]
    assert reason == machine.supervisor.units["web"].failure


@pytest.mark.parametrize(
    ("declared", "state"), [("fail", "start/running"), ("stop", "stop/failed")]
)
def test_running_service_stops_with_its_requirement(
    declared: str, state: str, tmp_path: Path
) -> None:
    """Only if it declares so; a restart of the requirement is no failure."""
    services = [{"name": "web", "requires": ["db"], "on_required_failure": declared}]
    machine = Machine(tmp_path, [*services, {"name": "db"}])
    machine.program("db", runs=lambda process: process.die(after=5, status=1))
    machine.supervisor.start_all()
    machine.until(4)
    assert "start/running" == machine.states()["web"]
    machine.until(6)
    assert {"web": state, "db": "stop/failed"} == machine.states()


def test_failed_wish_holds_nobody_up(tmp_path: Path) -> None:
    """``after`` only orders: what has failed is not waited for."""
    machine = Machine(tmp_path, [{"name": "web", "after": ["db"]}, {"name": "db"}])
    machine.table.register("/bin/db", fails=2)
    machine.supervisor.start_all()
    machine.settle()
    assert {"web": "start/running", "db": "stop/failed"} == machine.states()


def test_start_tries_a_failed_requirement_again(tmp_path: Path) -> None:
    """Who starts the one means both."""
    machine = Machine(tmp_path, [{"name": "web", "requires": ["db"]}, {"name": "db"}])
    machine.table.register("/bin/db", fails=2)
    machine.supervisor.start_all()
    machine.settle()
    machine.program("db")
    machine.supervisor.start("web")
    machine.settle()
    assert {"web": "start/running", "db": "start/running"} == machine.states()


def test_requirement_that_comes_back_is_waited_for(tmp_path: Path) -> None:
    """A crash loop of the one holds the other up, until it is up."""
    respawn = {"when": "always", "delay": 10}
    services = [{"name": "web", "requires": ["db"]}, {"name": "db", "respawn": respawn}]
    machine = Machine(tmp_path, services)
    machine.table.register("/bin/db", fails=2)
    machine.supervisor.start_all()
    machine.until(5)
    assert {"web": "start/starting", "db": "respawn/waiting"} == machine.states()
    machine.program("db")
    machine.until(11)
    assert {"web": "start/running", "db": "start/running"} == machine.states()


def test_stop_of_a_service_that_waits_is_at_once(tmp_path: Path) -> None:
    """Nothing of it runs yet."""
    respawn = {"when": "always", "delay": 10}
    services = [{"name": "web", "requires": ["db"]}, {"name": "db", "respawn": respawn}]
    machine = Machine(tmp_path, services)
    machine.table.register("/bin/db", fails=2)
    machine.supervisor.start_all()
    machine.settle()
    machine.supervisor.stop("web")
    machine.settle()
    assert "stop/waiting" == machine.states()["web"]


def test_stop_goes_on_if_what_it_waits_for_starts_again(tmp_path: Path) -> None:
    """Both are to restart; the stop of the second is taken back while the first waits for it."""
    cache = {"name": "cache", "after": ["db"]}
    machine = Machine(tmp_path, [{"name": "db"}, cache])
    for name in ("db", "cache"):
        machine.table.register(f"/bin/{name}", reactions={signal.SIGTERM: dies(after=2.0)})
    machine.supervisor.start_all()
    machine.settle()
    machine.supervisor.stop("cache")
    machine.supervisor.restart("db")
    machine.until(machine.table.now() + 1)
    assert {"db": "start/stopping", "cache": "stop/killed"} == machine.states()
    machine.supervisor.restart("cache")
    machine.until(machine.table.now() + 60)
    assert {"db": "start/running", "cache": "start/running"} == machine.states()
    assert ["db", "cache", "db", "cache"] == started(machine)
