"""Leftovers: descriptors, zombies, files."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def open_descriptors() -> dict[int, str]:
    """Return the descriptors of this process and their targets."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one of listdir itself
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


def zombies() -> list[int]:
    """Return this process's children that have ended and were not reaped."""
    while True:
        try:
            return _zombies()
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread has ended meanwhile, and its children have another parent


def _zombies() -> list[int]:
    found = []
    for task in os.listdir("/proc/self/task"):
        for pid in Path(f"/proc/self/task/{task}/children").read_text().split():
            stat = Path(f"/proc/{pid}/stat").read_bytes()  # a name may be any bytes
            if stat[stat.rindex(b")") + 2 :].startswith(b"Z"):
                found.append(int(pid))
    return found


@contextlib.contextmanager
def same_descriptors() -> Iterator[None]:
    """Fail if a descriptor stays open, or is closed that was open."""
    before = open_descriptors()
    yield
    assert before == open_descriptors()


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Fail if a descriptor stays open or a child unreaped.

    Earlier zombies belong to another test, and fail only that one.
    """
    before = zombies()
    with same_descriptors():
        yield
        assert [] == [pid for pid in zombies() if pid not in before]


def listing(directory: str | Path) -> list[str]:
    """Return the names in a directory, hidden ones too, in order."""
    return sorted(os.listdir(directory))
