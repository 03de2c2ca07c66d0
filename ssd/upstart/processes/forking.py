"""Fork the supervisor, have the child become a process of a job, and learn what failed."""

import os

from ssd.errors import Error
from ssd.signals import raw as signals
from ssd.supervision.effects.spawning import hold
from ssd.upstart.processes.failures import describe
from ssd.upstart.processes.steps import FAILED, Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.effects.held import OwnChild
    from ssd.upstart.processes.steps import Plan


class Failed(Error):
    """The child took not all steps: Upstart's text."""


def fork(plan: "Plan", say: "Callable[[str, str], object]") -> "OwnChild":
    """Start the process of a plan, and return it once it is executed. Raises Failed and OSError.

    ``say(level, text)``: what the child has to say besides. This process must have one thread.
    """
    reading, writing = os.pipe()
    try:
        pid = _fork(plan, writing)
    except OSError as error:
        os.close(reading)
        raise Failed(describe("fork", error.strerror or str(error))) from error
    finally:
        os.close(writing)
    try:
        told = _read_all(reading)
    finally:
        os.close(reading)
    failure = None
    for message in told.splitlines():
        kind, what, text = (*map(os.fsdecode, message.split(b"\0", 2)), "", "")[:3]
        if os.fsencode(kind) == FAILED:
            failure = describe(what, text)
        else:
            say(what, text)
    if failure is not None:
        os.waitpid(pid, 0)
        raise Failed(failure)
    return hold(pid)


def _fork(plan: "Plan", writing: int) -> int:
    """Fork without a signal in between, which would run the supervisor's handlers in the child."""
    mask = signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            Child(plan, writing).run()
        return pid
    finally:
        signals.pthread_sigmask(signals.SIG_SETMASK, mask)


def _read_all(fd: int) -> bytes:
    """Read until execve(2), or the end of the child, has closed the other end."""
    text = b""
    while piece := os.read(fd, 4096):
        text += piece
    return text
