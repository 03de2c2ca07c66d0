"""Which jobs an event may concern."""

from upstart.machine import World


def _of(world: World, event: str) -> list[str]:
    return [job_class.name for job_class in world.jobs.hearers.of(event)]


def test_jobs_are_found_by_both_conditions() -> None:
    """Each once, however often it names the event."""
    world = World(foo="start on go A=1 or go A=2\nstop on go", bar="stop on go or halt", baz="")
    assert _of(world, "go") == ["foo", "bar"]
    assert _of(world, "halt") == ["bar"]
    assert _of(world, "other") == []


def test_changed_and_removed_jobs_are_found_anew() -> None:
    """A changed file counts when nothing of the old one lives."""
    world = World(foo="start on go\nexec main")
    world.wish("start", "foo")
    world.define("foo", "start on come\nexec main")
    assert _of(world, "go") == ["foo"]
    world.wish("stop", "foo")
    assert _of(world, "go") == []
    assert _of(world, "come") == ["foo"]
    world.jobs.undefine("foo")
    assert _of(world, "come") == []
