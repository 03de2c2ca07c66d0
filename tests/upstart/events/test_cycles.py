"""Circles of jobs that wait for each other by their events, on declared processes."""

from ssd.upstart import Job
from ssd.upstart.events.cycles import block, waits_for
from ssd.upstart.events.emissions import Emission
from upstart.machine import World


def _world(strict: bool = False) -> tuple[Job, Job, Emission]:
    """Return a job that is starting, one that its event starts, and this event."""
    texts = {"foo": "exec main", "bar": "start on starting foo\nexec main"}
    world = World(strict, **texts, gate="start on starting bar\ntask\nexec main")
    world.wish("start", "foo")
    foo, bar = world.jobs.units["foo"], world.jobs.units["bar"]
    assert isinstance(foo, Job) and isinstance(bar, Job) and foo.blocker is not None
    return foo, bar, foo.blocker


def test_job_waits_for_its_own_event() -> None:
    """And not for another one."""
    foo, _, event = _world()
    assert waits_for(foo, event)
    assert not waits_for(foo, Emission("other"))


def test_job_waits_by_way_of_another_one() -> None:
    """For the event that holds up the job that its own event has started."""
    foo, bar, event = _world()
    assert bar.blocker is not None
    assert waits_for(foo, bar.blocker)
    assert not waits_for(bar, event)


def test_event_that_a_job_waits_for_is_not_blocked() -> None:
    """Others are, and with strict all."""
    for strict in (False, True):
        foo, _, event = _world(strict)
        before, other = event.blockers, Emission("other")
        block(foo, [event, other])
        assert (event.blockers - before, other.blockers) == (strict, 1)
