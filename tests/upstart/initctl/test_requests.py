"""Events, the list of jobs, and the supervisor itself."""

import pytest

from .fake import FakeJobs


def test_list_has_the_jobs_of_all_lines(jobs: FakeJobs) -> None:
    """A long answer comes in several; words behind the command are ignored."""
    jobs.answers["list"] = [{"jobs": ["a stop/waiting", "b (1) start/running, process 2"]},
                            {"jobs": ["net/c stop/waiting"]}, {}]  # fmt: skip
    shown = "a stop/waiting\nb (1) start/running, process 2\nnet/c stop/waiting\n"
    assert (0, shown, "") == jobs.run("initctl", "list", "extra")
    assert [{"command": "list"}] == jobs.requests


def test_list_without_jobs_is_empty(jobs: FakeJobs) -> None:
    """Not even a line."""
    jobs.answers["list"] = {"jobs": []}
    assert (0, "", "") == jobs.run("initctl", "list")


def test_event_is_emitted_with_its_variables(jobs: FakeJobs) -> None:
    """Nothing is printed."""
    assert (0, "", "") == jobs.run("initctl", "emit", "two words", "A=1", "=x")
    assert (0, "", "") == jobs.run("initctl", "emit", "-n", "go")
    assert [
        {"command": "emit", "value": "two words", "environment": ["A=1", "=x"]},
        {"command": "emit", "value": "go", "nowait": True},
    ] == jobs.requests


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["emit", ""], "Name may not be empty string"),
        (["emit", "go", "notpair"], "Env must be KEY=VALUE pairs"),
        (["emit", "go"], "Event failed"),
        (["log-priority", "loud"], "The log priority given was not recognised"),
    ],
)
def test_refusal_is_said(words: list[str], message: str, jobs: FakeJobs) -> None:
    """By initctl."""
    jobs.answers[words[0]] = message
    assert (1, "", f"initctl: {message}\n") == jobs.run("initctl", *words)


def test_log_priority_is_shown_or_set(jobs: FakeJobs) -> None:
    """Setting it prints nothing."""
    jobs.answers["log-priority"] = {"priority": "message"}
    assert (0, "message\n", "") == jobs.run("initctl", "log-priority")
    assert (0, "", "") == jobs.run("initctl", "log-priority", "info")
    assert [{"command": "log-priority"}, {"command": "log-priority", "value": "info"}] == (
        jobs.requests
    )


def test_version_is_that_of_init(jobs: FakeJobs) -> None:
    """Init scripts look for the word upstart in it."""
    jobs.answers["version"] = {"version": "init (upstart 1.13.2)"}
    assert (0, "init (upstart 1.13.2)\n", "") == jobs.run("initctl", "version")


@pytest.mark.parametrize("command", ["reload-configuration", "notify-disk-writeable"])
def test_plain_request_prints_nothing(command: str, jobs: FakeJobs) -> None:
    """It only asks."""
    assert (0, "", "") == jobs.run("initctl", command)
    assert [{"command": command}] == jobs.requests


@pytest.mark.parametrize("command", ["notify-dbus-address", "notify-cgroup-manager-address"])
def test_address_that_nobody_needs_is_taken(command: str, jobs: FakeJobs) -> None:
    """Jobs of sessions tell it; without a supervisor it fails as on the original."""
    assert (0, "", "") == jobs.run("initctl", command, "unix:path=/run/dbus")
    assert [{"command": "version"}] == jobs.requests
