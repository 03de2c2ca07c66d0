"""Asking a supervisor, and what goes wrong with it."""

import os
from pathlib import Path

import pytest

from ssd.supervision import client
from ssd.upstart.initctl import asking, main
from ssd.upstart.initctl.options import Call

from .fake import FakeJobs


def test_missing_supervisor_is_said(place: Path, capfd) -> None:
    """By every command, with status 1."""
    for argv in (["status", "foo"], ["initctl", "list"], ["initctl", "check-config"]):
        assert 1 == main(argv)
        said = capfd.readouterr()
        assert "" == said.out
        assert said.err.startswith(f"{argv[0]}: Unable to connect to Upstart: ")


def test_supervisor_that_cannot_be_asked_is_said(place: Path, monkeypatch, capfd) -> None:
    """With the reason of the kernel."""

    def refuse(path: str) -> None:
        raise client.Unreachable(path, os.strerror(13), 13)

    monkeypatch.setattr("ssd.upstart.initctl.reach.connect_to", refuse)
    assert 1 == main(["start", "foo"])
    assert capfd.readouterr().err.startswith("start: Unable to connect to Upstart: the supervisor ")


def test_supervisor_that_ends_meanwhile_is_said(jobs: FakeJobs, monkeypatch) -> None:
    """What it has done is not known."""
    monkeypatch.setattr(jobs, "answer", lambda request: [{"begun": "start"}, {"error": "ending"}])
    status, out, err = jobs.run("start", "foo")
    assert (1, "") == (status, out)
    assert err.startswith("start: the supervisor at ") and "ends before it has answered" in err


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Unknown job: x", "start: Unknown job: x"),
        ("foo: it is not", "start:foo: it is not"),
        ("", "start: "),
    ],
)
def test_message_that_is_named_has_no_blank(message: str, shown: str, capfd) -> None:
    """As GNU's programs do it, and so the original."""
    assert 1 == asking.fail(Call("/sbin/start", "start", []), message)
    assert f"{shown}\n" == capfd.readouterr().err


def test_fields_without_a_meaning_are_left_out(jobs: FakeJobs) -> None:
    """But an empty text has one."""
    assert (0, "", "") == jobs.run("stop", "-q", "")
    assert [{"command": "stop", "name": ""}] == jobs.requests
