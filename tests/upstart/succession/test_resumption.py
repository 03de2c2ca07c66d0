"""Jobs whose supervisor was killed, and what the next one does with them."""

import pytest

from ssd.testing import ignores
from upstart.machine import ends

from .conftest import Keep
from .kept import Kept

NAP = "exec sleep 300"
ALL = f"""{NAP}
pre-start exec prepare
post-start exec greet
pre-stop exec announce
post-stop exec clean
kill timeout 5
"""


def test_job_that_runs_is_not_started_again(keep: Keep) -> None:
    """It has the same process, and can be stopped; its last stage runs with its variables."""
    world = keep(foo=f"{NAP}\npost-stop exec clean")
    world.wish("start", "foo", "A=1")
    pid, status = world.pid(), world.jobs.units["foo"].status()  # type: ignore[attr-defined]
    after = world.killed()
    after.settle()
    assert after.resumed and after.reported == []
    assert (pid, status, []) == (
        after.pid(), after.jobs.units["foo"].status(), after.stages.started,  # type: ignore[attr-defined]
    )  # fmt: skip
    assert f"foo is taken over: it runs as process {pid}" in after.events
    assert "Job is already running: foo" == after.wish("start", "foo")
    after.stages.does["foo", "post-stop"] = ends()
    after.wish("stop", "foo", "B=2")
    after.settle()
    assert "stop/waiting" == after.status("foo")
    seen = after.variables("foo", "post-stop")
    assert ("1", "2") == (seen["A"], seen["B"])


def test_each_state_goes_on_where_it_was(keep: Keep) -> None:
    """Whatever stage was running when the supervisor was killed, it is started once."""
    for stage in ("pre-start", "post-start"):
        world = keep(foo=ALL)
        for each in ("pre-start", "post-start", "pre-stop", "post-stop"):
            world.stages.does["foo", each] = ends(after=1.0 if each == stage else 0.0)
        world.wish("start", "foo")
        world.settle()
        assert f"start/{stage}" == world.status("foo")
        after = world.killed()
        after.stages.does["foo", "pre-start"] = ends()
        after.settle()
        assert f"start/{stage}" == after.status("foo")
        after.after(2.0)
        assert "start/running" == after.status("foo")
        again = ["pre-start", "main", "post-start"] if stage == "pre-start" else []
        assert again == after.stages_of("foo")
        after.wish("stop", "foo")
        after.after(1.0)


@pytest.mark.parametrize("stage", ["pre-stop", "post-stop"])
def test_stop_goes_on_where_it_was(keep: Keep, stage: str) -> None:
    """A stage on the way down counts as done when it has ended."""
    world = keep(foo=ALL)
    for each in ("pre-start", "post-start", "pre-stop", "post-stop"):
        world.stages.does["foo", each] = ends(after=1.0 if each == stage else 0.0)
    world.wish("start", "foo")
    world.after(0.5)
    world.wish("stop", "foo")
    world.settle()
    assert f"stop/{stage}" == world.status("foo")
    after = world.killed()
    after.after(2.0)
    assert "stop/waiting" == after.status("foo")
    assert (["post-stop"] if stage == "pre-stop" else []) == after.stages_of("foo")
    assert {} == after.jobs.classes["foo"].instances
    assert 0 == after.jobs.active


def test_stop_of_a_stubborn_process_begins_anew(keep: Keep) -> None:
    """With all its time before it is killed."""
    world = keep(foo=f"kill timeout 5\n{NAP}")
    world.stages.does["foo", "main"] = lambda process: process.reactions.update({15: ignores()})
    world.wish("start", "foo")
    world.wish("stop", "foo")
    world.after(4.0)
    after = world.killed()
    after.after(4.0)
    assert "stop/killed" == after.status("foo")
    after.after(1.5)
    assert "stop/waiting" == after.status("foo")


def test_end_that_nobody_saw_is_a_failure(keep: Keep) -> None:
    """A job that respawns comes back instead."""
    world = keep(foo=f"{NAP}\npost-stop exec clean", bar=f"respawn\n{NAP}")
    for name in ("foo", "bar"):
        world.wish("start", name)
    pids = [world.pid("foo"), world.pid("bar")]
    world.journal.close()
    world.jobs.journal = None
    for pid in pids:
        world.table[pid].die()
    after = world.killed()
    after.stages.does["foo", "post-stop"] = ends()
    after.after(1.0)
    assert ("stop/waiting", "start/running") == (after.status("foo"), after.status("bar"))
    assert ["post-stop"] == after.stages_of("foo")
    assert f"foo reports: process {pids[0]} ended while no supervisor watched it" in after.events
    assert "foo is given up: its main process has ended, nobody knows how" in after.events


