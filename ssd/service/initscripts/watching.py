"""Run an init script under ssd, and report calls of the original start-stop-daemon.

fanotify(7) reports each execution and its process, but only to root. inotify(7) tells other users
only that the file was opened. Python has neither call, so both go through ctypes.
"""

import ctypes
import os
import struct
import time
from select import POLLIN, poll

from ssd.service.initscripts.program import Run, spawn
from ssd.service.initscripts.substitution import TOOL, originals
from ssd.signals import raw as signals
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

# A terminal sends these to the script too, and the script decides. sh(1) does the same.
FROM_TERMINAL = (signals.SIGINT, signals.SIGQUIT)
FORWARDED = (signals.SIGTERM, signals.SIGHUP, signals.SIGUSR1, signals.SIGUSR2)

CALLED = "ssd-service: warning: the original start-stop-daemon was called, not ssd: {call}\n"
TOO_SHORT = "too short to identify the caller"
UNIDENTIFIED = "by this script or another process; only root can see which"
UNWATCHED = (
    "ssd-service: warning: cannot watch for calls of the original start-stop-daemon ({why})\n"
)

# linux/fanotify.h and linux/inotify.h
FAN_CLOEXEC, FAN_NONBLOCK = 0x1, 0x2
FAN_MARK_ADD = 0x1
FAN_OPEN_EXEC = 0x1000
AT_FDCWD = -100
FAN_EVENT = struct.Struct("=IBBHQii")  # length, version, reserved, metadata, mask, descriptor, pid
IN_OPEN = 0x20
BUFFER_SIZE = 1 << 16  # bytes
EXEC_TIMEOUT = 0.5  # seconds from the opening of the file to the command line, in execve(2)


class Watch:
    """A watch on files that the descendants of a process execute. Use it as a context.

    ``tells_caller``: whether the kernel reports the process. ``problem``: why the kernel allows
    no watch at all; None if it does.
    """

    def __init__(self, paths: "Sequence[str]", caller: int) -> None:
        """``caller``: the pid whose descendants are watched."""
        self._paths = [os.fsencode(path) for path in paths]
        self._caller = caller
        self._descriptor = -1
        self.tells_caller = False
        self.problem: OSError | None = None

    def __enter__(self) -> "Watch":
        for tells_caller, watch in ((True, _fanotify), (False, _inotify)):
            try:
                self._descriptor = watch(self._paths)
            except OSError as error:
                self.problem = error
            else:
                self.problem, self.tells_caller = None, tells_caller
                break
        return self

    def __exit__(self, *error: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable after a call; negative without a watch."""
        return self._descriptor

    def calls(self) -> "Iterable[str]":
        """Yield the command lines of new calls; "" for a call that cannot be identified."""
        try:
            data = os.read(self._descriptor, BUFFER_SIZE)
        except BlockingIOError:
            return
        if not self.tells_caller:
            if data:
                yield ""
            return
        for length, *_, descriptor, pid in FAN_EVENT.iter_unpack(data):
            assert length == FAN_EVENT.size, "no further information was requested"
            if descriptor >= 0:
                os.close(descriptor)
            call = _command_line(pid)  # first, because it may end at any moment
            if _descends(pid, self._caller):
                yield call


def _fanotify(paths: "Sequence[bytes]") -> int:
    """Return a descriptor that reports executions. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    mark = library.fanotify_mark
    mark.argtypes = (ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p)
    made = _checked(library.fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK, os.O_CLOEXEC))
    return _marked(
        made, paths, lambda path: mark(made, FAN_MARK_ADD, FAN_OPEN_EXEC, AT_FDCWD, path)
    )


def _inotify(paths: "Sequence[bytes]") -> int:
    """Return a descriptor that reports openings. Raises OSError."""
    library = ctypes.CDLL(None, use_errno=True)
    made = _checked(library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    return _marked(made, paths, lambda path: library.inotify_add_watch(made, path, IN_OPEN))


def _marked(descriptor: int, paths: "Sequence[bytes]", mark: "Callable[[bytes], int]") -> int:
    """Return the descriptor with all paths marked. On an OSError it is closed."""
    try:
        for path in paths:
            _checked(mark(path))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _checked(result: int) -> int:
    """Return the result of a C library call. Raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat from the state on. Raises OSError after its end."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()


def _descends(pid: int, caller: int) -> bool:
    """Return whether a process descends from the caller; True if it has ended already."""
    try:
        while pid > 1 and pid != caller:
            pid = int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return True
    return pid == caller


def _command_line(pid: int) -> str:
    """Return the command line of a process in execve(2); "" if it runs something else already."""
    until = time.monotonic() + EXEC_TIMEOUT
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")[:-1]
            # A script is the first operand of its interpreter.
            if any(os.path.basename(word) == TOOL.encode() for word in words[:3]):
                return os.fsdecode(b" ".join(words))
            if not words and _stat(pid)[0] == b"Z":
                break
        except (FileNotFoundError, ProcessLookupError):
            break
        # Not executed yet: execve(2) opens the file first and sets the command line last.
        os.sched_yield()
    return ""


def run(script: Run) -> int:
    """Run a script to its end; return its status as os.waitpid does. Raises OSError."""
    paths = originals()
    with Watch(paths, os.getpid()) as watch, _Signals() as passing:
        if watch.problem is not None and paths:
            write(2, UNWATCHED.format(why=watch.problem.strerror))
        passing.to(spawn(script, default=passing.ignored))
        return _wait(passing.pid, watch)


class _Signals:
    """Forwards signals to the script while it runs. Use it as a context."""

    def __init__(self) -> None:
        self.pid = 0
        self.ignored: list[int] = []  # by this process, not by the script
        self._early: list[int] = []  # arrived before the script started
        self._before: dict[int, object] = {}

    def __enter__(self) -> "_Signals":
        for number in (*FROM_TERMINAL, *FORWARDED):
            if signals.getsignal(number) == signals.SIG_IGN:
                continue  # nohup(1) of the caller holds for the script too
            if number in FROM_TERMINAL:
                self.ignored.append(number)
                self._before[number] = signals.signal(number, signals.SIG_IGN)
            else:
                self._before[number] = signals.signal(number, self._pass)
        return self

    def __exit__(self, *error: object) -> None:
        for number, action in self._before.items():
            signals.signal(number, action)

    def to(self, pid: int) -> None:
        """Forward signals to this process from now on, and those that arrived before."""
        self.pid = pid
        while self._early:
            os.kill(pid, self._early.pop(0))

    def _pass(self, number: int, frame: object) -> None:
        if self.pid:
            os.kill(self.pid, number)  # not reaped yet, so the pid is still its own
        else:
            self._early.append(number)


def _wait(pid: int, watch: Watch) -> int:
    """Wait for the end of a child, and report the calls that the watch sees."""
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
                    write(
                        2,
                        CALLED.format(
                            call=call or (TOO_SHORT if watch.tells_caller else UNIDENTIFIED)
                        ),
                    )
    finally:
        os.close(end)
    return os.waitpid(pid, 0)[1]  # at the very end: its pid may be reused afterwards


def end_as(status: int) -> int:
    """Return the exit status of a child, or die of the signal that killed it."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        if -code != signals.SIGKILL:
            signals.signal(-code, signals.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code if code >= 0 else 128 - code
