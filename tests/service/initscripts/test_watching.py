"""Executions of a file are noticed, with fanotify(7) for root and inotify(7) for other users."""

import os
import subprocess
from pathlib import Path

import pytest

from ssd.service.initscripts import watching
from ssd.service.initscripts.watching import Watch


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """Return a replacement for the original, which reads a line and ends."""
    tool = tmp_path / "start-stop-daemon"
    tool.write_text("#!/bin/sh\nread line\n")
    tool.chmod(0o755)
    return tool


def refuse(paths: object) -> int:
    """Fail as a kernel that allows no watch."""
    raise PermissionError(1, "Operation not permitted")


def test_call_of_a_descendant_is_reported(tool: Path) -> None:
    """While it runs."""
    with Watch([str(tool)], os.getpid()) as watch:
        if not watch.tells_caller:
            pytest.skip("fanotify(7) is not allowed here")
        with subprocess.Popen([tool, "--stop", "-n", "x"], stdin=subprocess.PIPE):
            told = set(watch.calls())
        assert {f"/bin/sh {tool} --stop -n x"} == told


def test_call_of_another_process_is_not_reported(tool: Path) -> None:
    """The watched caller is a process without children."""
    with subprocess.Popen(["sleep", "1000"]) as other:
        try:
            with Watch([str(tool)], other.pid) as watch:
                if not watch.tells_caller:
                    pytest.skip("fanotify(7) is not allowed here")
                with subprocess.Popen([tool], stdin=subprocess.PIPE):
                    assert [] == list(watch.calls())
        finally:
            other.kill()


def test_watch_without_fanotify_reports_a_call(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the caller, and once for all calls since the last look."""
    monkeypatch.setattr(watching, "_fanotify", refuse)
    with Watch([str(tool)], os.getpid()) as watch:
        assert (False, None) == (watch.tells_caller, watch.problem)
        assert [] == list(watch.calls())
        subprocess.run([tool], stdin=subprocess.DEVNULL, check=False)
        assert [""] == list(watch.calls())
        assert [] == list(watch.calls())


def test_watch_that_is_not_allowed_says_why(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last reason."""
    monkeypatch.setattr(watching, "_fanotify", refuse)
    monkeypatch.setattr(watching, "_inotify", refuse)
    with Watch([str(tool)], os.getpid()) as watch:
        assert -1 == watch.fileno()
        assert isinstance(watch.problem, PermissionError)
