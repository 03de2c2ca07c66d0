"""What a process on its way to be a daemon tells the one that waits for it.

Messages go through a close-on-exec pipe: its end without a failure means that execve(2)
has succeeded. A message is a marshalled tuple behind its length. One process at a time
writes, so it need not be so small that it goes in one piece (PIPE_BUF, pipe(7)).
"""

import marshal
import os

from ssd import errors
from ssd.matching import UNKNOWN_START, Process
from ssd.writing import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd.processes.contract import ProcessTable

FORMAT = 2  # of marshal, which every Python reads: a helper's may be another
LENGTH = 4
_LONGEST = 1000  # characters of one text
# What may be reported: an exception's class name and the arguments that make it again.
_FIELDS = {
    "AlreadyRunning": ("processes",),
    "ExecutableMissing": ("path", "errno", "strerror"),
    "PidfileUnreadable": ("path", "reason", "errno"),
    "PidfileUnsafe": ("path", "reason", "errno"),
    "PidfileUnwritable": ("path", "reason", "errno"),
    "ProcessTableError": ("reason",),
    "ProcessUnreadable": ("pid",),
    "StartBlocked": ("path", "seconds"),
    "StartFailed": ("stage", "detail", "errno", "reason"),
    "NotReady": ("process", "reason", "errno", "detail"),
    "UnknownGroup": ("group",),
    "UnknownUser": ("user",),
}


def send(fd: int, kind: str, *values: object) -> None:
    """Write one message. Nobody listening is no error: the listener was killed."""
    plain: list[object] = [kind, *map(_plain, values)]
    message = marshal.dumps(plain, FORMAT)
    try:
        write_all(fd, len(message).to_bytes(LENGTH, "little") + message)
    except BrokenPipeError:
        pass  # whoever asked for the start is gone; the start itself goes on


def send_self(fd: int, here: Process | None) -> None:
    """Tell who this process is; None: all that it knows of itself is its pid."""
    send(fd, "process", os.getpid(), UNKNOWN_START if here is None else here.start_time)


def send_error(fd: int, error: BaseException) -> None:
    """Write a failure; one that nobody foresaw goes as StartFailed at stage "internal"."""
    name = type(error).__name__
    if name not in _FIELDS:
        name, error = "StartFailed", errors.StartFailed("internal", repr(error), None, "")
    send(fd, "error", name, *(getattr(error, field) for field in _FIELDS[name]))


def receive(fd: int) -> "Iterator[tuple[str, list[object]]]":
    """Yield (kind, values) until the other end is closed; half a message is none."""
    while len(length := _read(fd, LENGTH)) == LENGTH:
        size = int.from_bytes(length, "little")
        message = _read(fd, size)
        if len(message) < size:
            return  # killed in the middle of it
        kind, *values = marshal.loads(message)
        yield kind, values


def _read(fd: int, size: int) -> bytes:
    """Read so many bytes, less only at the end."""
    data = b""
    while len(data) < size and (more := os.read(fd, size - len(data))):
        data += more
    return data


def error_from(values: "list[object]") -> errors.Error:
    """Make the exception again that ``send_error`` took apart."""
    name, *arguments = values
    if name == "AlreadyRunning":
        arguments = [[Process(*pair) for pair in arguments[0]]]  # type: ignore[attr-defined]
    elif name == "NotReady":
        arguments = [Process(*arguments[0]), *arguments[1:]]  # type: ignore[misc]
    error: errors.Error = getattr(errors, str(name))(*arguments)
    return error


class Told:
    """What the reports of one start have told so far.

    ``failure`` says why there is no program, as long as there is none: also if whoever was
    to become it is not heard of again. ``done``: so did a helper end. ``taken``: how many.
    """

    __slots__ = ("process", "done", "taken", "_failure", "_executing")

    def __init__(self) -> None:
        self.process: Process | None = None
        self.done = False
        self.taken = 0
        self._failure: errors.Error | None = None
        self._executing = False

    def take(self, kind: str, values: "list[object]") -> None:
        """Take one message in; the same again changes nothing."""
        if kind == "process":
            self.process = Process(*values)  # type: ignore[arg-type]
        elif kind == "executing":
            self._executing = True
        elif kind == "done":
            self.done = True
        elif kind == "error":
            self._failure = error_from(values)
        self.taken += 1

    @property
    def failure(self) -> errors.Error | None:
        """Return why the start failed; None if it did not."""
        if self._failure is None and (self.process is None or not self._executing):
            return errors.StartFailed("fork", "", None, "the process to become it was killed")
        return self._failure

    def result(self) -> Process:
        """Return the process, or raise the failure."""
        if self.failure is not None or self.process is None:
            raise self.failure or AssertionError("a start without a process is a failure")
        return self.process


def arrived(process: Process, table: "ProcessTable | None") -> Process:
    """Return a program that has just been executed as it is seen from here, by every criterion.

    execve(2) closes descriptors, by which we know of it, before it gives the process its new
    name; the kernel lets go of some of them later still (task_work), and after vfork(2) it does
    not. Who opens auxv, let in or not, waits for name, executable and owner (exec_update_lock,
    fs/exec.c), not for the command line. One call of C closes it too: no handler comes between.
    """
    try:
        any(map(os.close, map(os.open, (f"/proc/{process.pid}/auxv",), (os.O_RDONLY,))))
        return process
    except FileNotFoundError:
        pass
    except OSError:  # not ours to read, or gone by now
        return process
    from ssd.processes import default_table
    from ssd.processes.hidden import as_seen  # rare: it has seen itself, and we may not

    return as_seen(process, table or default_table())


def reap(pid: int) -> None:
    """Wait for a child of ours to end and let the kernel forget it.

    A process that ignores SIGCHLD, or waits for any child elsewhere, has had it reaped
    already.
    """
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _plain(value: object) -> object:
    """Turn a value into what marshal can carry, cut to a length that fits."""
    if isinstance(value, Process):
        return (value.pid, value.start_time)
    if isinstance(value, list):
        return [_plain(each) for each in value[:100]]
    return value[:_LONGEST] if isinstance(value, str) else value
