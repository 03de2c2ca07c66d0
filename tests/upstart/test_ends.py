"""Ends of a job's processes, on declared processes."""

import pytest

from upstart.machine import World, ends


def test_main_process_that_ends_stops_the_job() -> None:
    """A main process that ends stops the job."""
    world = World(foo="exec main")
    world.stages.does["foo", "main"] = ends(0, after=1)
    world.wish("start", "foo")
    world.after(1)
    assert world.status("foo") == "stop/waiting"
    assert world.told == []


def test_killed_main_process_is_a_failure() -> None:
    """A killed main process is a failure."""
    world = World(foo="exec main\npost-stop exec x")
    world.stages.does["foo", "post-stop"] = ends()
    world.wish("start", "foo")
    world.kill("foo")
    assert world.status("foo") == "stop/waiting"
    assert world.stages_of("foo") == ["main", "post-stop"]
    assert world.told[0].endswith("killed by KILL signal")


@pytest.mark.parametrize(("normal", "status"), [("3", 3), ("TERM", -15), ("SIGTERM", -15)])
def test_normal_exit_is_no_failure_and_not_told(normal: str, status: int) -> None:
    """A normal exit is no failure and not told."""
    world = World(foo=f"normal exit 0 {normal}\nexec main", bar="start on stopped foo RESULT=ok")
    world.stages.does["foo", "main"] = ends(status, after=1)
    world.wish("start", "foo")
    world.after(1)
    assert world.status("foo") == "stop/waiting"
    assert world.status("bar") == "start/running"
    assert world.told == []


def test_service_with_respawn_comes_back_even_after_success() -> None:
    """A service with respawn comes back even after success."""
    world = World(foo="respawn\nexec main")
    world.stages.does["foo", "main"] = ends(0, after=1)
    world.wish("start", "foo")
    world.after(1)
    assert world.status("foo") == "start/running"
    assert world.stages_of("foo") == ["main", "main"]
    assert world.told == ["foo main process ended, respawning"]


def test_task_with_respawn_comes_back_only_after_a_failure() -> None:
    """A task with respawn comes back only after a failure."""
    world = World(foo="task\nrespawn\nexec main")
    world.stages.does["foo", "main"] = ends(0)
    assert world.wish("start", "foo") == "done"
    assert world.stages_of("foo") == ["main"]


def test_normal_exit_ends_respawning() -> None:
    """A normal exit ends respawning."""
    world = World(foo="respawn\nnormal exit 0\nexec main")
    world.stages.does["foo", "main"] = ends(0, after=1)
    world.wish("start", "foo")
    world.after(1)
    assert world.status("foo") == "stop/waiting"


def test_default_limit_is_ten_respawns_in_five_seconds() -> None:
    """The default limit is ten respawns in five seconds."""
    world = World(foo="respawn\nexec main", bar="start on stopped foo PROCESS=respawn")
    world.stages.does["foo", "main"] = ends(0)
    world.wish("start", "foo")
    world.after(1)
    assert world.stages_of("foo") == ["main"] * 11
    assert world.told[-1] == "foo respawning too fast, stopped"
    assert world.status("bar") == "start/running"


def test_unlimited_respawns_go_on() -> None:
    """Unlimited respawns go on."""
    world = World(foo="respawn\nrespawn limit unlimited\nexec main")
    world.stages.does["foo", "main"] = ends(0, after=0.1)
    world.wish("start", "foo")
    world.after(5)
    assert len(world.stages_of("foo")) >= 49
    said = [event for event in world.events if "is started again now" in event]
    assert said[1].endswith("(attempt 2)"), "although no limit counts them"


def test_respawn_limit_alone_does_not_respawn() -> None:
    """Respawn limit alone does not respawn."""
    world = World(foo="respawn limit 5 5\nexec main")
    world.wish("start", "foo")
    world.kill("foo")
    assert world.status("foo") == "stop/waiting"


def test_stop_and_a_start_count_anew_and_a_restart_does_not() -> None:
    """A stop and a start count anew and a restart does not."""
    world = World(foo="respawn\nrespawn limit 1 20\nexec main")
    world.wish("start", "foo")
    world.kill("foo")
    world.wish("stop", "foo")
    world.wish("start", "foo")
    world.kill("foo")
    assert world.status("foo") == "start/running"
    world.wish("restart", "foo")
    world.kill("foo")
    assert world.status("foo") == "stop/waiting"


