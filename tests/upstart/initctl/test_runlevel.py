"""telinit."""

import os
from types import SimpleNamespace

import pytest

from ssd.upstart.initctl import runlevel

from .fake import FakeJobs


@pytest.fixture
def root(monkeypatch) -> None:
    """Be root for telinit, whoever runs the test and owns the socket."""
    own = SimpleNamespace(geteuid=lambda: 0, environ=os.environ)
    monkeypatch.setattr(runlevel, "os", own)


@pytest.mark.parametrize(("given", "level"), [("2", "2"), ("0", "0"), ("s", "S"), ("S", "S")])
@pytest.mark.parametrize(("before", "previous"), [("", "N"), ("5", "5"), ("S", "S"), ("x", "N")])
def test_runlevel_is_an_event(given, level, before, previous, jobs, root, monkeypatch) -> None:
    """Nothing waits for it; the level of before is that of the environment."""
    monkeypatch.setenv("RUNLEVEL", before)
    assert (0, "", "") == jobs.run("telinit", given)
    variables = [f"RUNLEVEL={level}", f"PREVLEVEL={previous}"]
    event = {"command": "emit", "value": "runlevel", "environment": variables, "nowait": True}
    assert [event] == jobs.requests


def test_variables_may_be_added(jobs: FakeJobs, root: None) -> None:
    """A time is taken and ignored, as on the original."""
    assert (0, "", "") == jobs.run("ssd-initctl", "telinit", "-e", "A=1", "-t5", "6", "-eB=2")
    assert ["RUNLEVEL=6", "PREVLEVEL=N", "A=1", "B=2"] == jobs.requests[0]["environment"]


@pytest.mark.parametrize("level", ["q", "Q"])
def test_level_q_reads_the_files_anew(level: str, jobs: FakeJobs, root: None) -> None:
    """It is no runlevel."""
    assert (0, "", "") == jobs.run("telinit", level)
    assert [{"command": "reload-configuration"}] == jobs.requests


def test_user_may_not_change_the_runlevel(jobs: FakeJobs, monkeypatch) -> None:
    """Of the machine."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert (1, "", "telinit: Need to be root\n") == jobs.run("telinit", "2")
    assert [] == jobs.requests
