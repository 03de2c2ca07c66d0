"""Jobs and the events between them, on declared processes."""

import pytest

from upstart.machine import World, ends


def test_unknown_job_is_told() -> None:
    """An unknown job is told."""
    world = World(foo="exec main")
    for verb in ("start", "stop", "restart", "reload"):
        assert world.wish(verb, "nope") == "Unknown job: nope"


def test_job_at_rest_has_no_instance() -> None:
    """A job at rest has no instance."""
    world = World(foo="exec main")
    for verb in ("stop", "restart", "reload"):
        assert world.wish(verb, "foo") == "Unknown instance: "


def test_second_start_and_a_second_stop_are_refused() -> None:
    """A second start and a second stop are refused."""
    world = World(foo="exec main\npost-stop exec x")
    world.wish("start", "foo")
    assert world.wish("start", "foo") == "Job is already running: foo"
    world.wish("stop", "foo")
    assert world.wish("stop", "foo") == "Job has already been stopped: foo"
    assert world.wish("restart", "foo") == "Job has already been stopped: "
    assert world.wish("reload", "foo") == "Job is not running: foo"


def test_variables_must_be_pairs() -> None:
    """Variables must be pairs."""
    world = World(foo="exec main")
    assert world.wish("start", "foo", "extra") == "Env must be KEY=VALUE pairs"
    assert world.wish("emit", "go", "extra") == "Env must be KEY=VALUE pairs"
    assert world.wish("emit", "") == "Name may not be empty string"


def test_instances_live_side_by_side() -> None:
    """Instances live side by side."""
    world = World(foo="instance $N\nexec main")
    assert world.wish("start", "foo") == "Unknown parameter: N"
    assert world.wish("start", "foo", "N=1") == "done"
    assert world.wish("start", "foo", "N=2") == "done"
    assert world.wish("start", "foo", "N=1") == "Job is already running: foo (1)"
    assert world.status("foo (1)") == "start/running"
    assert world.variables("foo (2)")["UPSTART_INSTANCE"] == "2"
    assert world.wish("stop", "foo", "N=3") == "Unknown instance: 3"
    assert world.wish("stop", "foo", "N=1") == "done"
    assert "foo (1)" not in world.jobs.units
    assert world.status("foo (2)") == "start/running"
    assert world.status("foo") == "stop/waiting"


def test_missing_parameter_is_told_with_the_usage() -> None:
    """A missing parameter is told with the usage."""
    world = World(foo="instance $N\nusage 'N=NUMBER'\nexec main")
    assert world.wish("start", "foo") == "Unknown parameter: N\nUsage: N=NUMBER"
    assert world.wish("restart", "foo") == "Unknown parameter: N"


def test_event_starts_and_stops() -> None:
    """An event starts and stops."""
    world = World(foo="start on go\nstop on halt\nexec main\npre-stop exec x")
    world.stages.does["foo", "pre-stop"] = ends()
    assert world.wish("emit", "go", "G=1") == "done"
    assert world.status("foo") == "start/running"
    assert world.wish("emit", "halt", "H=2") == "done"
    assert world.status("foo") == "stop/waiting"
    assert world.variables("foo", "pre-stop") == {
        "G": "1", "H": "2", "UPSTART_EVENTS": "go", "UPSTART_STOP_EVENTS": "halt",
        "UPSTART_JOB": "foo", "UPSTART_INSTANCE": "",
    }  # fmt: skip


def test_instance_is_stopped_by_its_own_device() -> None:
    """An instance is stopped by its own device."""
    world = World(foo="start on added DEV=*\nstop on removed DEV=$DEV\ninstance $DEV\nexec main")
    world.wish("emit", "added", "DEV=x")
    world.wish("emit", "added", "DEV=y")
    world.wish("emit", "removed", "DEV=x")
    assert sorted(world.jobs.units) == ["foo", "foo (y)"]


def test_emitter_waits_for_a_task() -> None:
    """An emitter waits for a task."""
    world = World(foo="start on go\ntask\nexec main")
    world.stages.does["foo", "main"] = ends(0, after=1)
    assert world.wish("emit", "go") == ""
    world.after(1)
    assert world.answers["emit go"] == "done"


def test_failing_task_fails_its_event() -> None:
    """A failing task fails its event."""
    world = World(foo="start on go\ntask\nexec main", bar="start on go/failed\nexec main")
    world.stages.does["foo", "main"] = ends(1)
    assert world.wish("emit", "go") == "Event failed"
    assert world.status("bar") == "start/running"


