"""The verb ``job``: what each command of initctl(8) is answered."""

import pytest

from ssd.upstart.control.requests import ROWS, VERSION
from upstart.machine import ends

from .conftest import Ask

NAP = "exec sleep 300"
SLOW = f"pre-start exec prepare\n{NAP}"
JOB = {"job": "foo", "instance": ""}


def waiting(command: str) -> list[dict[str, object]]:
    """Return what a client is told at once that has to wait: how long is the job's affair."""
    return [{"id": 1, "begun": command}]


def test_start_is_answered_when_the_job_runs(asked: Ask) -> None:
    """And a stop when nothing of it runs; the state is asked for afterwards."""
    world = asked(foo=SLOW)
    world.stages.does["foo", "pre-start"] = ends(after=1.0)
    caller = world.begin("start", "foo")
    assert waiting("start") == caller.lines()
    status = world.ask("status", "foo")["status"]
    assert status.startswith("foo start/pre-start, process ")
    world.after(1.0)
    assert [{"id": 1, "ok": True, **JOB}] == caller.lines()
    assert world.ask("state", "foo", instance="")["status"].startswith("foo start/running, process")
    assert JOB == world.ask("stop", "foo")
    assert {"status": "foo stop/waiting"} == world.ask("state", "foo", instance="")


@pytest.mark.parametrize("command", ["start", "stop", "restart", "reload", "status", "usage"])
def test_unknown_job_is_refused(asked: Ask, command: str) -> None:
    """With the text that the original prints, and a word for programs."""
    answer = asked(foo=NAP).ask(command, "nope")
    expected = {"error": "refused", "message": "Unknown job: nope", "kind": "unknown-job"}
    assert expected == answer


def test_refusals_have_the_texts_of_the_original(asked: Ask) -> None:
    """A client prints them as they are."""
    world = asked(foo=NAP, bar=f"instance $N\nusage 'N is a number'\n{NAP}")
    assert "Unknown instance: " == world.refused("stop", "foo")
    assert "Env must be KEY=VALUE pairs" == world.refused("start", "foo", "extra")
    assert "Unknown job: nope" == world.refused("start", "nope", "extra")
    assert "Unknown job: nope" == world.refused("status", "nope", "extra")
    usage = "Unknown parameter: N\nUsage: N is a number"
    assert usage == world.refused("start", "bar") == world.refused("status", "bar")
    assert JOB == world.ask("start", "foo")
    assert "Job is already running: foo" == world.refused("start", "foo")
    assert "Name may not be empty string" == world.refused("emit", "")
    assert "Env must be KEY=VALUE pairs" == world.refused("emit", "go", "pair")
    world.stages.does["foo", "main"] = "unable to execute: No such file or directory"
    assert "Job failed to restart" == world.refused("restart", "foo")
    assert "Job failed to start" == world.refused("start", "foo")


def test_instances_are_told_apart_by_variables_or_name(asked: Ask) -> None:
    """Afterwards an instance is meant by its name; one that is gone has only the job's."""
    world = asked(foo=f"instance $N\n{NAP}")
    assert {"job": "foo", "instance": "1"} == world.ask("start", "foo", "N=1")
    assert {"job": "foo", "instance": "2"} == world.ask("start", "foo", "N=2")
    assert "Job is already running: foo (1)" == world.refused("start", "foo", instance="1")
    for status in (
        world.ask("status", "foo", "N=1")["status"],
        world.ask("status", "foo", instance="1")["status"],
        world.ask("state", "foo", instance="1")["status"],
    ):
        assert status.startswith("foo (1) start/running, process ")
    assert "Unknown instance: 3" == world.refused("status", "foo", "N=3")
    assert "Unknown instance: 3" == world.refused("status", "foo", instance="3")
    world.ask("stop", "foo", "N=1")
    assert {"status": "foo stop/waiting"} == world.ask("state", "foo", instance="1")
    assert "foo (2)" in world.ask("list")["jobs"][0]


def test_status_of_a_job_without_instances_is_at_rest(asked: Ask) -> None:
    """Unless a variable or a name says which one is meant."""
    world = asked(foo=NAP)
    assert {"status": "foo stop/waiting"} == world.ask("status", "foo")
    assert "Unknown instance: " == world.refused("status", "foo", "A=1")
    assert "Unknown instance: " == world.refused("status", "foo", instance="")


def test_answer_is_at_once_if_nobody_waits(asked: Ask) -> None:
    """For starts, stops and events; a refusal comes all the same."""
    world = asked(foo=f"start on go\n{NAP}\npost-stop exec clean")
    assert {} == world.ask("emit", "go", nowait=True)
    assert "Job is already running: foo" == world.refused("start", "foo", nowait=True)
    assert JOB == world.ask("stop", "foo", nowait=True)
    assert "stop/post-stop" == world.status("foo")