def test_start_that_was_not_made_is_made(keep: Keep) -> None:
    """Between the line in the journal and the process; what is at rest remains so."""
    world = keep(foo=ALL, bar=NAP)
    world.stages.does["foo", "pre-start"] = ends()
    journal, world.jobs.journal = world.journal, None
    world.wish("start", "foo")
    world.jobs.journal = journal
    record = {"name": "foo", "job": "foo", "goal": "start", "state": "spawned"}
    journal.note({**record, "variables": {"A": "1"}})
    after = world.killed()
    after.settle()
    assert ["main", "post-start"] == after.stages_of("foo")
    assert "1" == after.variables("foo")["A"]
    assert "stop/waiting" == after.status("bar")


def test_events_block_what_they_have_blocked(keep: Keep) -> None:
    """A job that waits for a gate waits on, and the gate does not run twice."""
    world = keep(foo=NAP, gate="start on starting foo\ntask\nexec check")
    world.stages.does["gate", "main"] = ends(after=2.0)
    world.wish("start", "foo")
    assert ("start/starting", "start/running") == (world.status("foo"), world.status("gate"))
    after = world.killed()
    after.settle()
    assert ("start/starting", "start/running") == (after.status("foo"), after.status("gate"))
    after.after(1.0)
    assert "start/starting" == after.status("foo")
    after.after(1.5)
    assert ("start/running", "stop/waiting") == (after.status("foo"), after.status("gate"))
    assert [] == after.stages_of("gate")


def test_event_that_blocked_nothing_is_shown_again(keep: Keep) -> None:
    """The jobs may not have seen it."""
    world = keep(foo=NAP, bar=f"start on starting foo\n{NAP}")
    world.journal.note({"name": "foo", "job": "foo", "goal": "start", "state": "starting"})
    after = world.killed()
    after.settle()
    assert ("start/running", "start/running") == (after.status("foo"), after.status("bar"))


def test_condition_that_is_true_in_part_is_remembered(keep: Keep) -> None:
    """The other half starts the job, with the variables of both."""
    world = keep(foo=f"start on a and b\n{NAP}", bar=f"stop on c and d\n{NAP}")
    world.wish("start", "bar")
    world.wish("emit", "a", "A=1")
    world.wish("emit", "c", "C=1")
    world.wish("emit", "x")
    after = world.killed()
    after.wish("emit", "b", "B=2")
    assert "start/running" == after.status("foo")
    seen = after.variables("foo")
    assert ("1", "2", "a b") == (seen["A"], seen["B"], seen["UPSTART_EVENTS"])
    last = after.killed()
    last.wish("stop", "foo")
    last.wish("emit", "b")
    assert "stop/waiting" == last.status("foo")


def test_instances_are_taken_over_by_name(keep: Keep) -> None:
    """All that there are."""
    world = keep(foo=f"instance $N\n{NAP}")
    for number in "12":
        world.wish("start", "foo", f"N={number}")
    pids = [world.pid(f"foo ({number})") for number in "12"]
    after = world.killed()
    after.settle()
    assert pids == [after.pid(f"foo ({number})") for number in "12"]
    assert "Job is already running: foo (1)" == after.wish("start", "foo", "N=1")
    after.wish("stop", "foo", "N=1")
    assert ["2"] == [*after.jobs.classes["foo"].instances]


def test_job_whose_file_is_gone_can_be_stopped(keep: Keep) -> None:
    """By its signal, and no more."""
    world = keep(foo=f"kill signal INT\n{NAP}")
    world.wish("start", "foo")
    pid = world.pid()
    after = world.killed(foo="")
    after.settle()
    assert f"foo start/running, process {pid}" == after.jobs.units["foo"].status()  # type: ignore[attr-defined]
    after.wish("stop", "foo")
    assert [2] == [sent[2] for sent in after.table.signals if sent[1] == pid]
    assert "foo" not in after.jobs.classes
    assert "Unknown job: foo" == after.wish("start", "foo")


def test_respawns_are_counted_on(keep: Keep) -> None:
    """A job that comes back too often does so with a new supervisor, too."""
    world = keep(foo=f"respawn\nrespawn limit 2 100\n{NAP}")
    world.wish("start", "foo")
    world.kill("foo")
    world.kill("foo")
    after = world.killed()
    after.settle()
    assert "start/running" == after.status("foo")
    after.kill("foo")
    assert "stop/waiting" == after.status("foo")
    assert "foo respawning too fast, stopped" in after.told