def test_start_waits_for_what_its_starting_event_starts() -> None:
    """A start waits for what its starting event starts."""
    world = World(foo="exec main", gate="start on starting foo\ntask\nexec main")
    world.stages.does["gate", "main"] = ends(0, after=1)
    assert world.wish("start", "foo") == ""
    assert world.status("foo") == "start/starting"
    world.after(1)
    assert world.answers["start foo"] == "done"


def test_failing_gate_does_not_stop_the_start() -> None:
    """A failing gate does not stop the start."""
    world = World(foo="exec main", gate="start on starting foo\ntask\nexec main")
    world.stages.does["gate", "main"] = ends(1)
    assert world.wish("start", "foo") == "done"


def test_jobs_follow_each_other() -> None:
    """Jobs follow each other."""
    world = World(
        a="exec main",
        b="start on started a\nstop on stopping a\nexec main",
        c="start on stopped b RESULT=ok\nexec main",
    )
    world.wish("start", "a")
    assert world.status("b") == "start/running"
    assert world.wish("stop", "a") == "done"
    assert world.status("b") == "stop/waiting"
    assert world.status("c") == "start/running"
    assert world.variables("c")["JOB"] == "b"


def test_and_keeps_the_first_emitter_waiting() -> None:
    """An and keeps the first emitter waiting."""
    world = World(foo="start on a and b\nexec main")
    assert world.wish("emit", "a", "K=1", "L=2") == ""
    assert world.wish("emit", "b", "K=3", "M=4") == "done"
    assert world.answers["emit a K=1 L=2"] == "done"
    variables = world.variables("foo")
    assert (variables["K"], variables["L"], variables["M"]) == ("3", "2", "4")
    assert variables["UPSTART_EVENTS"] == "a b"


def test_changed_file_counts_when_nothing_of_the_old_one_lives() -> None:
    """A changed file counts when nothing of the old one lives."""
    world = World(foo="env V=1\nexec main")
    world.wish("start", "foo")
    world.define("foo", "env V=2\nstop on halt\nexec main")
    world.wish("restart", "foo")
    assert world.variables("foo")["V"] == "1"
    assert world.jobs.classes["foo"].file.stop_on is None
    world.wish("stop", "foo")
    assert world.jobs.classes["foo"].file.stop_on is not None
    world.wish("start", "foo")
    assert world.variables("foo")["V"] == "2"
    world.wish("emit", "halt")
    assert world.status("foo") == "stop/waiting"


def test_removed_file_leaves_a_job_that_can_be_stopped() -> None:
    """A removed file leaves a job that can be stopped."""
    world = World(foo="exec main")
    world.wish("start", "foo")
    world.jobs.undefine("foo")
    assert world.status("foo") == "start/running"
    assert world.wish("stop", "foo") == "done"
    assert world.wish("start", "foo") == "Unknown job: foo"
    assert "foo" not in world.jobs.units


def test_removed_file_that_comes_back_counts() -> None:
    """A removed file that comes back counts."""
    world = World(foo="exec main")
    world.wish("start", "foo")
    world.jobs.undefine("foo")
    world.define("foo", "env V=2\nexec main")
    world.wish("stop", "foo")
    assert world.wish("start", "foo") == "done"
    assert world.variables("foo")["V"] == "2"


def test_change_of_job_at_rest_counts_at_once_and_frees_waiting() -> None:
    """A change of a job at rest counts at once and frees waiting events."""
    world = World(foo="start on a and b\nexec main")
    assert world.wish("emit", "a") == ""
    world.define("foo", "start on c\nexec main")
    world.settle()
    assert world.answers["emit a"] == "done"
    world.wish("emit", "c")
    assert world.status("foo") == "start/running"


def test_last_file_of_a_name_counts_for_its_unit() -> None:
    """The last file of a name counts for its unit."""
    world = World(foo="exec main")
    world.define("foo", "task\nexec main")
    assert world.jobs.units["foo"].service.task


def test_wishes_by_label_reach_instances() -> None:
    """Wishes by label reach instances."""
    world = World(foo="instance $N\nexec main", bar="exec main")
    world.wish("start", "foo", "N=1")
    world.jobs.restart("foo (1)")
    world.settle()
    assert world.stages_of("foo (1)") == ["main", "main"]
    world.jobs.stop("foo (1)")
    world.jobs.start("bar")
    world.settle()
    assert world.status("bar") == "start/running"
    world.jobs.reload("bar")
    assert [each.signum for each in world.table.signals][-1] == 1


