"""The verbs that every supervisor has, on jobs: what ssd-service is answered."""

from pathlib import Path
from typing import Any

import pytest

from upstart.machine import ends

from .asked import Asked
from .conftest import Ask

NAP = "exec sleep 300"
MANY = f"instance $N\n{NAP}"


def begun(verb: str, name: str) -> dict[str, object]:
    """Return the first line of the answer to a wish."""
    return {"begun": verb, "name": name, "description": ""}


def outcome(line: dict[str, Any]) -> tuple[bool, str, str]:
    """Return whether a wish went well, what became of it, and why."""
    return line["ok"], line["outcome"], line.get("message", "")


def told(world: Asked, verb: str, name: str) -> tuple[bool, str, str]:
    """Make a wish that is answered at once; return how."""
    first, last = world.tell(verb, name)
    assert begun(verb, name) == first
    assert name == last["name"]
    return outcome(last)


def test_life_of_a_job_is_that_of_a_service(asked: Ask) -> None:
    """Whatever verbs it is asked for."""
    world = asked(foo=NAP)
    assert (True, "nothing", "") == told(world, "stop", "foo")
    assert (True, "done", "") == told(world, "start", "foo")
    assert (True, "running", "") == told(world, "start", "foo")
    first = world.jobs.units["foo"].main
    assert (True, "done", "") == told(world, "restart", "foo")
    assert first is not world.jobs.units["foo"].main is not None
    assert (True, "done", "") == told(world, "reload", "foo")
    world.after(0.1)  # HUP ends it
    assert (False, "nothing", "it is not running") == told(world, "reload", "foo")
    assert (True, "done", "") == told(world, "restart", "foo")
    assert (True, "done", "") == told(world, "try-restart", "foo")
    assert (True, "done", "") == outcome(world.tell("signal", "foo", signal="CONT")[-1])
    assert (True, "done", "") == told(world, "stop", "foo")
    assert (True, "nothing", "") == told(world, "try-restart", "foo")
    assert "stop/waiting" == world.status("foo")


def test_start_waits_for_what_others_have_begun(asked: Ask) -> None:
    """And a stop for one that is on its way."""
    world = asked(foo=f"pre-start exec prepare\n{NAP}\npost-stop exec clean")
    world.stages.does["foo", "pre-start"] = world.stages.does["foo", "post-stop"] = ends(after=1.0)
    callers = [world.connect(), world.connect()]
    for caller in callers:
        caller.ask("start", name="foo")
    world.after(1.0)
    assert [(True, "done", "")] * 2 == [outcome(caller.lines()[-1]) for caller in callers]
    for caller in callers:
        caller.ask("stop", name="foo")
    world.after(1.0)
    assert [(True, "done", "")] * 2 == [outcome(caller.lines()[-1]) for caller in callers]


def test_task_is_answered_when_it_has_ended(asked: Ask) -> None:
    """Its status says that it has done its work."""
    world = asked(foo="task\nexec work")
    world.stages.does["foo", "main"] = ends(after=1.0)
    caller = world.connect()
    caller.ask("start", name="foo")
    world.settle()
    assert [{"id": 1, **begun("start", "foo")}] == caller.lines()
    world.after(1.0)
    assert (True, "done", "") == outcome(caller.lines()[-1])
    assert world.tell("status", "foo")[0]["service"]["completed"]


def test_failure_says_which_process_it_was(asked: Ask) -> None:
    """Also afterwards; a stop of what failed has nothing to do."""
    world = asked(foo=f"pre-start exec prepare\n{NAP}")
    world.stages.does["foo", "pre-start"] = ends(3)
    reason = "its pre-start process exited with status 3"
    assert (False, "failed", reason) == told(world, "start", "foo")
    service = world.tell("status", "foo")[0]["service"]
    assert ("stopped", reason) == (service["found"], service["failure"])
    assert (True, "nothing", "") == told(world, "stop", "foo")
    world.stages.does["foo", "pre-start"] = "unable to execute: No such file or directory"
    reason = "its pre-start process could not be started"
    assert (False, "failed", reason) == told(world, "start", "foo")


def test_stop_of_a_start_that_fails_is_well(asked: Ask) -> None:
    """Nothing of it runs, and that was the wish."""
    world = asked(foo=f"pre-start exec prepare\nkill timeout 1\n{NAP}")
    starter, stopper = world.connect(), world.connect()
    starter.ask("start", name="foo")
    world.settle()
    stopper.ask("stop", name="foo")
    world.after(3.0)
    assert (True, "done", "") == outcome(stopper.lines()[-1])
    assert not starter.lines()[-1]["ok"]


