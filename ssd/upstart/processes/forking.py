"""Have a fork become a process of a job, and say in the words of Upstart what failed."""

import os
from time import monotonic

from ssd.errors import Error
from ssd.processes.waiting import ready
from ssd.signals import raw as signals
from ssd.supervision.effects.spawning import hold
from ssd.upstart.processes.steps import FAILED, LIMIT, Child

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.effects.held import OwnChild
    from ssd.upstart.processes.steps import Plan

PATIENCE = 5.0  # seconds
# Step -> what Upstart says of it; the kernel's reason follows after a colon, if there is one.
TEXTS = {
    "fork": "unable to fork",
    "script": "unable to move script fd",
    "console": "unable to open console",
    "profile": "unable to switch security profile",
    "nice": "unable to set priority",
    "oom": "unable to set oom adjustment",
    "chroot": "unable to change root directory",
    "chdir": "unable to change working directory",
    "user": "unable to find setuid user",
    "group": "unable to find setgid group",
    "named user": "unable to getpwnam",
    "named group": "unable to getgrnam",
    "own user": "unable to getpwuid",
    "own group": "unable to getgrgid",
    "chown": "unable to chown",
    "groups": "unable to initgroups",
    "setgid": "unable to setgid",
    "setuid": "unable to setuid",
    "exec": "unable to execute",
}


class Failed(Error):
    """The child took not all steps: Upstart's text."""


def fork(plan: "Plan", say: "Callable[[str, str], object]") -> "OwnChild":
    """Start the process of a plan, and return it once it is executed. Raises Failed and OSError.

    One that takes longer than PATIENCE, to enter the directory of a file server for example, is
    returned before: its end is that of its job then. ``say(level, text)``: what the child has to
    say besides. This process must have one thread.
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
        told, is_whole = _read_all(reading, PATIENCE)
    finally:
        os.close(reading)
    if not is_whole:
        say("warn", f"Process {pid} takes long to execute its program: nobody waits for that")
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


def _read_all(fd: int, seconds: float) -> "tuple[bytes, bool]":
    """Read until execve(2), or the end of the child, has closed the other end.

    Return what was there, and whether that was all within the time.
    """
    text, end = b"", monotonic() + seconds
    while ready([fd], max(0.0, end - monotonic())):
        piece = os.read(fd, 4096)
        if not piece:
            return text, True
        text += piece
    return text, False


def describe(step: str, reason: str) -> str:
    """Return Upstart's text for a step that failed. ``reason``: the kernel's; "" without one."""
    if step.startswith(LIMIT):
        text = f'unable to set "{step.removeprefix(LIMIT)}" resource limit'
    else:
        text = TEXTS.get(step, f"unable to {step}")
    return f"{text}: {reason}" if reason else text
