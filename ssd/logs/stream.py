"""One FIFO and what comes out of it: a turn at a time, into the file and the other sinks.

The service has the FIFO open for reading and writing as its stdout, so it outlives the supervisor
and no write fails for want of a reader. The supervisor opens it for reading and writing, too: then
it has no hang-up when the service ends, and what was written remains until it is read.
"""

import os
import stat
from time import localtime, strftime

from ssd.logs.files import SPACE, LogFile, make_directory
from ssd.logs.forms import FORMS
from ssd.logs.rotation import NEXT
from ssd.logs.spool import CANNOT, Spool, waiting
from ssd.processes.waiting import ready

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.logs import Logs, Settings
    from ssd.logs.forms import Form
    from ssd.logs.sinks import Lines

TURN = 1 << 20  # bytes: then the next one has its turn
CHUNK = 65536  # bytes: a pipe's capacity
FEW = 4096  # bytes: after so few, another read would find nothing; epoll(7) says if it does
RETRY = 1.0  # seconds before a file that could not be written is tried again; it doubles
RETRY_MOST = 32.0  # seconds
_FIFO = os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_NONBLOCK = getattr(os, "SPLICE_F_NONBLOCK", 0)


def open_fifo(path: str, uid: int, gid: int) -> int:
    """Open a FIFO, or make it, with mode 0600 and this owner. Raises OSError.

    Its directory must be writable for the supervisor's user alone. One that is there is used with
    all that is in it.
    """
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        if not stat.S_ISFIFO(os.lstat(path).st_mode):
            raise
    fd = os.open(path, _FIFO)
    try:
        facts = os.fstat(fd)
        if (facts.st_uid, facts.st_gid) != (uid, gid):
            os.fchown(fd, uid, gid)
        if stat.S_IMODE(facts.st_mode) != 0o600:
            os.fchmod(fd, 0o600)
    except BaseException:
        os.close(fd)
        raise
    return fd


