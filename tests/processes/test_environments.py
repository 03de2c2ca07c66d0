"""The environment of a process that is just being executed, or that has none."""

import os
from pathlib import Path

import pytest

from ssd.errors import ProcessTableError
from ssd.processes import environments


@pytest.fixture
def within_execve(tmp_path: Path) -> Path:
    """Return the directory of a process that has a program, and no words and variables yet."""
    directory = tmp_path / "5"
    directory.mkdir()
    (directory / "stat").write_bytes(b"5 (a) R 1 5 5 " + b"0 " * 40)
    for name in ("cmdline", "environ"):
        (directory / name).touch()
    (directory / "exe").symlink_to("/bin/sh")
    return directory


def test_environment_within_execve_is_waited_for(
    within_execve: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel sets the words first, and the variables right after."""

    def go_on() -> None:
        (within_execve / "cmdline").write_bytes(b"sh\0")
        (within_execve / "environ").write_bytes(b"A=1\0B=2\0")

    monkeypatch.setattr(environments.os, "sched_yield", go_on)
    assert [b"A=1", b"B=2"] == environments.entries(os.fsencode(within_execve.parent), 5)


@pytest.mark.parametrize("what", ["words", "thread of the kernel", "zombie", "too long"])
def test_environment_that_is_empty_is_not_waited_for(
    within_execve: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Some processes have none, and one may hang within execve(2)."""
    times = iter((5.0, 5.5, 6.5))
    monkeypatch.setattr(environments, "monotonic", lambda: next(times))
    if what == "words":
        (within_execve / "cmdline").write_bytes(b"env\0")
    elif what == "thread of the kernel":
        (within_execve / "exe").unlink()
    elif what == "zombie":
        (within_execve / "stat").write_bytes(b"5 (a) Z 1 5 5 " + b"0 " * 40)
    assert [] == environments.entries(os.fsencode(within_execve.parent), 5)
    assert (what == "too long") == ([] == list(times))


def test_shortage_of_descriptors_is_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error, and not a process without one."""

    def exhausted(*given: object, **named: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(environments.os, "open", exhausted)
    with pytest.raises(ProcessTableError, match="unable to read /proc: Too many open files"):
        environments.entries(b"/proc", os.getpid())