def spawned(world: Kept, **fields: object) -> int:
    """Start a job, and write that it is not up yet; return its pid."""
    world.wish("start", "foo")
    process = world.jobs.units["foo"].processes["main"]  # type: ignore[attr-defined]
    record = {"name": "foo", "job": "foo", "goal": "start", "state": "spawned"}
    main = {"main": [process.pid, process.start_time]}
    world.journal.note({**record, "processes": main, **fields})
    return int(process.pid)


def test_program_that_was_to_fork_is_followed_on(keep: Keep) -> None:
    """One that has forked is not: the process that there is counts."""
    world = keep(foo=NAP)
    pid = spawned(world)
    after = world.killed(foo=f"expect fork\n{NAP}")
    after.settle()
    assert ("start/running", pid) == (after.status("foo"), after.pid())
    after.wish("stop", "foo")
    pid = spawned(after, follows="fork")
    last = after.killed(foo=f"expect fork\n{NAP}")
    last.settle()
    assert ("start/spawned", pid) == (last.status("foo"), last.pid())
    last.wish("stop", "foo")
    assert "stop/waiting" == last.status("foo")


def test_settings_go_on(keep: Keep) -> None:
    """The table of all jobs always, and the priority with the same command line."""
    world = keep(foo=NAP)
    world.jobs.messages.priority = "info"
    world.jobs.environment["A"] = "1"
    world.wish("start", "foo")
    pid = world.pid()
    after = world.upgraded()
    assert (True, pid) == (after.resumed, after.pid())
    assert ("info", "1") == (after.jobs.messages.priority, after.jobs.environment["A"])
    last = after.killed()
    assert ("message", "1") == (last.jobs.messages.priority, last.jobs.environment["A"])


def test_events_that_no_job_has_seen_go_on(keep: Keep) -> None:
    """In their order, in the same process; others are written nowhere."""
    world = keep(foo=f"start on a\n{NAP}", bar=f"start on b A=1\n{NAP}")
    world.jobs.emit("a")
    world.jobs.emit("b", ["A=1"])
    after = world.upgraded()
    after.settle()
    assert ("start/running", "start/running") == (after.status("foo"), after.status("bar"))
    assert [] == after.jobs.emissions.unseen


def test_terminals_go_on_in_the_same_process(keep: Keep) -> None:
    """Nobody else has their descriptors."""
    world = keep(foo=NAP)
    world.stages.terminals = lambda job: {"main": 9999}  # type: ignore[method-assign]
    world.wish("start", "foo")
    after = world.upgraded()
    assert [("foo", "main", 9999)] == after.stages.taken
    after.killed()
    assert [("foo", "main", 9999)] == after.stages.taken


def test_first_events_are_over_once_the_jobs_have_seen_them(keep: Keep) -> None:
    """A supervisor that was killed before that is none."""
    world = keep(foo=NAP)
    world.journal.is_past_first = False
    assert world.journal.renew() is None
    world.wish("start", "foo")
    pid = world.pid()
    after = world.killed()
    assert (False, pid) == (after.resumed, after.pid())
    assert after.killed().resumed


def test_end_in_order_leaves_nothing(keep: Keep) -> None:
    """The next supervisor begins as the first one did; also if the end was cut off."""
    world = keep(foo=NAP)
    assert not world.resumed
    world.wish("start", "foo")
    world.jobs.shutdown()
    world.settle()
    world.jobs.close()
    after = world.killed()
    assert not after.resumed
    after.wish("start", "foo")
    after.jobs.shutdown()
    last = after.killed()
    assert not last.resumed
    last.settle()
    assert "stop/waiting" == last.status("foo")


@pytest.mark.parametrize(
    "record",
    [
        {"goal": "dance", "state": "running", "job": "foo"},
        {"goal": "start", "state": "dancing", "job": "foo"},
        {"goal": "start", "state": "running"},
        {"goal": "start", "state": "running", "job": 7},
        {"goal": "stop", "state": "waiting", "job": "foo"},
    ],
)
def test_line_that_says_nothing_is_left_out(keep: Keep, record: dict[str, object]) -> None:
    """Whoever has written it."""
    world = keep(foo=NAP)
    world.journal.note({"name": "foo", **record})
    after = world.killed()
    after.settle()
    assert "stop/waiting" == after.status("foo")
    assert 0 == after.jobs.active
