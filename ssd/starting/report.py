"""The reports of a future daemon to the process that waits for it.

They go through a close-on-exec pipe: if it closes without a reported failure, execve(2) has
succeeded. A message is its length and a marshalled list. Only one process writes at a time, so a
message may be longer than a write that is atomic (PIPE_BUF, pipe(7)).
"""

import marshal
import os

from ssd import errors
from ssd.matching import UNKNOWN_START, Process
from ssd.stdio import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ssd.processes.contract import ProcessTable

FORMAT = 2  # of marshal; every Python reads it, and a helper may be another Python
LENGTH_SIZE = 4  # bytes
MAX_TEXT_LENGTH = 1000  # characters
MAX_LIST_LENGTH = 100  # items
# The errors that can be reported, and the attributes that are their arguments. A rare one adds
# itself when its module is loaded (``ssd.starting.living``).
FIELDS: dict[type, tuple[str, ...]] = {
    errors.AlreadyRunning: ("processes",),
    errors.ExecutableMissing: ("path", "errno", "strerror"),
    errors.PidfileUnreadable: ("path", "reason", "errno"),
    errors.PidfileUnsafe: ("path", "reason", "errno"),
    errors.PidfileUnwritable: ("path", "reason", "errno"),
    errors.ProcessTableError: ("reason",),
    errors.ProcessUnreadable: ("pid",),
    errors.StartBlocked: ("path", "seconds"),
    errors.StartFailed: ("stage", "detail", "errno", "reason"),
    errors.NotReady: ("process", "reason", "errno", "detail"),
    errors.UnknownGroup: ("group",),
    errors.UnknownUser: ("user",),
}


def send(fd: int, kind: str, *values: object) -> None:
    """Write one message. If the reader was killed, ignore that: the start continues."""
    plain: list[object] = [kind, *map(_plain, values)]
    message = marshal.dumps(plain, FORMAT)
    try:
        write_all(fd, len(message).to_bytes(LENGTH_SIZE, "little") + message)
    except BrokenPipeError:
        pass


def send_self(fd: int, here: Process | None) -> None:
    """Report the pid of this process, and its start time unless ``here`` is None (unknown)."""
    send(fd, "process", os.getpid(), UNKNOWN_START if here is None else here.start_time)


def send_error(fd: int, error: BaseException) -> None:
    """Report a failure: as its nearest class in ``FIELDS``, else as StartFailed "internal"."""
    kind = next((kind for kind in type(error).__mro__ if kind in FIELDS), None)
    if kind is None:
        kind, error = errors.StartFailed, errors.StartFailed("internal", repr(error), None, "")
    send(fd, "error", kind.__name__, *(getattr(error, field) for field in FIELDS[kind]))


def receive(fd: int) -> "Iterator[tuple[str, list[object]]]":
    """Yield (kind, values) until the other end is closed; ignore an incomplete message."""
    while len(length := _read(fd, LENGTH_SIZE)) == LENGTH_SIZE:
        size = int.from_bytes(length, "little")
        message = _read(fd, size)
        if len(message) < size:
            return  # the writer was killed
        kind, *values = marshal.loads(message)
        yield kind, values


def _read(fd: int, size: int) -> bytes:
    """Read ``size`` bytes, or fewer if the other end is closed."""
    data = b""
    while len(data) < size and (more := os.read(fd, size - len(data))):
        data += more
    return data


def error_from(values: "list[object]") -> errors.Error:
    """Return the exception that ``send_error`` has sent."""
    name, *arguments = values
    if name == "AlreadyRunning":
        arguments = [[Process(*pair) for pair in arguments[0]]]  # type: ignore[attr-defined]
    elif name in ("NotReady", "EndedEarly"):
        arguments = [Process(*arguments[0]), *arguments[1:]]  # type: ignore[misc]
    kind = next(kind for kind in FIELDS if kind.__name__ == name)
    error: errors.Error = kind(*arguments)
    return error


class Outcome:
    """The outcome of a start, as far as it is reported.

    done: whether a helper has reported its end. received: the number of messages.
    """

    __slots__ = ("process", "done", "received", "_failure", "_executing")

    def __init__(self) -> None:
        self.process: Process | None = None
        self.done = False
        self.received = 0
        self._failure: errors.Error | None = None
        self._executing = False

    def take(self, kind: str, values: "list[object]") -> None:
        """Process one message. A repeated message changes only ``received``."""
        if kind == "process":
            self.process = Process(*values)  # type: ignore[arg-type]
        elif kind == "executing":
            self._executing = True
        elif kind == "done":
            self.done = True
        elif kind == "error":
            self._failure = error_from(values)
        self.received += 1

    @property
    def failure(self) -> errors.Error | None:
        """Return why the start failed. It has failed until "executing" is reported."""
        if self._failure is None and (self.process is None or not self._executing):
            return errors.StartFailed("fork", "", None, "the process that starts it was killed")
        return self._failure

    def result(self) -> Process:
        """Return the process. Raises the failure."""
        if self.failure is not None or self.process is None:
            raise self.failure or AssertionError("no process and no failure")
        return self.process


def after_exec(process: Process, table: "ProcessTable | None") -> Process:
    """Return a process whose execve(2) has just succeeded, when every criterion can match it.

    execve(2) closes the pipe before it changes the name of the process. After fork(2) the kernel
    may delay the close until then (task_work), after vfork(2) it does not. An open(2) of auxv,
    allowed or not, waits until name, executable and owner have changed (exec_update_lock,
    fs/exec.c); the command line may change later. One call of C opens and closes: no signal handler
    runs in between.
    """
    try:
        any(map(os.close, map(os.open, (f"/proc/{process.pid}/auxv",), (os.O_RDONLY,))))
        return process
    except FileNotFoundError:
        pass
    except OSError:  # not permitted, or the process has ended
        return process
    from ssd.processes import default_table
    from ssd.processes.hidden import as_seen  # /proc shows itself to the process, not to us

    return as_seen(process, table or default_table())


def reap(pid: int) -> None:
    """Wait for a child of ours to end, and reap it.

    It may be reaped already, by a program that ignores SIGCHLD or waits for any child.
    """
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _plain(value: object) -> object:
    """Return a value that marshal can write, shortened if it is long."""
    if isinstance(value, Process):
        return (value.pid, value.start_time)
    if isinstance(value, list):
        return [_plain(each) for each in value[:MAX_LIST_LENGTH]]
    return value[:MAX_TEXT_LENGTH] if isinstance(value, str) else value
