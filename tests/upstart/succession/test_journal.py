"""The lines of a supervisor of jobs: one for each instance, and what is known besides."""

from upstart.machine import ends

from .conftest import Keep

NAP = "exec sleep 300"


def test_line_of_an_instance_goes_with_it(keep: Keep) -> None:
    """While it lives, the last one counts."""
    world = keep(foo=f"pre-start exec prepare\n{NAP}", bar=f"instance $N\n{NAP}")
    assert {""} == world.past().records.keys()
    world.wish("start", "foo")
    record = world.past().records["foo"]
    pre_start = world.jobs.units["foo"].processes["pre-start"]  # type: ignore[attr-defined]
    assert {"pre-start": [pre_start.pid, pre_start.start_time]} == record["processes"]
    pre_start.signal(15)
    world.settle()
    assert {""} == world.past().records.keys()
    world.wish("start", "bar", "N=1")
    record = world.past().records["bar (1)"]
    assert ("bar", "1", "start", "running") == tuple(
        record[key] for key in ("job", "instance", "goal", "state")
    )
    world.wish("stop", "bar", "N=1")
    assert {""} == world.past().records.keys()


def test_renewed_journal_has_what_lives(keep: Keep) -> None:
    """And what has come true of conditions in part."""
    world = keep(foo=NAP, bar=NAP, baz=f"start on a and b\n{NAP}")
    world.wish("start", "foo")
    world.wish("emit", "a", "A=1")
    size = world.journal.size
    assert world.journal.renew() is None
    assert size > world.journal.size
    records = world.past().records
    assert {"", "foo", "%half baz"} == records.keys()
    assert [["a", ["A=1"]]] == records["%half baz"]["seen"]


def test_start_is_written_before_the_process(keep: Keep) -> None:
    """So a successor looks for it."""
    world = keep(foo=NAP)
    seen = []
    world.stages.does["foo", "main"] = lambda process: seen.append(world.past().records["foo"])
    world.wish("start", "foo")
    (record,) = seen
    assert ("spawned", None) == (record["state"], record.get("processes"))


def test_end_in_order_is_written(keep: Keep) -> None:
    """Nothing counts after it."""
    world = keep(foo=NAP)
    world.stages.does["foo", "main"] = ends()
    world.wish("start", "foo")
    world.jobs.shutdown()
    world.settle()
    world.jobs.close()
    assert {} == world.past().records
