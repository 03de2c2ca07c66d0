"""One instance of a job through its life, on declared processes."""

import pytest

from ssd.upstart.processes import confinement
from upstart.machine import World, ends

EVERY = """
exec main
pre-start exec x
post-start exec x
pre-stop exec x
post-stop exec x
"""
RECORDER = "start on starting or started or stopping or stopped\ntask\ninstance $N\n"


def _recorded(world: World) -> list[str]:
    """Have the events of the jobs kept, in words."""
    seen: list[str] = []
    see = world.jobs.emissions._see

    def keep(emission: object) -> None:
        seen.append(" ".join([emission.name, *emission.pairs]))  # type: ignore[attr-defined]
        see(emission)  # type: ignore[arg-type]

    world.jobs.emissions._see = keep
    return seen


def test_start_runs_and_answers_when_it_runs() -> None:
    """A start runs and answers when it runs."""
    world = World(foo="exec main")
    assert world.wish("start", "foo") == "done"
    assert world.status("foo") == "start/running"
    pid = world.jobs.units["foo"].main
    assert pid is not None
    assert world.jobs.find("foo").status() == f"foo start/running, process {pid.pid}"


def test_every_stage_runs_in_its_order() -> None:
    """Every stage runs in its order."""
    world = World(foo=EVERY)
    for stage in ("pre-start", "post-start", "pre-stop", "post-stop"):
        world.stages.does["foo", stage] = ends()
    seen = _recorded(world)
    assert world.wish("start", "foo") == "done"
    assert world.stages_of("foo") == ["pre-start", "main", "post-start"]
    assert world.wish("stop", "foo") == "done"
    assert world.stages_of("foo")[3:] == ["pre-stop", "post-stop"]
    assert seen == [
        "starting JOB=foo INSTANCE=", "started JOB=foo INSTANCE=",
        "stopping JOB=foo INSTANCE= RESULT=ok", "stopped JOB=foo INSTANCE= RESULT=ok",
    ]  # fmt: skip


def test_job_without_any_process_runs() -> None:
    """A job without any process runs."""
    world = World(foo="")
    assert world.wish("start", "foo") == "done"
    assert world.status("foo") == "start/running"
    assert world.wish("stop", "foo") == "done"
    assert world.status("foo") == "stop/waiting"


def test_failing_pre_start_fails_the_start_and_runs_post_stop() -> None:
    """A failing pre start fails the start and runs post stop."""
    world = World(foo=EVERY)
    world.stages.does["foo", "pre-start"] = ends(1)
    world.stages.does["foo", "post-stop"] = ends()
    seen = _recorded(world)
    assert world.wish("start", "foo") == "Job failed to start"
    assert world.stages_of("foo") == ["pre-start", "post-stop"]
    failed = "RESULT=failed PROCESS=pre-start EXIT_STATUS=1"
    assert seen[1:] == [f"{name} JOB=foo INSTANCE= {failed}" for name in ("stopping", "stopped")]
    assert world.told[0].startswith("foo pre-start process (")
    assert world.told[0].endswith(") terminated with status 1")


def test_killed_pre_start_has_a_signal() -> None:
    """A killed pre start has a signal."""
    world = World(foo=EVERY)
    world.stages.does["foo", "pre-start"] = ends(-9)
    world.stages.does["foo", "post-stop"] = ends()
    seen = _recorded(world)
    world.wish("start", "foo")
    assert seen[-1].endswith("RESULT=failed PROCESS=pre-start EXIT_SIGNAL=KILL")


def test_program_that_cannot_be_executed_fails_without_a_status() -> None:
    """A program that cannot be executed fails without a status."""
    world = World(foo="exec main")
    world.stages.does["foo", "main"] = "unable to execute: No such file or directory"
    seen = _recorded(world)
    assert world.wish("start", "foo") == "Job failed to start"
    assert seen[-1] == "stopped JOB=foo INSTANCE= RESULT=failed PROCESS=main"
    assert world.told == [
        "Failed to spawn foo main process: unable to execute: No such file or directory"
    ]


def test_failing_post_start_is_ignored() -> None:
    """A failing post start is ignored."""
    world = World(foo="exec main\npost-start exec x")
    world.stages.does["foo", "post-start"] = ends(1)
    assert world.wish("start", "foo") == "done"
    assert world.status("foo") == "start/running"


