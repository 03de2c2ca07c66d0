"""The facts of a service as plain values."""

from pathlib import Path

import pytest

from ssd.supervision import states
from ssd.supervision.control import facts
from ssd.testing import exits
from supervision.machine import Machine


@pytest.mark.parametrize(
    ("goal", "state", "expected"),
    [
        (states.STOP, states.WAITING, facts.STOPPED),
        (states.RESPAWN, states.WAITING, facts.DEAD),
        (states.STOP, states.FAILED, facts.DEAD),
        (states.START, states.STARTING, facts.STOPPED),
        (states.START, states.PRE_START, facts.STOPPED),
    ],
)
def test_service_without_a_process_is_stopped_or_dead(tmp_path, goal, state, expected) -> None:
    """Dead is one that should run, and does not."""
    unit = Machine(tmp_path, [{"name": "web"}]).supervisor.units["web"]
    unit.goal, unit.state = goal, state
    assert expected == facts.outcome(unit)


def test_service_with_a_process_runs(tmp_path: Path) -> None:
    """Whether it is ready or being stopped."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.start("web")
    machine.settle()
    assert facts.RUNNING == facts.outcome(machine.supervisor.units["web"])


def test_usual_values_are_left_out(tmp_path: Path) -> None:
    """An answer about a thousand services is short."""
    machine = Machine(tmp_path, [{"name": "web"}])
    unit = machine.supervisor.units["web"]
    expected = {"name": "web", "found": "stopped", "state": "waiting", "goal": "stop"}
    assert expected == facts.gather(unit, 0.0)


def test_everything_that_is_unusual_is_there(tmp_path: Path) -> None:
    """Seconds are counted from now."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": {"when": "always", "delay": 5}}])
    machine.program("web", runs=exits(2, after=4.0))
    machine.supervisor.start("web")
    machine.until(6.0)
    unit = machine.supervisor.units["web"]
    unit.status_text, unit.healthy, unit.completed, unit.failure = "works", False, True, "odd"
    found = facts.gather(unit, machine.table.now())
    assert {"restarts": 1, "last_exit": 2, "last_exit_time": 4.0, "next_attempt": 3.0}.items() <= (
        found.items()
    )
    told = {"status_text": "works", "healthy": False, "completed": True, "failure": "odd"}
    assert told.items() <= found.items()


def test_declaration_is_in_the_facts_of_one_service(tmp_path: Path) -> None:
    """No pidfile and no log are None."""
    machine = Machine(tmp_path, [{"name": "web", "pidfile": "none", "executable": "/bin/web"}])
    found = facts.gather_all(machine.supervisor.units["web"], 0.0)
    expected = {"description": "", "declared_in": None, "pidfile": None, "log": None}
    assert expected.items() <= found.items()
