"""Notice who executes the original start-stop-daemon while an init script runs under ssd.

fanotify(7) tells of each execution and by whom, but root alone; to others inotify(7) tells that
the file was opened. Python has no call for either, so both are made by ctypes.
"""

import ctypes
import os
import struct
import time
from select import POLLIN, poll

from ssd.service.initscripts.program import Run, spawn
from ssd.service.initscripts.substitution import NAME, originals
from ssd.signals import raw as signals
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# Of a terminal these reach the script too, which says what becomes of it; sh(1) does the same.
LEFT_TO_IT = (signals.SIGINT, signals.SIGQUIT)
PASSED_ON = (signals.SIGTERM, signals.SIGHUP, signals.SIGUSR1, signals.SIGUSR2)

TOLD = "ssd-service: warning: start-stop-daemon itself was called, and not ssd: {call}\n"
UNTOLD = "too briefly to tell by whom"
UNSEEN = "by this script or by others, which only root can see"
BLIND = (
    "ssd-service: warning: whether a call reaches start-stop-daemon itself cannot be seen ({why})\n"
)

# linux/fanotify.h and linux/inotify.h
FAN_CLOEXEC, FAN_NONBLOCK = 0x1, 0x2
FAN_MARK_ADD = 0x1
FAN_OPEN_EXEC = 0x1000
AT_FDCWD = -100
FAN_EVENT = struct.Struct("=IBBHQii")  # length, version, reserved, metadata, mask, descriptor, pid
IN_OPEN = 0x20
INOTIFY_EVENT = struct.Struct("=iIII")  # watch, mask, cookie, length of the name
ROOM = 1 << 16
EXECUTES = 0.5  # seconds that execve(2) has from the opening of the file to the command line


class Watch:
    """A watch on the execution of files by the descendants of a process. Use it as a context.

    ``whose``: whether the kernel tells who it was. Where it allows no watch at all nothing is
    told, and ``problem`` says why.
    """

    def __init__(self, paths: "Sequence[str]", caller: int) -> None:
        """``caller``: the pid whose descendants are meant."""
        self._paths = [os.fsencode(path) for path in paths]
        self._caller = caller
        self._descriptor = -1
        self.whose = False
        self.problem: OSError | None = None

    def __enter__(self) -> "Watch":
        for whose, watch in ((True, _fanotify), (False, _inotify)):
            try:
                self._descriptor = watch(self._paths)
            except OSError as error:
                self.problem = error
            else:
                self.problem, self.whose = None, whose
                break
        return self

    def __exit__(self, *error: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor that is readable when there are calls; negative for none."""
        return self._descriptor

    def calls(self) -> "Iterable[str]":
        """Yield the command lines of the calls that were not told yet.

        Empty where it cannot be told which call it was, or whose.
        """
        try:
            data = os.read(self._descriptor, ROOM)
        except BlockingIOError:
            return
        if not self.whose:
            if data:
                yield ""
            return
        for length, *_, descriptor, pid in FAN_EVENT.iter_unpack(data):
            assert length == FAN_EVENT.size, "no more was asked for"
            if descriptor >= 0:
                os.close(descriptor)
            call = _command_line(pid)  # first: it may end at any moment
            if _descends(pid, self._caller):
                yield call


def _fanotify(paths: "Sequence[bytes]") -> int:
    """Return a descriptor that tells of executions. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    mark = library.fanotify_mark
    mark.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p)
    made = _checked(library.fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK, os.O_CLOEXEC))
    return _marked(
        made, paths, lambda path: mark(made, FAN_MARK_ADD, FAN_OPEN_EXEC, AT_FDCWD, path)
    )


def _inotify(paths: "Sequence[bytes]") -> int:
    """Return a descriptor that tells of openings. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    made = _checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    return _marked(made, paths, lambda path: library.inotify_add_watch(made, path, IN_OPEN))


def _marked(descriptor: int, paths: "Sequence[bytes]", mark: "Callable[[bytes], int]") -> int:
    """Return the descriptor with all paths marked; closed if one cannot be. Raises OSError."""
    try:
        for path in paths:
            _checked(mark(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _checked(result: int) -> int:
    """Return the result of a call of the C library. Raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the state on. Raises OSError once it has gone."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def _descends(pid: int, caller: int) -> bool:
    """Tell whether a process descends from the caller; one that has gone may be anybody's."""
    try:
        while pid > 1 and pid != caller:
            pid = int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return True
    return pid == caller


def _command_line(pid: int) -> str:
    """Return the command line of a process that is executing; empty if it has passed on."""
    until = time.monotonic() + EXECUTES
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")[:-1]
            # Where the file is a script it is its interpreter's first operand.
            if any(os.path.basename(word) == NAME.encode() for word in words[:3]):
                return os.fsdecode(b" ".join(words))
            if not words and _stat(pid)[0] == b"Z":
                break
        except (FileNotFoundError, ProcessLookupError):
            break
        # Not executed yet: the file is opened first, and the command line is set last.
        os.sched_yield()
    return ""


def run(script: Run) -> int:
    """Run a script to its end; return its status as os.waitpid has it. Raises OSError."""
    paths = originals()
    with Watch(paths, os.getpid()) as watch, _Signals() as passing:
        if watch.problem is not None and paths:
            write(2, BLIND.format(why=watch.problem.strerror))
        passing.to(spawn(script, default=passing.ignored))
        return _wait(passing.pid, watch)


class _Signals:
    """What becomes of signals to this process while the script runs. Use it as a context."""

    def __init__(self) -> None:
        self.pid = 0
        self.ignored: list[int] = []  # by this process alone
        self._early: list[int] = []  # that came before there was a script
        self._before: dict[int, object] = {}

    def __enter__(self) -> "_Signals":
        for number in (*LEFT_TO_IT, *PASSED_ON):
            if signals.getsignal(number) == signals.SIG_IGN:
                continue  # the caller's nohup(1) is the script's too
            if number in LEFT_TO_IT:
                self.ignored.append(number)
                self._before[number] = signals.signal(number, signals.SIG_IGN)
            else:
                self._before[number] = signals.signal(number, self._pass)
        return self

    def __exit__(self, *error: object) -> None:
        for number, action in self._before.items():
            signals.signal(number, action)

    def to(self, pid: int) -> None:
        """Pass signals on to this process from now on, with those that came before."""
        self.pid = pid
        while self._early:
            os.kill(pid, self._early.pop(0))

    def _pass(self, number: int, frame: object) -> None:
        if self.pid:
            os.kill(self.pid, number)  # it is no other's pid before it is waited for
        else:
            self._early.append(number)


def _wait(pid: int, watch: Watch) -> int:
    """Wait for the end of a child, and tell what the watch sees until then."""
    end = os.pidfd_open(pid)
    try:
        both = poll()
        both.register(end, POLLIN)
        if watch.fileno() >= 0:
            both.register(watch.fileno(), POLLIN)
        ended = False
        while not ended:
            ready = [descriptor for descriptor, _ in both.poll()]
            ended = end in ready
            if watch.fileno() >= 0:
                for call in watch.calls():
                    write(2, TOLD.format(call=call or (UNTOLD if watch.whose else UNSEEN)))
    finally:
        os.close(end)
    return os.waitpid(pid, 0)[1]  # the last: a signal after it may be for nobody


def end_as(status: int) -> int:
    """Return the exit status of a child, or end by the signal that has ended it."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signals.SIGKILL:
            signals.signal(-code, signals.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code if code >= 0 else 128 - code
