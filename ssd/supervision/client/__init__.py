"""Reach the supervisor of a directory, and ask it.

``ssd-service`` loads this for every verb on a machine with supervisors, so it needs little. A
request that was sent is never taken back: if no answer comes, nobody knows what became of it, and
doing the verb ourselves could make a second process.
"""

import _socket
import os

from ssd.errors import Error
from ssd.service import DIRECTORY
from ssd.supervision.control.json_reader import read
from ssd.supervision.control.unix_socket import peer
from ssd.supervision.places import UPSTART, default_directory, is_locked, sockets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 30.0  # seconds until the first line of an answer: a supervisor never works that long
_SHORT = 4096  # characters that are read before the C half of json is loaded
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./- "
_MAX_PATH = 107  # bytes of a socket's path (unix(7))


class NoAnswer(Error):
    """A supervisor did not answer a request that it may have taken; ``reason`` in words."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"the supervisor at {path} {reason}; what it has done is not known")
        self.path: str = path
        self.reason: str = reason


class Unreachable(Error):
    """There is a supervisor, and it cannot be asked; ``reason`` says why. Nothing was asked.

    ``errno``: of the call that failed, None if there was none.
    """

    def __init__(self, path: str, reason: str, errno: "int | None" = None) -> None:
        super().__init__(f"the supervisor at {path} cannot be asked: {reason}")
        self.path: str = path
        self.reason: str = reason
        self.errno: int | None = errno


def directories(given: str) -> "list[str]":
    """Return the directories of declarations whose supervisors may be meant, the first one first.

    ``given``: the one that the caller named, or "". An ordinary user's own counts before root's,
    and both before UPSTART, which is the supervisor of Upstart jobs.
    """
    return [given] if given else list(dict.fromkeys((default_directory(), DIRECTORY, UPSTART)))


def find(given: str, name: str = "") -> "Iterator[tuple[str, Connection]]":
    """Connect to the first supervisor that there is, and then to that of Upstart jobs.

    Yields their directories, too. name: a service; one that is declared is no job. Raises
    Unreachable.
    """
    found = False
    for directory in directories(given):
        if is_declared(name, given) if directory == UPSTART else found:
            continue
        connection = reach(directory)
        if connection is not None:
            found = True
            yield directory, connection


def is_declared(name: str, given: str) -> bool:
    """Tell whether the caller's directories declare a service, so that no job of this name counts.

    The declarations that ship with the package, and init scripts, do not count before a job.
    """
    files = (f"{each}/{name}" for each in directories(given) if each != UPSTART)
    return any(os.path.isfile(file) or os.path.isfile(f"{file}.toml") for file in files)


def reach(directory: str) -> "Connection | None":
    """Connect to the supervisor of a directory; None if there is none. Raises as ``connect``."""
    for path in sockets(directory, os.geteuid()):
        if connection := connect(path):
            return connection
    return None


def connect(path: str) -> "Connection | None":
    """Connect to the supervisor whose socket has a path; None if nobody listens there.

    Raises Unreachable, also for a socket of another user than root and the caller.
    """
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        if len(os.fsencode(path)) <= _MAX_PATH:
            sock.connect(path)
        else:
            _connect_far(sock, path)
        owner = peer(sock).uid
    except NotADirectoryError:
        sock.close()
        return None
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        if is_locked(path):
            raise Unreachable(path, "it is just starting or ending, or has no socket") from None
        return None  # there is none, or it was killed
    except OSError as error:
        sock.close()
        raise Unreachable(path, error.strerror or str(error), error.errno) from error
    if owner not in (0, os.geteuid()):
        sock.close()
        raise Unreachable(path, f"it is user {owner}'s")
    return Connection(path, sock)


def _connect_far(sock: "_socket.socket", path: str) -> None:
    """Connect to a socket whose path is too long for an address, by its directory."""
    directory, _, name = path.rpartition("/")
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)  # a group may only pass
    try:
        sock.connect(f"/proc/self/fd/{fd}/{name}")
    finally:
        os.close(fd)


class Connection:
    """A connection to a supervisor. ``path`` is its socket."""

    __slots__ = ("path", "_sock", "_data")

    def __init__(self, path: str, sock: "_socket.socket") -> None:
        self.path = path
        self._sock = sock
        self._data = b""

    def ask(self, verb: str, **fields: object) -> "Iterator[dict[str, object]]":
        """Send a request; yield each line of its answer. The last one, with ``ok``, ends it.

        Fields that are None are left out. Raises NoAnswer, at once or instead of the last line.
        """
        given = {name: value for name, value in fields.items() if value is not None}
        request = _request({"id": 1, "verb": verb, **given})
        self._sock.settimeout(PATIENCE)
        try:
            self._sock.sendall(request)
        except OSError as error:
            # A refusal may have come instead, and the connection is closed.
            refusal = self._line()
            if refusal is None:
                raise NoAnswer(self.path, f"does not listen ({error.strerror})") from error
            yield refusal
            return
        while True:
            line = self._line()
            if line is None:
                raise NoAnswer(self.path, "ended before it had answered")
            self._sock.settimeout(None)  # from now on it may take as long as the service does
            if line.get("error") == "ending":
                raise NoAnswer(self.path, "ends before it has answered")
            yield line
            if "ok" in line:
                return

    def _line(self) -> "dict[str, object] | None":
        """Return the next line, None at the end. Raises NoAnswer for anything else."""
        parts = [self._data]
        while b"\n" not in parts[-1]:
            try:
                parts.append(self._sock.recv(1 << 16))
            except TimeoutError:
                raise NoAnswer(self.path, f"has not answered in {PATIENCE:g} seconds") from None
            except ConnectionResetError:
                return None
            if not parts[-1]:
                return None
        text, _, self._data = b"".join(parts).partition(b"\n")
        try:
            found = _read(text.decode("ascii"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise NoAnswer(self.path, "has sent a line that is no answer")
        return found

    def close(self) -> None:
        """Close the connection; what was asked for goes on."""
        self._sock.close()


def _request(fields: "dict[str, object]") -> bytes:
    """Write a request; most have nothing that must be escaped."""
    parts = []
    for name, value in fields.items():
        if type(value) is int:
            parts.append(f'"{name}":{value}')
        elif isinstance(value, str) and not value.strip(_PLAIN):
            parts.append(f'"{name}":"{value}"')
        else:
            from ssd.supervision.control.json_text import encode

            parts.append(f'"{name}":{encode(value)}')
    return f"{{{','.join(parts)}}}\n".encode("ascii")


def _read(text: str) -> object:
    """Read a line. Raises ValueError."""
    if len(text) <= _SHORT:
        return read(text)
    from ssd.supervision.control.json_text import decode

    return decode(text)
