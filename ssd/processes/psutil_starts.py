"""When a process began, by psutil, as a number that stays when the clock is set.

psutil tells a time of day. What becomes of it when the clock is set:

| system | ``create_time()`` |
|---|---|
| Linux | moves with ``boot_time()``, which psutil adds |
| FreeBSD, OpenBSD | moves with the time of boot, which the kernel adds |
| macOS, NetBSD | stays; since psutil 7.1 moves, as that adds a change of the time of boot |

Where it moves, it moves alike for all processes. So a start is counted from boot on Linux, and from
the start of the caller elsewhere. What is read while the clock is set is read again.
"""

import os
import sys

import psutil

from ssd.errors import VANISHED, ProcessTableError
from ssd.processes.psutil_errors import asked, reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Answer = TypeVar("Answer")

LINUX = sys.platform == "linux"
MICROSECONDS = 1_000_000  # of a second
MAX_LOOKS = 100  # until a clock that is set all the time is an error

_first_start: dict[int, float] = {}  # pid of the caller: its start when it was first read


def clock() -> float:
    """Return a number that is another one after the clock was set.

    The time of boot on Linux, elsewhere the start of the caller. Raises ProcessTableError.
    """
    try:
        if LINUX:
            return asked(psutil.boot_time)
        return asked(lambda: psutil.Process(os.getpid()).create_time())
    except (psutil.Error, *VANISHED) as error:
        raise ProcessTableError(f"psutil cannot read the clock: {reason(error)}") from error


def steady(look: "Callable[[float], Answer]") -> "Answer":
    """Return what ``look`` returns while the clock is not set.

    ``look`` gets what ``clock`` returns. If it raises, its caller must ask once more: the clock may
    be the reason. Raises ProcessTableError if the clock does not stay.
    """
    before = clock()
    for _ in range(MAX_LOOKS):
        answer = look(before)
        now = clock()
        if now == before:
            return answer
        before = now
    raise ProcessTableError("the clock was set at each look at a process")


def start_time(created: float, at: float) -> int:
    """Return the start time of a process from what psutil says while ``clock`` says ``at``.

    In clock ticks since boot on Linux, elsewhere in microseconds since the epoch by the clock of
    the caller's first look.
    """
    if LINUX:
        return round((created - at) * os.sysconf("SC_CLK_TCK"))
    first = _first_start.setdefault(os.getpid(), at)
    return round(created * MICROSECONDS) - round(at * MICROSECONDS) + round(first * MICROSECONDS)