def test_instance_is_a_unit_of_its_own(asked: Ask) -> None:
    """By its label, with blanks and slashes as they are."""
    world = asked(foo=MANY, **{"net/c": NAP})
    for number in ("1", "a b"):
        world.ask("start", "foo", f"N={number}")
    assert (True, "done", "") == told(world, "start", "net/c")
    assert (True, "done", "") == told(world, "restart", "foo (a b)")
    names = [row["name"] for row in world.tell("status", all=True)[0]["services"]]
    assert ["foo (1)", "foo (a b)", "net/c"] == names
    assert (True, "done", "") == told(world, "stop", "foo (a b)")
    assert "unknown-service" == world.tell("status", "foo (a b)")[0]["error"]
    assert (True, "done", "") == told(world, "stop", "foo (1)")
    names = [row["name"] for row in world.tell("status", all=True)[0]["services"]]
    assert ["foo", "net/c"] == names


@pytest.mark.parametrize("verb", ["start", "stop", "restart"])
def test_job_with_instances_asks_for_one(asked: Ask, verb: str) -> None:
    """It names what an instance needs, and those that there are."""
    world = asked(foo=MANY)
    reason = "it has an instance for each $N; 'initctl start foo KEY=VALUE' starts one; "
    assert (False, "failed", f"{reason}none runs") == told(world, verb, "foo")
    world.ask("start", "foo", "N=1")
    running = f"{reason}instances that run: foo (1)"
    assert (False, "failed", running) == told(world, verb, "foo")


def test_facts_are_those_of_a_service(asked: Ask) -> None:
    """With the file, and the name that users know."""
    world = asked(foo=f"description 'A nap'\n{NAP}")
    world.ask("start", "foo")
    (answer,) = world.tell("status", "foo")
    service = answer["service"]
    main = world.jobs.units["foo"].main
    assert main is not None
    assert ("foo", "running", "running", "start", main.pid, "A nap") == tuple(
        service[key] for key in ("name", "found", "state", "goal", "pid", "description")
    )
    assert service["log"] == str(world.directory / "foo.log")
    assert "declared_as" not in service


def test_job_that_came_along_is_shown_while_it_runs(asked: Ask) -> None:
    """Nobody has written a file for it."""
    world = asked(foo=NAP, waiter=NAP)
    world.jobs.classes["waiter"].shipped = True
    assert ["foo"] == [row["name"] for row in world.tell("status", all=True)[0]["services"]]
    world.ask("start", "waiter")
    names = [row["name"] for row in world.tell("status", all=True)[0]["services"]]
    assert ["foo", "waiter"] == names


def test_all_are_stopped_by_one_wish(asked: Ask) -> None:
    """An outcome for each that there is."""
    world = asked(foo=MANY, bar=NAP)
    world.ask("start", "foo", "N=1")
    world.ask("start", "bar")
    lines = world.tell("stop", all=True)
    assert [("bar", "done"), ("foo (1)", "done")] == sorted(
        (line["name"], line["outcome"]) for line in lines if "outcome" in line
    )
    assert lines[-1]["ok"]


def test_log_is_read_where_jobs_have_it(asked: Ask, tmp_path: Path) -> None:
    """Without the carriage returns of a terminal; a job without a log says so."""
    world = asked(foo=NAP, bar=f"console none\n{NAP}")
    assert [{"ok": True}] == world.tell("log", "foo")
    (tmp_path / "foo.log").write_bytes(b"one\r\ntwo\r\n")
    assert [{"lines": ["one", "two"]}, {"ok": True}] == world.tell("log", "foo")
    assert [{"lines": ["two"]}, {"ok": True}] == world.tell("log", "foo", lines=1)
    assert "unsupported" == world.tell("log", "bar")[0]["error"]


def test_events_of_jobs_are_sentences(asked: Ask) -> None:
    """As those of services."""
    world = asked(foo=NAP)
    told(world, "start", "foo")
    said = [line["event"]["text"] for line in world.tell("events") if "event" in line]
    assert ["foo is starting", "foo runs as process", "foo is ready"] == [
        text.rstrip("0123456789 ") for text in said
    ]