def test_event_is_answered_when_all_is_through(asked: Ask) -> None:
    """A task that it has started fails it."""
    world = asked(foo="start on go\ntask\nexec work")
    world.stages.does["foo", "main"] = ends(after=2.0)
    caller = world.begin("emit", "go", "A=1")
    assert waiting("emit") == caller.lines()
    assert "1" == world.variables("foo")["A"]
    world.after(2.0)
    assert [{"id": 1, "ok": True}] == caller.lines()
    world.stages.does["foo", "main"] = ends(3, after=2.0)
    caller = world.begin("emit", "go")
    world.after(2.0)
    (*_, answer) = caller.lines()
    assert ("refused", "Event failed", "event-failed") == (
        answer["error"], answer["message"], answer["kind"],
    )  # fmt: skip


def test_client_that_goes_away_takes_nothing_back(asked: Ask) -> None:
    """The job is started for nobody."""
    world = asked(foo=SLOW)
    world.stages.does["foo", "pre-start"] = ends(after=1.0)
    world.begin("start", "foo").socket.close()
    world.settle()
    world.after(1.0)
    assert "start/running" == world.status("foo")
    assert {} == world.control.connections.clients


def test_process_of_a_job_may_ask_about_its_own_job(asked: Ask) -> None:
    """Also while others wait for it: nothing here waits."""
    world = asked(foo=SLOW)
    starter = world.begin("start", "foo")
    assert world.ask("status", "foo", instance="")["status"].startswith("foo start/pre-start")
    assert "Job is already running: foo" == world.refused("start", "foo")
    assert "Job is not running: foo" == world.refused("reload", "foo", instance="")
    assert JOB == world.ask("stop", "foo", instance="", nowait=True)
    assert [*waiting("start"), {"id": 1, "ok": True, **JOB}] == starter.lines()
    stopper = world.begin("stop", "foo", instance="")
    assert "Job has already been stopped: foo" == stopper.lines()[0]["message"]


def test_end_of_the_supervisor_ends_what_waits(asked: Ask) -> None:
    """They learn why there is no answer."""
    world = asked(foo=f"start on go\n{SLOW}", bar=SLOW)
    callers = [world.begin("emit", "go"), world.begin("start", "bar")]
    world.closed = True
    world.control.close()
    for caller in callers:
        *_, line, ended = caller.lines()
        assert ("ending", None) == (line["error"], ended)


def test_many_clients_may_wait(asked: Ask) -> None:
    """More than a supervisor without jobs has places for."""
    world = asked(foo=f"instance $N\n{SLOW}")
    world.stages.does["foo", "pre-start"] = ends(after=1.0)
    callers = [world.begin("start", "foo", f"N={number}") for number in range(200)]
    assert [waiting("start")] * 200 == [caller.lines() for caller in callers]
    world.after(1.0)
    answers = [line["instance"] for caller in callers for line in caller.lines() if line["ok"]]
    assert [str(number) for number in range(200)] == answers


def test_list_has_every_job_and_instance(asked: Ask) -> None:
    """In several lines if there are many; a job that came with ssd only while it runs."""
    world = asked(**{f"job{number}": NAP for number in range(2 * ROWS)})
    names = {f"job{number} stop/waiting" for number in range(2 * ROWS)}
    assert names == {*world.ask("list")["jobs"]}
    assert 3 == len(world.begin("list").lines())
    world.jobs.classes["job0"].shipped = True
    assert names - {"job0 stop/waiting"} == {*world.ask("list")["jobs"]}
    assert 2 * ROWS - 1 == len(world.ask("config")["jobs"])
    world.ask("start", "job0")
    assert any(each.startswith("job0 start/running") for each in world.ask("list")["jobs"])


def test_settings_are_told_and_changed(asked: Ask) -> None:
    """The version is that of the program whose answers these are."""
    world = asked(foo=f"usage 'no variables'\n{NAP}")
    assert {"version": VERSION} == world.ask("version")
    assert {"usage": "no variables"} == world.ask("usage", "foo")
    assert {"priority": "message"} == world.ask("log-priority")
    assert {"priority": "info"} == world.ask("log-priority", value="info")
    assert "info" == world.jobs.messages.priority
    text = "The log priority given was not recognised"
    assert text == world.refused("log-priority", value="loud")
    assert text == world.refused("log-priority", value="")
    assert {} == world.ask("notify-disk-writeable")
    assert 1 == world.stages.written


def test_files_are_read_anew(asked: Ask) -> None:
    """By whoever reads them."""
    world = asked()
    assert {} == world.ask("reload-configuration")
    assert (1, 0) == (world.reread, world.stages.written)


@pytest.mark.parametrize("command", ["start", "stop", "restart", "emit"])
def test_client_that_was_refused_waits_for_nothing(asked: Ask, command: str) -> None:
    """So it may be closed for others, and may ask as often as it likes."""
    world = asked(foo=NAP)
    world.refused(command, "nope", "pair")
    assert [[]] == [client.tasks for client in world.control.connections.clients.values()]


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"command": "dance"}, "unsupported"),
        ({"command": "start"}, "malformed"),
        ({"command": "status"}, "malformed"),
    ],
)
def test_wrong_request_is_no_refusal(asked: Ask, fields: dict[str, str], error: str) -> None:
    """It is an error of the client."""
    assert error == asked(foo=NAP).ask(**fields)["error"]
