"""start, stop, restart, reload, status and usage."""

import pytest

from ssd.supervision import client

from .fake import FakeJobs

DONE = {"job": "foo", "instance": "1"}


@pytest.mark.parametrize("command", ["start", "stop", "restart"])
def test_state_of_afterwards_is_shown(command: str, jobs: FakeJobs) -> None:
    """Of the instance that was meant, once it is done."""
    jobs.answers = {command: DONE, "state": {"status": "foo (1) start/running, process 12"}}
    assert (0, "foo (1) start/running, process 12\n", "") == jobs.run(command, "foo", "N=1", "M")
    assert [
        {"command": command, "name": "foo", "environment": ["N=1", "M"]},
        {"command": "state", "name": "foo", "instance": "1"},
    ] == jobs.requests


@pytest.mark.parametrize("command", ["start", "stop", "restart"])
def test_quiet_command_does_not_look(command: str, jobs: FakeJobs) -> None:
    """Neither does it print."""
    jobs.answers = {command: DONE}
    assert (0, "", "") == jobs.run(command, "-q", "foo")
    assert [{"command": command, "name": "foo"}] == jobs.requests


@pytest.mark.parametrize("option", ["-n", "--no-wait"])
def test_nowait_is_asked_for(option: str, jobs: FakeJobs) -> None:
    """The supervisor answers at once."""
    jobs.answers = {"stop": DONE, "state": {"status": "foo stop/killed, process 12"}}
    assert (0, "foo stop/killed, process 12\n", "") == jobs.run("stop", "foo", option)
    assert jobs.requests[0]["nowait"] is True


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("start nope", "Unknown job: nope"),
        ("initctl stop foo", "Unknown instance: "),
        ("restart foo", "Job failed to restart"),
        ("reload foo", "Job is not running: foo"),
        ("status nope", "Unknown job: nope"),
        ("initctl usage nope", "Unknown job: nope"),
        ("start foo B=1", "Unknown parameter: B\nUsage: A=..."),
    ],
)
def test_refusal_is_said_by_the_name_of_the_program(words, message, jobs: FakeJobs) -> None:
    """As the supervisor words it; the status is 1."""
    program, *rest = words.split()
    command = rest[0] if program == "initctl" else program
    jobs.answers[command] = message
    assert (1, "", f"{program}: {message}\n") == jobs.run(program, *rest)
    assert 1 == len(jobs.requests)


def test_job_that_goes_before_it_is_shown_is_an_error(jobs: FakeJobs) -> None:
    """Its file was removed meanwhile."""
    jobs.answers = {"start": DONE, "state": "Unknown job: foo"}
    assert (1, "", "start: Unknown job: foo\n") == jobs.run("start", "foo")


def test_status_has_several_lines_with_several_processes(jobs: FakeJobs) -> None:
    """The supervisor writes them; the variables tell the instance."""
    text = "foo (a b) start/post-start, process 1\n\tpost-start process 2"
    jobs.answers["status"] = {"status": text}
    assert (0, f"{text}\n", "") == jobs.run("status", "foo", "N=a b")
    assert [{"command": "status", "name": "foo", "environment": ["N=a b"]}] == jobs.requests


def test_reload_prints_nothing(jobs: FakeJobs) -> None:
    """It is done when the signal is sent."""
    assert (0, "", "") == jobs.run("reload", "foo")


def test_usage_is_shown(jobs: FakeJobs) -> None:
    """In the words of the file."""
    jobs.answers["usage"] = {"usage": "start foo N=number"}
    assert (0, "Usage: start foo N=number\n", "") == jobs.run("initctl", "usage", "foo")


@pytest.mark.parametrize("instance", ["", "1"])
def test_process_of_a_job_means_its_own(instance: str, jobs: FakeJobs, monkeypatch) -> None:
    """By the environment, and without waiting, which would be for itself."""
    monkeypatch.setenv("UPSTART_JOB", "foo")
    monkeypatch.setenv("UPSTART_INSTANCE", instance)
    own = {"name": "foo", "instance": instance}
    jobs.answers = {"stop": {"job": "foo", "instance": instance},
                    "state": {"status": "foo stop/pre-start, process 3"},
                    "status": {"status": "foo start/pre-start, process 3"}}  # fmt: skip
    assert (0, "foo stop/pre-start, process 3\n", "") == jobs.run("stop")
    assert {"command": "stop", **own, "nowait": True} == jobs.requests[0]
    assert (0, "foo start/pre-start, process 3\n", "") == jobs.run("initctl", "status")
    assert (0, "", "") == jobs.run("reload")
    assert [{"command": "status", **own}, {"command": "reload", **own}] == jobs.requests[2:]


def test_process_of_a_job_may_name_it(jobs: FakeJobs, monkeypatch) -> None:
    """Then it is a job like any other, without an instance."""
    monkeypatch.setenv("UPSTART_JOB", "foo")
    monkeypatch.setenv("UPSTART_INSTANCE", "1")
    jobs.answers["status"] = {"status": "foo stop/waiting"}
    assert (0, "foo stop/waiting\n", "") == jobs.run("status", "foo")
    assert [{"command": "status", "name": "foo"}] == jobs.requests


def test_half_an_environment_of_a_job_is_none(jobs: FakeJobs, monkeypatch) -> None:
    """Both variables are needed."""
    monkeypatch.setenv("UPSTART_JOB", "foo")
    assert jobs.run("status")[2].startswith("status: missing job name\n")


def test_empty_name_is_asked_for(jobs: FakeJobs) -> None:
    """It is not a missing one."""
    jobs.answers["start"] = "Name may not be empty string"
    assert (1, "", "start: Name may not be empty string\n") == jobs.run("start", "")
    assert [{"command": "start", "name": ""}] == jobs.requests


def test_job_may_take_as_long_as_it_likes(jobs: FakeJobs, monkeypatch) -> None:
    """Once the supervisor has said that it has begun; only that is not awaited for ever."""
    monkeypatch.setattr(client, "PATIENCE", 1.0)
    jobs.pause = 1.2
    jobs.answers = {"start": [{"begun": "start"}, DONE]}
    assert (0, "", "") == jobs.run("start", "-q", "foo")
    monkeypatch.setattr(client, "PATIENCE", 0.05)
    jobs.answers["start"] = DONE
    status, out, err = jobs.run("start", "-q", "foo")
    assert (1, "") == (status, out) and "has not answered in 0.05 seconds" in err
