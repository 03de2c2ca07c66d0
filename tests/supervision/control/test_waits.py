"""What an event means for somebody who waits."""

from pathlib import Path

import pytest

from ssd.supervision import events, states
from ssd.supervision.control.waits import DONE, FAILED, SURVIVED, Verdict, judge
from ssd.supervision.unit import Exit
from supervision.machine import Machine

NOTHING = None
READY, STOPPED = events.Ready(0.0, "web"), events.Stopped(0.0, "web")
LOST, AGAIN = (
    events.Failed(0.0, "web", "it is odd", 1, ["last"]),
    events.Restarting(0.0, "web", 2.0, 1),
)
STARTED = events.Started(0.0, "web", 7)
MEANWHILE = Verdict(FAILED, "it was started meanwhile by another caller")
TOO_EARLY = Verdict(FAILED, "it has stopped before it was ready")
RETRIED = Verdict(FAILED, "it exited with status 3; it is started again in 2.0 seconds (attempt 1)")


@pytest.mark.parametrize(
    ("verb", "event", "goal", "expected"),
    [
        ("start", events.Starting(0.0, "web"), states.START, NOTHING),
        ("start", STARTED, states.START, NOTHING),
        ("start", READY, states.START, Verdict(DONE)),
        ("start", events.Exited(0.0, "web", 7, 3), states.START, NOTHING),
        ("start", LOST, states.STOP, Verdict(FAILED, "it is odd", ["last"])),
        ("start", AGAIN, states.RESPAWN, RETRIED),
        ("start", STOPPED, states.START, NOTHING),  # it was being stopped when it was wished
        ("start", STOPPED, states.STOP, TOO_EARLY),
        ("restart", STOPPED, states.START, NOTHING),
        ("restart", READY, states.START, Verdict(DONE)),
        ("try-restart", READY, states.START, Verdict(DONE)),
        ("force-reload", READY, states.START, Verdict(DONE)),
        ("stop", events.Stopping(0.0, "web"), states.STOP, NOTHING),
        ("stop", events.Exited(0.0, "web", 7, 0), states.STOP, NOTHING),
        ("stop", STOPPED, states.STOP, Verdict(DONE)),
        ("stop", LOST, states.STOP, Verdict(SURVIVED, "it is odd")),
        ("stop", STARTED, states.STOP, NOTHING),
        ("stop", STARTED, states.START, MEANWHILE),
        ("stop", READY, states.START, MEANWHILE),
    ],
)
def test_event_answers_a_wish(tmp_path: Path, verb, event, goal, expected) -> None:
    """Or it does not, and the client waits on."""
    unit = Machine(tmp_path, [{"name": "web"}]).supervisor.units["web"]
    unit.goal, unit.last = goal, Exit(3, 0.0)
    unit.state = states.FAILED if event is LOST else unit.state
    assert expected == judge(verb, event, unit)


def test_failure_of_what_has_stopped_is_no_survivor(tmp_path: Path) -> None:
    """A job of Upstart fails and rests at once."""
    unit = Machine(tmp_path, [{"name": "web"}]).supervisor.units["web"]
    assert Verdict(DONE) == judge("stop", LOST, unit)
    assert Verdict(SURVIVED, "it is odd") == judge("stop", LOST, None)


def test_start_of_a_task_waits_for_its_end(tmp_path: Path) -> None:
    """It is ready before that, and stopped in the end."""
    unit = Machine(tmp_path, [{"name": "web", "task": True}]).supervisor.units["web"]
    unit.completed = True
    assert judge("start", READY, unit) is None
    assert Verdict(DONE) == judge("start", STOPPED, unit)


@pytest.mark.parametrize(("verb", "expected"), [("start", TOO_EARLY), ("stop", Verdict(DONE))])
def test_service_that_is_gone_has_stopped(verb, expected) -> None:
    """An update may have removed it meanwhile."""
    assert expected == judge(verb, STOPPED, None)
