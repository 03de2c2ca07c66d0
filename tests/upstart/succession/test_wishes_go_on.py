"""What was wished, and what had happened, before a supervisor was killed."""

from upstart.machine import ends

from .conftest import Keep

NAP = "exec sleep 300"


def test_stop_keeps_its_variables(keep: Keep) -> None:
    """For the stages that are still to come."""
    world = keep(foo=f"{NAP}\npre-stop exec announce\npost-stop exec clean")
    world.stages.does["foo", "pre-stop"] = ends(after=1.0)
    world.wish("start", "foo")
    world.wish("stop", "foo", "X=1")
    after = world.killed()
    after.after(2.0)
    assert "1" == after.variables("foo", "post-stop")["X"]


def test_restart_with_pre_stop_is_still_one(keep: Keep) -> None:
    """It is not taken for a stop that a start has undone."""
    world = keep(foo=f"{NAP}\npre-stop exec announce")
    world.stages.does["foo", "pre-stop"] = ends(after=1.0)
    world.wish("start", "foo")
    before = world.pid()
    world.wish("restart", "foo")
    after = world.killed()
    after.after(2.0)
    assert "start/running" == after.status("foo")
    assert before != after.pid()


def test_start_that_waits_for_an_end_keeps_its_variables(keep: Keep) -> None:
    """The job begins with them when its post-stop has ended."""
    world = keep(foo=f"{NAP}\npost-stop exec clean")
    world.stages.does["foo", "post-stop"] = ends(after=1.0)
    world.wish("start", "foo", "A=1")
    world.wish("stop", "foo")
    world.wish("start", "foo", "B=2")
    after = world.killed()
    after.after(2.0)
    assert "start/running" == after.status("foo")
    assert "2" == after.variables("foo")["B"]
    assert "A" not in after.variables("foo")


def test_failure_is_told_when_the_job_has_come_to_rest(keep: Keep) -> None:
    """Also if the process that failed ended under the supervisor before."""
    world = keep(
        foo=f"{NAP}\npre-start exec prepare\npost-stop exec clean",
        bar=f"start on stopped foo PROCESS=pre-start EXIT_STATUS=3\n{NAP}",
    )
    world.stages.does["foo", "pre-start"] = ends(3)
    world.stages.does["foo", "post-stop"] = ends(after=1.0)
    world.wish("start", "foo")
    after = world.killed()
    assert "stop/waiting" == after.status("bar")
    after.after(2.0)
    assert "start/running" == after.status("bar")


def test_half_of_a_stop_condition_is_remembered(keep: Keep) -> None:
    """The other half is enough then."""
    world = keep(foo=f"stop on a and b\n{NAP}")
    world.wish("start", "foo")
    world.wish("emit", "a")
    after = world.killed()
    after.wish("emit", "b")
    assert "stop/waiting" == after.status("foo")


def test_event_that_is_still_blocked_is_not_seen_again(keep: Keep) -> None:
    """A task that has ended does not run a second time."""
    world = keep(
        foo=f"start on go\npre-start exec prepare\n{NAP}", note="start on go\ntask\nexec x"
    )
    world.stages.does["note", "main"] = ends()
    world.stages.does["foo", "pre-start"] = ends(after=1.0)
    world.wish("emit", "go")
    assert (["main"], "stop/waiting") == (world.stages_of("note"), world.status("note"))
    after = world.killed()
    after.stages.does["foo", "pre-start"] = ends()
    after.after(2.0)
    assert "start/running" == after.status("foo")
    assert [] == after.stages_of("note")
