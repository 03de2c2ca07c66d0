"""A mark that the descendants of one process inherit, whatever they do: to tell whose they are.

A daemon leaves its session, its parent and often its environment, and what has ended has none. But
each process keeps the limit for pending signals (RLIMIT_SIGPENDING of getrlimit(2)) that it was
forked with; /proc/PID/limits shows that of zombies too. So a process that is to be followed gets a
soft limit that is lower by a small number, which the starts of a while have alone. Nobody has
thousands of signals pending.
"""

import os

from ssd.errors import VANISHED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SPAN = 500  # numbers, after which the first one is used again
UNLIMITED = 1 << 20  # signals: the base where there is no limit
_LINE = b"Max pending signals"


class Marks:
    """Gives the numbers. ``apply`` is called in a child, ``take`` in its parent after that."""

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = 1

    def apply(self) -> None:
        """Mark this process, right before it executes its program.

        Without such a limit in the kernel, or if it is very low, there is no mark.
        """
        import resource

        kind = getattr(resource, "RLIMIT_SIGPENDING", None)
        if kind is None:
            return
        soft, hard = resource.getrlimit(kind)
        base = UNLIMITED if soft == resource.RLIM_INFINITY else soft
        if base > 2 * SPAN:
            resource.setrlimit(kind, (base - self._number, hard))

    def take(self, pid: int, limits: "Mapping[str, tuple[int, int]]") -> "Mark | None":
        """Return the mark of the process that was started last; None if it has none.

        limits: that the job declares for it. The next process gets another number.
        """
        number = self._number
        self._number = number % SPAN + 1
        value = of(pid)
        bases = {_base(), UNLIMITED, limits.get("sigpending", (0, 0))[0]}
        if value is None or value + number not in bases:
            return None
        return Mark(value, value + number)


class Mark:
    """``value``: the soft limit of the marked ones; ``original``: what it was before."""

    __slots__ = ("value", "original")

    def __init__(self, value: int, original: int) -> None:
        self.value = value
        self.original = original

    def remove(self, pid: int) -> None:
        """Give a process the limit back that it would have without the mark.

        It keeps the mark if the kernel allows no other process to change it (prlimit(2)).
        """
        import resource

        try:
            _, hard = resource.prlimit(pid, resource.RLIMIT_SIGPENDING)
            resource.prlimit(pid, resource.RLIMIT_SIGPENDING, (self.original, hard))
        except (OSError, ValueError):
            return  # it has ended, or belongs to another user, or has lowered its hard limit


MARKS = Marks()


def of(pid: int) -> int | None:
    """Return the soft limit for pending signals of a process or zombie; None if nobody says it."""
    try:
        with open(f"/proc/{pid}/limits", "rb") as file:
            lines = file.read().splitlines()
    except VANISHED:
        return None
    for line in lines:
        if line.startswith(_LINE):
            soft = line[len(_LINE) :].split()[0]
            return UNLIMITED if soft == b"unlimited" else int(soft)
    return None


def _base() -> int:
    """Return our own soft limit, 0 where there is none."""
    return of(os.getpid()) or 0
