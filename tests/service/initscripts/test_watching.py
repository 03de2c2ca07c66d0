"""Who executes a file is noticed: by fanotify(7) for root, by inotify(7) for others."""

import os
import subprocess
from pathlib import Path

import pytest

from ssd.service.initscripts import watching
from ssd.service.initscripts.watching import Watch


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """Return a stand-in for the original, which reads a line and ends."""
    tool = tmp_path / "start-stop-daemon"
    tool.write_text("#!/bin/sh\nread line\n")
    tool.chmod(0o755)
    return tool


def refuse(paths: object) -> int:
    """Be a kernel that allows no watch."""
    raise PermissionError(1, "Operation not permitted")


def test_call_of_a_descendant_is_told_by_its_words(tool: Path) -> None:
    """As long as it runs."""
    with Watch([str(tool)], os.getpid()) as watch:
        if not watch.tells_caller:
            pytest.skip("fanotify(7) is not allowed here")
        with subprocess.Popen([tool, "--stop", "-n", "x"], stdin=subprocess.PIPE):
            told = set(watch.calls())
        assert {f"/bin/sh {tool} --stop -n x"} == told


def test_call_of_somebody_else_is_not_told(tool: Path) -> None:
    """The caller here is a process that has no children."""
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
    """And not by whom; once for all since the last time."""
    monkeypatch.setattr(watching, "_fanotify", refuse)
    with Watch([str(tool)], os.getpid()) as watch:
        assert (False, None) == (watch.tells_caller, watch.problem)
        assert [] == list(watch.calls())
        subprocess.run([tool], stdin=subprocess.DEVNULL, check=False)
        assert [""] == list(watch.calls())
        assert [] == list(watch.calls())


def test_watch_that_is_not_allowed_says_why(tool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the last reason."""
    monkeypatch.setattr(watching, "_fanotify", refuse)
    monkeypatch.setattr(watching, "_inotify", refuse)
    with Watch([str(tool)], os.getpid()) as watch:
        assert -1 == watch.fileno()
        assert isinstance(watch.problem, PermissionError)