def test_service_events_of_a_start_and_a_stop_are_said() -> None:
    """The service events of a start and a stop are said."""
    world = World(foo="exec main")
    world.wish("start", "foo")
    world.wish("stop", "foo")
    kinds = [words.split(" ", 1)[1].split(" (")[0] for words in world.events]
    assert kinds[0] == "is starting"
    assert "is ready" in kinds
    assert kinds[-1] == "has stopped"


def test_failed_start_is_said_with_its_reason() -> None:
    """A failed start is said with its reason."""
    world = World(foo="exec main\npre-start exec x")
    world.stages.does["foo", "pre-start"] = ends(3)
    world.wish("start", "foo")
    assert "its pre-start process ended with status 3" in " ".join(world.events) or world.events
    assert world.jobs.units["foo"].failure is not None


def test_job_at_rest_frees_the_half_of_its_stop_condition() -> None:
    """An emitter does not wait for a stop that has come in another way."""
    world = World(foo="stop on a and b\nexec main")
    world.wish("start", "foo")
    assert world.wish("emit", "a") == ""
    world.wish("stop", "foo")
    assert world.answers["emit a"] == "done"


def test_jobs_that_set_each_other_off_for_ever_let_others_in() -> None:
    """They have no process that would take time; what others ask for is done all the same."""
    world = World(loop="start on go or stopped loop\nstop on started loop", foo="exec main")
    world.jobs.emit("go")
    done: list[object] = []
    world.jobs.start_job("foo", (), done.append)
    for _ in range(3):
        world.jobs.advance()
        assert world.jobs.until == world.jobs.table.now()
    assert [None] == done
    world.jobs.undefine("loop")
    world.jobs.advance()
    assert world.wish("stop", "foo") == "done"


@pytest.mark.parametrize("event", ["starting", "stopping"])
def test_job_does_not_wait_for_itself(event: str) -> None:
    """A job that an event of its own turns round goes on."""
    text = f"{'stop' if event == 'starting' else 'start'} on {event} foo\nexec main"
    world = World(foo=text)
    world.wish("start", "foo")
    if event == "stopping":
        world.wish("stop", "foo")
    assert world.status("foo") == ("stop/waiting" if event == "starting" else "start/running")


RIVALS = {
    "foo": "start on go\nstop on starting bar\nexec main",
    "bar": "start on go\nstop on starting foo\nexec main",
}


def test_jobs_do_not_wait_for_each_other_in_a_circle() -> None:
    """Two that each stop for the other, and start together, are both stopped."""
    world = World(**RIVALS)
    assert world.wish("emit", "go") == "done"
    assert [world.status(name) for name in RIVALS] == ["stop/waiting", "stop/waiting"]


def test_strict_waits_in_a_circle_and_can_be_ended() -> None:
    """As Upstart; a shutdown that is hurried waits for no event."""
    world = World(strict=True, **RIVALS)
    world.wish("emit", "go")
    assert [world.status(name) for name in RIVALS] == ["stop/starting", "stop/starting"]
    world.jobs.shutdown()
    world.jobs.hurry()
    world.settle()
    assert world.jobs.advance()


@pytest.mark.parametrize("first", ["stop", "shutdown"])
def test_half_true_condition_does_not_hold_up_a_shutdown(first: str) -> None:
    """Whether the event came before the shutdown or by it."""
    world = World(foo="exec main", bar="start on stopping foo and never\nexec main")
    world.wish("start", "foo")
    if first == "stop":
        assert world.wish("stop", "foo") == ""
        assert world.status("foo") == "stop/stopping"
    world.jobs.shutdown()
    world.settle()
    assert world.jobs.advance()


@pytest.mark.parametrize("text", ["${N", "${N*}", "${N:-" * 2000 + "}" * 2000])
def test_instance_that_cannot_be_named_is_told(text: str) -> None:
    """The event, and the engine, go on."""
    world = World(foo=f"start on go\ninstance {text}\nexec main", bar="start on go\nexec main")
    assert world.wish("emit", "go") == "done"
    assert world.told[0].startswith("Failed to obtain foo instance: ")
    assert world.wish("start", "foo") != "done"
    assert world.status("bar") == "start/running"