class Stream:
    """One output of one service."""

    file_type = LogFile
    __slots__ = (
        "logs", "settings", "name", "kind", "fifo", "path", "uid", "gid", "fd",
        "again", "delay", "lines", "spool", "listener", "in_own_place",
    )  # fmt: skip

    def __init__(
        self, logs: "Logs", settings: "Settings", name: str, kind: str, fifo: str,
        path: "str | None", uid: int, gid: int,
    ) -> None:  # fmt: skip
        """``kind``: stdout, stderr, or output for both. ``path``: of the log, None for no file."""
        self.logs = logs
        self.settings = settings
        self.name = name
        self.kind = kind
        self.fifo = fifo
        self.path = path
        self.uid = uid
        self.gid = gid
        self.fd = -1
        self.again: float | None = None  # when to try again what failed
        self.delay = RETRY
        self.lines: Lines | None = None
        self.spool: Spool | None = None
        self.listener: Callable[[Stream, int], None] | None = None
        self.in_own_place = False  # the supervisor's own directory of logs, which may be made

    def prepare(self) -> None:
        """Open the FIFO, unless it is open. Raises OSError."""
        if self.fd < 0:
            self.fd = open_fifo(self.fifo, self.uid, self.gid)
            self.logs.watch(self)
            if self.path is not None:
                self._end_what_was_begun(self.path)

    def _end_what_was_begun(self, path: str) -> None:
        """End the write or the rotation that the death of another supervisor has interrupted."""
        if waiting(self._spool_path()):
            self.spool = Spool(self._spool_path())
        if self.spool is not None or os.path.lexists(path + NEXT):
            self.drain()

    def for_child(self) -> int:
        """Return a new descriptor of the FIFO that blocks, for the service. Raises OSError."""
        return os.open(self.fifo, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def close(self) -> None:
        """Let go of the FIFO and the file. What is in the FIFO remains if somebody has it open."""
        if self.fd >= 0:
            if self.again is None:
                self.logs.unwatch(self)
            self._set_again(None)
            self.logs.files.drop(self)
            self._drop_spool()
            os.close(self.fd)
            self.fd = -1

    def written(self) -> float:
        """Return when the log was written last, in seconds since the epoch; 0 without a file."""
        try:
            return os.stat(self.path or "").st_mtime
        except FileNotFoundError:
            return 0

    def remove(self) -> None:
        """Let go of it, and remove the FIFO. The log remains."""
        self.close()
        for path in (self.fifo, self._spool_path()):
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue  # it was never made

    # A turn

    def drain(self) -> bool:
        """Move what is there, about a megabyte at most; tell whether there may be more.

        If it cannot be written, it stays, this is told once, and ``again`` is set.
        """
        if self.fd < 0:
            return False
        try:
            more = self._turn()
        except OSError as error:
            self._pause(error)
            return False
        self._resume()
        return more

    __call__ = drain  # what a watch calls; a bound method for each would take memory

    def _turn(self) -> bool:
        if self.path is None:
            return self._read()
        file = self.logs.files.get(self, self._open)
        if self.spool is not None and self.spool.full:
            self._tell(self.spool.finish(file, self._form(), (self.name, self.kind)))
        if self.settings.max_age and file.size >= file.limit:
            if file.age(self.logs.clock()) >= self.settings.max_age:
                self._rotate(file, whole=True)
        moved = 0
        while moved < TURN:
            wanted = self._room(file)
            try:
                count = self._move(file, wanted)
            except BlockingIOError:
                return False  # the FIFO is empty
            moved += count
            if self.listener is not None:
                self.listener(self, count)
            if count < FEW and count < wanted:
                return False
        return True

    def _room(self, file: LogFile) -> int:
        """Return how many bytes the file may take at once; begin a new one if it is full."""
        most = self.settings.max_size
        if not most:
            return CHUNK
        if file.size >= max(most, file.limit):
            self._rotate(file, whole=False)
        return min(CHUNK, max(most, file.limit) - file.size)

    def _rotate(self, file: LogFile, whole: bool) -> None:
        """Rotate. If its directory does not let us, the file grows on, and this is told."""
        try:
            file.rotate(whole)
            if self.settings.max_age:
                file.age(self.logs.clock())  # notes the time in the new file
        except OSError as error:
            if error.errno in SPACE:
                raise
            self._report("failed", f"cannot rotate {self.path}: {error.strerror}")
            file.limit = file.size + max(self.settings.max_size, CHUNK)

    def _move(self, file: LogFile, count: int) -> int:
        """Move bytes from the FIFO to the file; return how many. Raises OSError."""
        if file.spliced and self.settings.form == "plain":
            try:
                moved = os.splice(self.fd, file.fd, count, None, file.size, _NONBLOCK)
            except (OSError, AttributeError) as error:
                if isinstance(error, OSError) and error.errno not in CANNOT:
                    raise
                file.spliced = False
            else:
                file.size += moved
                if self.settings.shared:
                    self._tell(os.pread(file.fd, moved, file.size - moved))
                return moved
        if self.spool is None:
            self.spool = self._new_spool()
        names = self.name, self.kind
        time = self.logs.clock()
        piece = self.spool.pass_on(self.fd, count, file, self._form(), time, names)
        self._tell(piece)
        return len(piece)

    def _read(self) -> bool:
        """Read for syslog and stdout alone."""
        moved = 0
        while moved < TURN:
            try:
                piece = os.read(self.fd, CHUNK)
            except BlockingIOError:
                return False
            moved += len(piece)
            self._tell(piece)
            if len(piece) < FEW:
                return False
        return True

    def finish(self) -> None:
        """Write what is left and end a begun line, because the service has ended.

        A service that is silent costs one poll(2): its successor is waiting.
        """
        if self.fd < 0:
            return
        if ready([self.fd], 0):
            self.drain()
        if self.again is not None:
            return
        if self.settings.form != "plain" and self.path is not None and os.path.lexists(self.path):
            try:
                self._end_line(self.logs.files.get(self, self._open))
            except OSError as error:
                self._pause(error)
        if self.lines is not None:
            self._put(self.lines.flush())

    def _end_line(self, file: LogFile) -> None:
        back, text = self._form().finish(file.tail())
        if text:
            file.write(text, file.size - back)

    # Failures

    def advance(self, now: float) -> None:
        """Try again what has failed, if its time has come."""
        if self.again is not None and self.again <= now:
            self.drain()

    def _pause(self, error: OSError) -> None:
        """Leave the output in the FIFO for a while, and say why the first time."""
        self.logs.files.drop(self)
        if self.again is None:
            self._report("failed", f"cannot write {self.path}: {error.strerror}; output waits")
            self.logs.unwatch(self)
        self._set_again(self.logs.now() + self.delay)
        self.delay = min(2 * self.delay, RETRY_MOST)

    def _resume(self) -> None:
        if self.again is not None:
            self._set_again(None)
            self.delay = RETRY
            self.logs.watch(self)
            self._report("resumed", f"writes {self.path} again")

    def _set_again(self, time: "float | None") -> None:
        self.again = time
        if time is None:
            self.logs.paused.pop(self, None)
        else:
            self.logs.paused[self] = None

    def _report(self, kind: str, text: str) -> None:
        self.logs.report(self.name, kind, text)

    # Sinks

    def _tell(self, piece: bytes) -> None:
        """Give whole lines to syslog and stdout."""
        if self.settings.shared:
            if self.lines is None:
                from ssd.logs.sinks import Lines

                self.lines = Lines()
            self._put(self.lines.feed(piece))

    def _put(self, lines: list[bytes]) -> None:
        if lines and self.settings.syslog:
            there = localtime(self.logs.clock())
            stamp = f"{strftime('%b', there)} {there.tm_mday:2} {strftime('%H:%M:%S', there)}"
            self.logs.syslog().put(self.name, lines, stamp)
        if lines and self.settings.forward:
            self.logs.forward().put(self.name, lines)

    # Files

    def _open(self) -> LogFile:
        path = self.path or ""
        try:
            return self.file_type(path, self.settings.keep, self.uid)
        except FileNotFoundError:
            if not self.in_own_place:
                raise
        make_directory(os.path.dirname(path))
        return self.file_type(path, self.settings.keep, self.uid)

    def _form(self) -> "Form":
        return FORMS[self.settings.form]

    def _new_spool(self) -> Spool:
        return Spool(self._spool_path())

    def _spool_path(self) -> str:
        return f"{self.fifo}.spool"

    def _drop_spool(self) -> None:
        if self.spool is not None:
            self.spool.close()
            self.spool = None