def test_post_start_that_cannot_be_executed_is_ignored() -> None:
    """A post start that cannot be executed is ignored."""
    world = World(foo="exec main\npost-start exec x")
    world.stages.does["foo", "post-start"] = "unable to execute"
    assert world.wish("start", "foo") == "done"
    assert world.status("foo") == "start/running"


def test_failing_post_stop_fails_the_stop_and_it_is_stopped() -> None:
    """A failing post stop fails the stop and it is stopped."""
    world = World(foo="exec main\npost-stop exec x")
    world.stages.does["foo", "post-stop"] = ends(1)
    world.wish("start", "foo")
    assert world.wish("stop", "foo") == "Job failed while stopping"
    assert world.status("foo") == "stop/waiting"


def test_task_answers_when_it_has_ended() -> None:
    """A task answers when it has ended."""
    world = World(foo="task\nexec main")
    world.stages.does["foo", "main"] = ends(0, after=1)
    assert world.wish("start", "foo") == ""
    assert world.status("foo") == "start/running"
    world.after(1)
    assert world.answers["start foo"] == "done"
    assert world.status("foo") == "stop/waiting"
    assert world.jobs.units["foo"].completed


def test_stop_answers_a_waiting_start() -> None:
    """A stop answers a waiting start."""
    world = World(foo="exec main\npre-start exec x")
    assert world.wish("start", "foo") == ""
    assert world.wish("stop", "foo") == ""
    assert world.answers["start foo"] == "done"
    assert world.status("foo") == "stop/pre-start"


def test_stop_ends_pre_start_after_the_kill_timeout() -> None:
    """A stop ends pre start after the kill timeout."""
    world = World(foo="exec main\npre-start exec x\nkill timeout 3")
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.after(2.9)
    assert world.status("foo") == "stop/pre-start"
    world.after(0.2)
    assert world.answers["stop foo"] == "done"
    assert world.status("foo") == "stop/waiting"


def test_pre_start_that_ignores_the_signal_is_killed() -> None:
    """A pre start that ignores the signal is killed."""
    world = World(foo="exec main\npre-start exec x\nkill timeout 3")
    world.stages.does["foo", "pre-start"] = lambda process: process.reactions.update(
        {15: lambda process: None}
    )
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.after(5.9)
    assert world.status("foo") == "stop/pre-start"
    world.after(0.2)
    assert world.status("foo") == "stop/waiting"


def test_strict_waits_for_pre_start_as_long_as_it_takes() -> None:
    """Strict waits for pre start as long as it takes."""
    world = World(strict=True, foo="exec main\npre-start exec x")
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.after(1000)
    assert world.status("foo") == "stop/pre-start"


def test_start_that_comes_back_saves_pre_start() -> None:
    """A start that comes back saves pre start."""
    world = World(foo="exec main\npre-start exec x\nkill timeout 3")
    world.stages.does["foo", "pre-start"] = ends(0, after=10)
    world.wish("start", "foo")
    world.wish("stop", "foo")
    assert world.wish("start", "foo") == ""
    world.after(10)
    assert world.answers["start foo"] == "done"
    assert world.status("foo") == "start/running"


def test_pre_stop_may_undo_the_stop() -> None:
    """Pre stop may undo the stop."""
    world = World(foo="exec main\npre-stop exec x")
    world.stages.does["foo", "pre-stop"] = ends(0, after=1)
    world.wish("start", "foo")
    assert world.wish("stop", "foo") == ""
    assert world.wish("start", "foo") == ""
    assert world.answers["stop foo"] == "done"
    world.after(1)
    assert world.answers["start foo"] == "done"
    assert world.status("foo") == "start/running"
    assert world.stages_of("foo") == ["main", "pre-stop"]


def test_restart_gets_the_new_variables_only() -> None:
    """A restart gets the new variables only."""
    world = World(foo="env A=1\nexec main")
    world.wish("start", "foo", "B=2")
    assert world.variables("foo") == {
        "A": "1", "B": "2", "UPSTART_JOB": "foo", "UPSTART_INSTANCE": "",
    }  # fmt: skip
    assert world.wish("restart", "foo", "C=3") == "done"
    assert world.variables("foo") == {
        "A": "1", "C": "3", "UPSTART_JOB": "foo", "UPSTART_INSTANCE": "",
    }  # fmt: skip


