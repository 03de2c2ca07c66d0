"""What a program has printed since its start: the last lines in the files of its output."""

import os
import stat

from ssd.paths import UntrustedLink, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.starting.command import Command

MAX_LINES = 10
MAX_LINE_LENGTH = 200  # characters
MAX_SIZE = 16_384  # bytes at the end of a file that are read
NOWHERE = "/dev/null"
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class Printed:
    """The output of one start in the background; make it before the start.

    ``paths``: where it goes: files, or /dev/null, or nothing for the caller's own descriptors
    and for what cannot be read again, such as a terminal or a FIFO.
    """

    def __init__(self, command: "Command", uid: int | None = None) -> None:
        """``uid``: the program's user, None for the caller's."""
        self._uid = uid
        self._sizes = {path: _size(path) for path in _outputs(command)}
        self.paths = [os.fsdecode(path) for path, size in self._sizes.items() if size is not None]
        if not self._sizes and command.close and command.logger is None:
            self.paths = [NOWHERE]

    def last_lines(self) -> list[str]:
        """Return the last lines that were added since, at most MAX_LINES; of each file in turn.

        What is not printable is escaped. A file that cannot be read has a line that says why.
        """
        lines: list[str] = []
        for path, size in self._sizes.items():
            if size is not None:
                lines += self._last_of(path, size)
        return lines[-MAX_LINES:]

    def _last_of(self, path: bytes, size: int) -> list[str]:
        try:
            data = _added(path, size, self._uid)
        except FileNotFoundError:
            return []  # it was never made, or is removed again
        except UntrustedLink as link:
            return [f"({os.fsdecode(path)} is not read: {link.reason})"]
        except OSError as error:
            return [f"({os.fsdecode(path)} is not read: {error.strerror})"]
        return [_shown(line) for line in data.splitlines()[-MAX_LINES:]]


def _outputs(command: "Command") -> list[bytes]:
    """Return the files of standard output and error, absolute, each once.

    None if this directory does not exist any more, and one of them is in it: the start fails.
    """
    try:
        return [*dict.fromkeys(os.path.abspath(path) for path in _declared(command))]
    except FileNotFoundError:
        return []


def _declared(command: "Command") -> list[bytes]:
    """Return the files that the command names, and the files of its log. Raises OSError."""
    out, err = command.stdout or command.output, command.stderr or command.output
    if command.logger is not None and not (out and err):
        from ssd.logs.declared import files

        both = files(command.logger, os.fsdecode(command.startas))
        logged = [None if each is None else os.fsencode(each) for each in both]
        out, err = out or logged[0], err or logged[1]
    return [path for path in (out, err) if path is not None]


def _size(path: bytes) -> int | None:
    """Return the size of a file before the start; None for one that keeps nothing."""
    try:
        facts = os.stat(path)
    except OSError:
        return 0  # the start makes it, or fails
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _added(path: bytes, size: int, uid: int | None) -> bytes:
    """Read what was added to a file since it had a size, or its end if that is much.

    Another user may have replaced it, so the rules are those of ``ssd.starting.output``. Raises
    OSError and UntrustedLink.
    """
    from ssd.planted import distrust

    directory, base = walk(path, follow_last=True)
    try:
        fd = os.open(base, _OPEN, dir_fd=directory)
        try:
            facts = os.fstat(fd)
            reason = distrust(facts, os.fstat(directory), uid)
            if reason or not stat.S_ISREG(facts.st_mode):
                raise PermissionError(None, reason or "it is no regular file any more")
            if facts.st_size < size:  # it was truncated, or is another one
                size = 0
            return os.pread(fd, MAX_SIZE, max(size, facts.st_size - MAX_SIZE))
        finally:
            os.close(fd)
    finally:
        os.close(directory)


def _shown(line: bytes) -> str:
    """Return a line as text without control characters, which a terminal would obey."""
    text = line.decode(errors="backslashreplace").expandtabs()[:MAX_LINE_LENGTH]
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text).rstrip()
