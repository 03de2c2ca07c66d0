"""The tools of the conformance checks: a world, and functions to compare with expected values."""

from collections.abc import Callable
from typing import Protocol

from ssd.matching import Process
from ssd.processes.contract import ProcessTable


class World(Protocol):
    """A table, and the means to make things happen on it.

    ``caller``: the pid of the caller, on a real table that of this process. ``can_rename``: False
    if processes cannot change their name.
    """

    table: ProcessTable
    caller: int
    can_rename: bool

    def start(self, name: bytes | None = None, *, parent: int | None = None) -> int:
        """Start a process, a child of the caller or of ``parent``; return its pid."""

    def rename(self, pid: int, name: bytes) -> None:
        """Have a child of the caller take another name."""

    def execute(self, pid: int, name: bytes) -> None:
        """Have a child of the caller execute its own program by a path that ends with a name."""

    def ignore(self, pid: int, signum: int) -> None:
        """Have a child of the caller ignore a signal from now on."""

    def kill(self, pid: int) -> None:
        """End a child of the caller and leave a zombie."""

    def reap(self, pid: int) -> None:
        """Take the zombie of a child of the caller off the table."""

    def file(self, pid: int) -> tuple[int, int]:
        """Return device and inode of the executable that all started processes run."""

    def uid(self) -> int:
        """Return the user that all started processes belong to."""

    def foreign(self) -> int | None:
        """Return the pid of a process that the caller may not signal, if there is one."""

    def close(self) -> None:
        """End all that was started."""


def expect(actual: object, expected: object, what: str) -> None:
    """Raise AssertionError unless both are equal; ``what`` names the value."""
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r}, not {expected!r}")


def expect_error(kind: type[Exception], call: Callable[[], object], what: str) -> None:
    """Raise AssertionError unless the call raises such an exception."""
    try:
        answer = call()
    except kind:
        return
    raise AssertionError(f"{what}: {answer!r}, not {kind.__name__}")


def hider(world: World) -> Callable[[int], None] | None:
    """Return the world's method ``hide``, after which a child is not dumpable (prctl(2)).

    None if the world has no such method, or its processes cannot do so.
    """
    hide: Callable[[int], None] | None = getattr(world, "hide", None)
    return hide if world.can_rename else None


def identity(world: World, pid: int) -> Process:
    """Return the process with a pid. Raises AssertionError if the table has none."""
    process = world.table.process(pid)
    if process is None:
        raise AssertionError(f"process({pid}): None, but it lives")
    return process