def test_pre_start_that_fails_ends_respawning() -> None:
    """A pre start that fails ends respawning."""
    world = World(foo="respawn\npre-start exec x\nexec main")
    world.stages.does["foo", "pre-start"] = ends()
    world.wish("start", "foo")
    world.stages.does["foo", "pre-start"] = ends(1)
    world.kill("foo")
    assert world.status("foo") == "stop/waiting"


def test_main_process_that_fails_during_post_start_waits_for_it() -> None:
    """A main process that fails during post start waits for it."""
    world = World(foo="exec main\npost-start exec x")
    world.stages.does["foo", "main"] = ends(4, after=0.3)
    world.stages.does["foo", "post-start"] = ends(0, after=1)
    assert world.wish("start", "foo") == ""
    world.after(0.3)
    assert world.answers["start foo"] == "Job failed to start"
    assert world.status("foo") == "stop/post-start"
    pid = world.jobs.find("foo").processes["post-start"].pid
    told = f"foo stop/post-start, (post-start) process {pid}"
    assert world.jobs.find("foo").status() == told
    world.after(0.7)
    assert world.status("foo") == "stop/waiting"


def test_main_process_that_ends_during_post_start_is_respawned() -> None:
    """A main process that ends during post start is respawned after it."""
    world = World(foo="respawn\nexec main\npost-start exec x")
    world.stages.does["foo", "main"] = ends(4, after=0.3)
    world.stages.does["foo", "post-start"] = ends(0, after=1)
    world.wish("start", "foo")
    world.after(0.3)
    assert world.status("foo") == "respawn/post-start"
    del world.stages.does["foo", "main"]
    world.after(0.7)
    assert world.stages_of("foo") == ["main", "post-start", "main", "post-start"]
    assert world.status("foo") == "start/post-start"


def test_stop_kills_after_the_kill_timeout() -> None:
    """A stop kills after the kill timeout."""
    world = World(foo="kill timeout 2\nexec main")
    world.stages.does["foo", "main"] = lambda process: process.reactions.update(
        {15: lambda process: None}
    )
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.after(1.9)
    assert world.status("foo") == "stop/killed"
    world.after(0.2)
    assert world.status("foo") == "stop/waiting"
    assert world.told[-1].endswith("killed by KILL signal")


@pytest.mark.parametrize(("signal", "number"), [("INT", 2), ("SIGUSR1", 10), ("2", 2)])
def test_stop_sends_the_kill_signal(signal: str, number: int) -> None:
    """A stop sends the kill signal."""
    world = World(foo=f"kill signal {signal}\nexec main")
    world.wish("start", "foo")
    world.wish("stop", "foo")
    assert [each.signum for each in world.table.signals] == [number]


def test_start_during_the_stop_comes_after_it() -> None:
    """A start during the stop comes after it."""
    world = World(foo="kill timeout 2\nexec main\npost-stop exec x")
    world.stages.does["foo", "post-stop"] = ends()
    world.stages.does["foo", "main"] = lambda process: process.reactions.update(
        {15: lambda process: None}
    )
    world.wish("start", "foo")
    world.wish("stop", "foo")
    assert world.wish("start", "foo") == ""
    assert world.answers["stop foo"] == "done"
    world.after(2.1)
    assert world.answers["start foo"] == "done"
    assert world.stages_of("foo") == ["main", "post-stop", "main"]


def test_hurried_shutdown_kills_at_once() -> None:
    """A hurried shutdown kills at once."""
    world = World(foo="exec main\nkill timeout 100")
    world.stages.does["foo", "main"] = lambda process: process.reactions.update(
        {15: lambda process: None}
    )
    world.wish("start", "foo")
    world.jobs.shutdown()
    assert not world.jobs.advance()
    world.jobs.hurry()
    assert world.jobs.advance()


def test_signal_that_there_is_not_is_told_and_the_job_killed() -> None:
    """A stop with a signal that the kernel does not have needs the kill timeout."""
    world = World(foo="kill signal 100\nkill timeout 2\nexec main")
    world.wish("start", "foo")
    assert world.wish("stop", "foo") == ""
    assert world.told == ["Failed to send 100 signal to foo main process (101): Invalid argument"]
    world.after(2)
    assert world.status("foo") == "stop/waiting"
