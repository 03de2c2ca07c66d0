"""The table of variables that jobs get."""

import pytest

from .fake import FakeJobs


def test_variables_are_listed_in_order(jobs: FakeJobs) -> None:
    """Of their names."""
    jobs.answers["list-env"] = {"environment": ["TERM=linux", "PATH=/bin", "Z=", "A=1"]}
    assert (0, "A=1\nPATH=/bin\nTERM=linux\nZ=\n", "") == jobs.run("initctl", "list-env")
    jobs.answers["list-env"] = {"environment": []}
    assert (0, "", "") == jobs.run("initctl", "list-env")


def test_variable_is_shown(jobs: FakeJobs) -> None:
    """Its value; an empty one is an empty line."""
    jobs.answers["get-env"] = {"value": ""}
    assert (0, "\n", "") == jobs.run("initctl", "get-env", "A")
    jobs.answers["get-env"] = "No such variable: NONE"
    assert (1, "", "initctl: No such variable: NONE\n") == jobs.run("initctl", "get-env", "NONE")
    assert {"command": "get-env", "value": "NONE"} == jobs.requests[-1]


@pytest.mark.parametrize(
    ("words", "request_"),
    [
        ("set-env A=1 B", {"command": "set-env", "environment": ["A=1", "B"]}),
        ("set-env -r A=1", {"command": "set-env", "environment": ["A=1"], "retain": True}),
        ("unset-env A B", {"command": "unset-env", "environment": ["A", "B"]}),
        ("reset-env", {"command": "reset-env"}),
    ],
)
def test_changes_are_one_request(words: str, request_: dict, jobs: FakeJobs) -> None:
    """All variables at once, or none; the table of init itself cannot be changed."""
    assert (0, "", "") == jobs.run("initctl", *words.split())
    assert [request_] == jobs.requests
    refusal = "Not permissible to modify PID 1 job environment"
    jobs.answers[words.split()[0]] = refusal
    assert (1, "", f"initctl: {refusal}\n") == jobs.run("initctl", *words.split())


def test_process_of_a_job_means_the_table_of_its_job(jobs: FakeJobs, monkeypatch) -> None:
    """But with --global that of all."""
    monkeypatch.setenv("UPSTART_JOB", "foo")
    assert jobs.run("initctl", "list-env")[2].startswith("initctl: missing job name\n")
    monkeypatch.setenv("UPSTART_INSTANCE", "")
    own = {"name": "foo", "instance": ""}
    jobs.answers["list-env"] = {"environment": ["A=1"]}
    assert (0, "A=1\n", "") == jobs.run("initctl", "list-env")
    assert (0, "", "") == jobs.run("initctl", "set-env", "A=2")
    assert (0, "", "") == jobs.run("initctl", "set-env", "--global", "A=2")
    assert [
        {"command": "list-env", **own},
        {"command": "set-env", "environment": ["A=2"], **own},
        {"command": "set-env", "environment": ["A=2"]},
    ] == jobs.requests
