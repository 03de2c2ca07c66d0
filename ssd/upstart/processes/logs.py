"""The output of jobs: from a terminal for each stage into one file for each instance.

A stage writes to the slave of a pseudo terminal (pty(7)), so its lines end with CR LF in the file
as on a screen, and it writes each line at once. The file belongs to whoever rotates it: it is
appended to, and opened anew once its path leads elsewhere. What cannot be written is kept, up to
KEPT bytes an instance, until the next output, the end of the stage, or ``Logs.write_kept``.
"""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.watch import Watch

MODE = 0o640
KEPT = 1 << 18  # bytes of one instance that cannot be written yet
PIECE = 1 << 16  # bytes: more than a terminal holds
TURN = 1 << 17  # bytes that are moved before others have their turn
LAST = 1 << 18  # bytes that are read of a stage that has ended: more than it can have left
# The directory may come while the machine starts: no reason to complain.
NOT_YET = (errno.ENOENT, errno.EROFS, errno.EACCES, errno.EPERM)
_OPEN = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def path_of(directory: str, name: str, instance: str) -> str:
    """Return the path of the log of an instance of a job."""
    base = f"{name}-{instance}" if instance else name
    return f"{directory}/{base.replace('/', '_')}.log"


class Logs:
    """What the logs of all jobs share.

    directory: None keeps nothing. tell(level, text): for what cannot be written. open: the logs
    that have terminals.
    """

    __slots__ = ("directory", "watch", "tell", "open", "_unwritten", "_lacks")

    def __init__(
        self, directory: "str | None", watch: "Watch", tell: "Callable[[str, str], object]"
    ) -> None:
        self.directory = directory
        self.watch = watch
        self.tell = tell
        self.open: set[Log] = set()
        self._lacks = False
        self._unwritten: dict[str, Log] = {}  # of stages that have ended, by path

    def log(self, name: str, instance: str, label: str) -> "Log | None":
        """Return the log of an instance, which opens no file before there is output."""
        if self.directory is None:
            return None
        path = path_of(self.directory, name, instance)
        kept = self._unwritten.pop(path, None)
        return Log(self, label, path) if kept is None else kept

    def keep(self, log: "Log") -> None:
        """Remember a log with output that could not be written, as its job has ended."""
        self._unwritten[log.path] = log

    def lack(self, error: OSError) -> None:
        """Tell once that there are no terminals."""
        if not self._lacks:
            self._lacks = True
            reason = error.strerror or str(error)
            self.tell("warn", f"Failed to create pty: {reason}; jobs write to pipes")

    def write_kept(self) -> None:
        """Write what ended jobs have left, as their directory can be written now."""
        for path, log in list(self._unwritten.items()):
            if log.write(b""):
                self._unwritten.pop(path, None)
                log.close()

    def close(self) -> None:
        """Write what is there, try once more to write what is kept, and let all go."""
        for log in list(self.open):
            log.finish()
        self.write_kept()
        self._unwritten.clear()


