"""Wishes that meet each other, and ends that meet wishes, on declared processes."""

import pytest

from ssd.upstart import Job, ends
from upstart import machine
from upstart.machine import World


def job_of(world: World, label: str = "foo") -> Job:
    """Return an instance."""
    unit = world.jobs.units[label]
    assert isinstance(unit, Job)
    return unit


@pytest.mark.parametrize("stage", ["security", "pre-start", "post-start"])
def test_stop_ends_each_stage_on_the_way_up(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the kill timeout, to the fraction of a second; in strict mode it waits."""
    monkeypatch.setattr("ssd.upstart.processes.confinement.is_available", lambda: True)
    declared = "apparmor load /p" if stage == "security" else f"{stage} exec x"
    for strict in (False, True):
        world = World(strict=strict, foo=f"exec main\n{declared}\nkill timeout 1")
        world.wish("start", "foo")
        world.after(0.7)
        world.wish("stop", "foo")
        world.after(0.9)
        assert f"stop/{stage}" == world.status("foo")
        world.after(0.2)
        assert (f"stop/{stage}" if strict else "stop/waiting") == world.status("foo")


def test_kill_timeout_is_not_rounded_to_seconds() -> None:
    """Upstart counts seconds of its clock, so that one second may be none."""
    world = World(foo="exec main\nkill timeout 1")
    world.stages.does["foo", "main"] = lambda process: process.reactions.update(
        {15: lambda process: None}
    )
    world.wish("start", "foo")
    world.after(0.9)
    world.wish("stop", "foo")
    world.after(0.99)
    assert "stop/killed" == world.status("foo")
    world.after(0.02)
    assert "stop/waiting" == world.status("foo")


def test_new_start_saves_the_pre_start_of_a_stop() -> None:
    """It runs on after the kill timeout of that stop, and the job starts when it has ended."""
    world = World(foo="exec main\npre-start exec x\nkill timeout 3")
    world.stages.does["foo", "pre-start"] = machine.ends(0, after=10)
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.wish("start", "foo")
    world.after(9.9)
    assert "start/pre-start" == world.status("foo")


def test_stop_of_a_program_that_is_to_fork_ends_it() -> None:
    """Its children are no daemons any more: they are left alone, and the job is stopped."""
    world = World(foo="exec main\nexpect fork")
    children = []
    world.stages.does["foo", "main"] = lambda process: children.append(process.fork())
    world.wish("start", "foo")
    world.after(2)
    children[0].group = children[0].pid  # setpgid(2)
    assert "start/spawned" == world.status("foo")
    assert "done" == world.wish("stop", "foo")
    assert "stop/waiting" == world.status("foo")
    assert not children[0].ended


def test_strict_stop_waits_for_the_fork_that_does_not_come() -> None:
    """As long as it takes; the process is not killed."""
    world = World(strict=True, foo="exec main\nexpect fork")
    world.wish("start", "foo")
    assert "" == world.wish("stop", "foo")
    world.after(1000)
    assert "stop/spawned" == world.status("foo")
    assert job_of(world).main is not None


def test_stop_signals_the_group_of_the_main_process() -> None:
    """Its children in the group get the signal, those in a session of their own do not."""
    world = World(foo="exec main")
    children = []

    def forks(process: machine.FakeProcess) -> None:
        children.extend([process.fork(), process.fork()])
        children[1].lead()

    world.stages.does["foo", "main"] = forks
    world.wish("start", "foo")
    assert "done" == world.wish("stop", "foo")
    assert [True, False] == [child.ended for child in children]


def test_stop_signals_a_process_alone_that_leads_no_group() -> None:
    """Others have that group, and it may be anybody's."""
    world = World(foo="exec main")
    other = world.table.add("other")

    def joins(process: machine.FakeProcess) -> None:
        process.group = other.group

    world.stages.does["foo", "main"] = joins
    world.wish("start", "foo")
    assert "done" == world.wish("stop", "foo")
    assert not other.ended


def test_variables_of_a_stop_are_those_of_its_own_stages_only() -> None:
    """A job that was started anew, or whose stop was undone, has them no more."""
    world = World(foo="exec main\npre-stop exec x\npost-stop exec y")
    world.stages.does["foo", "pre-stop"] = machine.ends(0, after=1)
    world.stages.does["foo", "post-stop"] = machine.ends(0, after=1)
    world.wish("start", "foo")
    world.wish("stop", "foo", "X=1")
    assert "1" == world.variables("foo", "pre-stop")["X"]
    world.wish("start", "foo")  # undoes it
    world.after(1)
    world.kill("foo")
    assert "X" not in world.variables("foo", "post-stop")
    world.after(1)
    world.wish("start", "foo")
    world.wish("stop", "foo", "X=2")
    world.after(1.5)
    assert "2" == world.variables("foo", "post-stop")["X"]
    world.wish("start", "foo")  # while post-stop runs
    world.after(1)
    assert "start/running" == world.status("foo")
    world.kill("foo")
    assert "X" not in world.variables("foo", "post-stop")


def test_stop_takes_the_place_of_a_restart() -> None:
    """What then undoes the stop does not bring the restart back."""
    world = World(foo="exec main\npre-stop exec x")
    world.stages.does["foo", "pre-stop"] = machine.ends(0, after=1)
    world.wish("start", "foo")
    world.wish("restart", "foo")
    world.wish("stop", "foo")
    world.wish("start", "foo")
    world.after(2)
    assert "start/running" == world.status("foo")
    assert ["main", "pre-stop"] == world.stages_of("foo")


def test_restart_forgets_the_variables_of_a_stop() -> None:
    """That was undone before it had come far."""
    world = World(foo="exec main\npost-stop exec y", gate="start on stopping foo\ntask\nexec x")
    world.stages.does["gate", "main"] = machine.ends(0, after=5)
    world.wish("start", "foo")
    world.wish("stop", "foo", "X=1")
    world.wish("start", "foo")
    world.wish("restart", "foo")
    world.after(5)
    assert "X" not in world.variables("foo", "post-stop")


def test_end_of_main_does_not_cut_the_event_stopping_short() -> None:
    """The task that it has set off comes to its end before the job goes on."""
    world = World(foo="exec main", gate="start on stopping foo\ntask\nexec x")
    world.stages.does["gate", "main"] = machine.ends(0, after=5)
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.kill("foo")
    assert "stop/stopping" == world.status("foo")
    world.after(5)
    assert "stop/waiting" == world.status("foo")


def test_first_failure_is_the_one_that_is_told() -> None:
    """A post-stop that fails, too, does not hide why the start has failed."""
    world = World(
        foo="exec main\npre-start exec x\npost-stop exec y",
        bar="start on stopped foo PROCESS=pre-start EXIT_STATUS=1",
    )
    world.stages.does["foo", "pre-start"] = machine.ends(1)
    world.stages.does["foo", "post-stop"] = machine.ends(2)
    assert "Job failed to start" == world.wish("start", "foo")
    assert "start/running" == world.status("bar")
    assert "its pre-start process exited with status 1" == job_of(world).failure


def test_end_of_a_former_process_changes_nothing() -> None:
    """Its notice may come after a restart, in the same turn."""
    world = World(foo="exec main")
    world.wish("start", "foo")
    former = job_of(world).main
    assert former is not None
    world.wish("restart", "foo")
    present = job_of(world).main
    ends.look(job_of(world), "main", former)
    world.settle()
    assert present is job_of(world).main
    assert "start/running" == world.status("foo")


def test_jobs_of_a_session_know_their_supervisor() -> None:
    """By UPSTART_SESSION, which the system's jobs do not have."""
    world = World(foo="exec main")
    world.wish("start", "foo")
    assert "UPSTART_SESSION" not in world.variables("foo")
    world.jobs.session = "/run/it"
    world.wish("restart", "foo")
    assert "/run/it" == world.variables("foo")["UPSTART_SESSION"]