def test_restart_with_pre_stop_restarts() -> None:
    """A restart with pre stop restarts."""
    world = World(foo="exec main\npre-stop exec x")
    world.stages.does["foo", "pre-stop"] = ends()
    world.wish("start", "foo")
    assert world.wish("restart", "foo") == "done"
    assert world.stages_of("foo") == ["main", "pre-stop", "main"]


def test_strict_restart_with_pre_stop_does_not_restart() -> None:
    """A strict restart with pre stop does not restart."""
    world = World(strict=True, foo="exec main\npre-stop exec x")
    world.stages.does["foo", "pre-stop"] = ends()
    world.wish("start", "foo")
    assert world.wish("restart", "foo") == "done"
    assert world.stages_of("foo") == ["main", "pre-stop"]


def test_restart_has_no_stopped_event() -> None:
    """A restart has no stopped event."""
    world = World(foo="exec main")
    world.wish("start", "foo")
    seen = _recorded(world)
    world.wish("restart", "foo")
    assert [words.split()[0] for words in seen] == ["stopping", "starting", "started"]


def test_shutdown_stops_all_and_is_over_then() -> None:
    """A shutdown stops all and is over then."""
    world = World(foo="exec main", bar="start on stopped foo\nexec main")
    world.wish("start", "foo")
    world.jobs.shutdown()
    assert world.jobs.advance()
    assert world.status("foo") == "stop/waiting"
    assert world.stages_of("bar") == []


def test_shutdown_lets_tasks_run_before_a_job_stops() -> None:
    """A shutdown lets tasks run before a job stops."""
    world = World(foo="exec main", bar="start on stopping foo\ntask\nexec main")
    world.stages.does["bar", "main"] = ends(0, after=1)
    world.wish("start", "foo")
    world.jobs.shutdown()
    assert not world.jobs.advance()
    assert world.status("foo") == "stop/stopping"
    world.after(1)
    assert world.stages_of("bar") == ["main"]
    assert world.jobs.advance()


def test_shutdown_in_a_hurry_waits_for_nothing() -> None:
    """It kills what a task holds up, and that task; no further stage begins."""
    world = World(
        foo="exec main\npost-stop exec post", bar="start on stopping foo\ntask\nexec main",
        baz="start on stopping bar\ntask\nexec main",
    )  # fmt: skip
    world.wish("start", "foo")
    world.jobs.shutdown()
    world.settle()
    assert world.status("bar") == "start/running"
    world.jobs.hurry()
    world.settle()
    assert world.jobs.advance()
    assert ["main"] == world.stages_of("foo") == world.stages_of("bar")
    assert [] == world.stages_of("baz")


def test_start_during_a_shutdown_is_refused() -> None:
    """It would hold it up for ever; a task comes to an end."""
    world = World(foo="exec main\nkill timeout 100", bar="exec main", baz="task\nexec main")
    world.stages.does["baz", "main"] = ends(0)
    world.stages.does["foo", "main"] = lambda process: process.reactions.update(
        {15: lambda process: None}
    )
    world.wish("start", "foo")
    world.jobs.shutdown()
    world.settle()
    assert "Job failed to start" == world.wish("start", "bar")
    assert "Job failed to start" == world.wish("start", "foo")
    assert "done" == world.wish("start", "baz")
    assert ["main"] == world.stages_of("foo")


def test_exported_variables_are_in_the_events() -> None:
    """Exported variables are in the events."""
    world = World(foo="env A=1\nexport A B\nexec main")
    seen = _recorded(world)
    world.wish("start", "foo", "B=2")
    assert seen[0] == "starting JOB=foo INSTANCE= A=1 B=2"


@pytest.mark.parametrize("available", [False, True])
def test_profile_is_loaded_where_there_is_apparmor(
    available: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere the stage is left out, and the job runs all the same."""
    monkeypatch.setattr(confinement, "is_available", lambda: available)
    world = World(foo="apparmor load /etc/profile\nexec main")
    world.stages.does["foo", "security"] = ends()
    assert "done" == world.wish("start", "foo")
    assert ["security"] * available + ["main"] == world.stages_of("foo")


def test_profile_that_cannot_be_loaded_fails_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job must not run unconfined."""
    monkeypatch.setattr(confinement, "is_available", lambda: True)
    world = World(foo="apparmor load /etc/profile\nexec main")
    world.stages.does["foo", "security"] = ends(1)
    assert "Job failed to start" == world.wish("start", "foo")
    assert ["security"] == world.stages_of("foo")