class Log:
    """The log of one instance of a job: its file, and the terminals of its stages.

    name: the label of the instance. listener: called with the log and a count of bytes after they
    were written, for who follows the log.
    """

    __slots__ = ("name", "path", "listener", "_logs", "_fd", "_kept", "_failed", "_terminals")

    def __init__(self, logs: Logs, name: str, path: str) -> None:
        self.name = name
        self.path = path
        self.listener: Callable[[Log, int], None] | None = None
        self._logs = logs
        self._fd = -1
        self._kept = b""
        self._failed = ""  # why the last write failed
        self._terminals: dict[str, int] = {}  # stage -> master

    @property
    def out(self) -> "Log":
        """What is listened to; the log of a service has two such streams."""
        return self

    def open_terminal(self, stage: str) -> int:
        """Return a new terminal for a stage, which the caller closes. Raises OSError.

        Where there are none, as in a container without devpts, it is a pipe.
        """
        self.finish(stage)
        try:
            master, slave = os.openpty()
        except OSError as error:
            master, slave = os.pipe()
            self._logs.lack(error)
        os.set_blocking(master, False)
        self.take_terminal(stage, master)
        return slave

    def take_terminal(self, stage: str, master: int) -> None:
        """Read what a stage writes to its terminal."""
        self._terminals[stage] = master
        self._logs.open.add(self)
        self._logs.watch.add(master, lambda: self._turn(stage))

    def terminals(self) -> "dict[str, int]":
        """Return the descriptor of the terminal of each stage that may still write."""
        return dict(self._terminals)

    def _turn(self, stage: str) -> None:
        """Move what is there, and close the terminal once nobody has it open any more."""
        if self._move(stage, TURN):
            self._close(stage)

    def finish(self, stage: "str | None" = None) -> None:
        """Write what a stage that has ended has left, or all; what its children write is lost."""
        for each in list(self._terminals) if stage is None else [stage]:
            if each in self._terminals:
                self._move(each, LAST)
                self._close(each)
        if self._kept and not self._terminals and not self.write(b""):
            self._logs.keep(self)
        if not self._terminals:
            self._close_file()

    def discard(self, stage: str) -> None:
        """Close the terminal of a stage that could not be started."""
        if stage in self._terminals:
            self._close(stage)

    def _close(self, stage: str) -> None:
        master = self._terminals.pop(stage)
        if not self._terminals:
            self._logs.open.discard(self)
        self._logs.watch.remove(master)
        os.close(master)

    def _move(self, stage: str, most: int) -> bool:
        """Move up to so many bytes to the file; tell whether that was the end."""
        master = self._terminals[stage]
        moved, pieces, ended = 0, [], False
        while moved < most:
            try:
                piece = os.read(master, PIECE)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                piece = b""  # nobody has the terminal open any more
            if not piece:
                ended = True
                break
            moved += len(piece)
            pieces.append(piece)
        if pieces:
            self.write(b"".join(pieces))
        return ended

    # The file

    def write(self, text: bytes) -> bool:
        """Append to the file; tell whether nothing is kept now. Failures are told once each."""
        text = self._kept + text
        count = 0
        try:
            if text and not self._is_current():
                self._open()
            while count < len(text):
                count += os.write(self._fd, memoryview(text)[count:])
        except OSError as error:
            self._close_file()
            self._keep(text[count:], error)
        else:
            self._kept, self._failed = b"", ""
        if count and self.listener is not None:
            self.listener(self, count)
        return not self._kept

    def _keep(self, text: bytes, error: OSError) -> None:
        reason = error.strerror or str(error)
        if reason != self._failed:
            self._failed = reason
            level = "info" if error.errno in NOT_YET else "warn"
            self._logs.tell(level, f"Failed to write to log file {self.path}: {reason}")
        if len(text) > KEPT >= len(self._kept):
            if len(self._kept) < KEPT:
                self._logs.tell("warn", f"Output is lost: {self.path} cannot be written")
            text = text[:KEPT]
        self._kept = text

    def _is_current(self) -> bool:
        """Tell whether a file is open that was not removed; one that was renamed is written on."""
        if self._fd >= 0 and os.fstat(self._fd).st_nlink == 0:
            self._close_file()
        return self._fd >= 0

    def _open(self) -> None:
        """Open the file, or make it with MODE, whatever our umask is. Raises OSError."""
        try:
            self._fd = os.open(self.path, _OPEN | os.O_EXCL, MODE)
        except FileExistsError:
            self._fd = os.open(self.path, _OPEN, MODE)
        else:
            os.fchmod(self._fd, MODE)

    def _close_file(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # As the log of a service has it

    def last_lines(self, count: int) -> "list[str]":
        """Return the last lines, without their ends. Raises OSError."""
        from ssd.logs.tail import last_lines

        return [line.removesuffix("\r") for line in last_lines(self.path, count)]

    def held(self) -> "list[int]":
        """Return the descriptors of the terminals."""
        return [*self._terminals.values()]

    def close(self) -> None:
        """Write what is there, and let go."""
        self.finish()

    remove = close
