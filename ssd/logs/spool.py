"""What is on its way from a FIFO to a file, where splice(2) cannot go all the way.

A piece of output that is to be changed, or goes to a file system without splice, must pass through
memory, and a death there would lose it. So it is moved to a file beside the FIFO first, with a
note of how the log was. Whoever finds a piece there writes it again, to the same place: no line
is lost, and none is doubled.
"""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.logs.files import LogFile
    from ssd.logs.forms import Form

    Names = tuple[str, str]  # of the service, and of the stream

# Size of the log, its last bytes in hexadecimal digits, the time in seconds since the epoch.
HEADER = 46  # bytes
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_NONBLOCK = getattr(os, "SPLICE_F_NONBLOCK", 0)
CANNOT = (
    errno.EINVAL,
    errno.ENOSYS,
    errno.ESPIPE,
)  # what splice(2) says of a wrong file


class Spool:
    """A file that holds at most one piece of output. ``path`` is beside the FIFO."""

    __slots__ = ("path", "fd", "full")

    def __init__(self, path: str) -> None:
        """Open it, or make it. Raises OSError."""
        self.path = path
        self.fd = os.open(path, _FLAGS, 0o600)
        self.full = os.fstat(self.fd).st_size > HEADER

    def pass_on(
        self,
        fifo: int,
        count: int,
        file: "LogFile",
        form: "Form",
        time: float,
        names: "Names",
    ) -> bytes:
        """Move up to ``count`` bytes from the FIFO to the log; return them as they came.

        None mean that a pipe has ended.
        Raises BlockingIOError if there are none, and OSError; then ``full`` says whether a piece
        waits for ``finish``.
        """
        os.pwrite(self.fd, _note(file.size, file.tail(), time), 0)
        self.full = _move(fifo, self.fd, count) > 0
        return self.finish(file, form, names) if self.full else b""

    def finish(self, file: "LogFile", form: "Form", names: "Names") -> bytes:
        """Write the piece that is here to the log, unless it is there; return it as it came."""
        size, tail, time = _read_note(os.pread(self.fd, HEADER, 0))
        piece = os.pread(self.fd, os.fstat(self.fd).st_size, HEADER)
        back, text = form.apply(piece, tail, time, *names)
        written = os.pread(file.fd, len(text), size)
        if len(written) == file.size - size and text[back:].startswith(written):
            file.write(text, size - back)
        elif file.size < size or written != text[back:]:  # others have changed the log
            back, text = form.apply(piece, file.tail(), time, *names)
            file.write(text, file.size - back)
        os.ftruncate(self.fd, HEADER)
        self.full = False
        return piece

    def close(self) -> None:
        """Close it, and remove it if nothing waits in it."""
        os.close(self.fd)
        if not self.full:
            os.unlink(self.path)


def waiting(path: str) -> bool:
    """Tell whether a piece waits there."""
    try:
        return os.stat(path).st_size > HEADER
    except FileNotFoundError:
        return False


def _note(size: int, tail: bytes, time: float) -> bytes:
    return f"{size:020} {tail.hex():>6} {time:017.6f}\n".encode()


def _read_note(note: bytes) -> tuple[int, bytes, float]:
    return int(note[:20]), bytes.fromhex(note[21:27].decode()), float(note[28:])


def _move(fifo: int, target: int, count: int) -> int:
    """Move bytes into the spool, by splice(2) if this system and its file system have it."""
    if hasattr(os, "splice"):
        try:
            return os.splice(fifo, target, count, offset_dst=HEADER, flags=_NONBLOCK)
        except OSError as error:
            if error.errno not in CANNOT:
                raise
    return os.pwrite(target, os.read(fifo, count), HEADER)
