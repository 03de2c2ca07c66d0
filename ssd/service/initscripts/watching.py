"""Notice who executes the original start-stop-daemon while an init script runs under ssd.

fanotify(7) tells of each execution and by whom, but root alone; to others inotify(7) tells that
the file was opened. Python has no call for either, so both are made by ctypes.
"""

import ctypes
import os
import struct
import time

from ssd.service.initscripts.rewriting import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
