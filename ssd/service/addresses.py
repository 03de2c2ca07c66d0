"""The address of a port or a Unix socket: its text, and whether something answers there.

An address is ``PORT`` (of this machine), ``HOST:PORT`` with a numeric host or localhost,
``[IPv6]:PORT``, ``/PATH`` of a Unix socket, or ``@NAME`` of an abstract one (unix(7)). Names of
other hosts would need a resolver, which may take longer than any timeout.
"""

import _socket
import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    # family, and what connect(2) takes
    Address = tuple[int, "tuple[str, int] | bytes"]

LOOPBACK = "127.0.0.1"
LONGEST_PATH = 107  # bytes of sun_path, unix(7), before the NUL
# Nothing listens; the queue is full, which connect(2) of a Unix socket says at once.
_NOT_YET = (errno.ECONNREFUSED, errno.ENOENT, errno.EAGAIN)


class AddressError(ValueError):
    """A text that is no address; its words say why."""


def parse(text: str) -> "Address":
    """Return the family and the socket address that a text means. Raises AddressError."""
    if text[:1] in ("/", "@"):
        path = os.fsencode(text)
        if len(path) > LONGEST_PATH:
            raise AddressError(f"must not be longer than {LONGEST_PATH} bytes: {text!r}")
        return _socket.AF_UNIX, b"\0" + path[1:] if text[0] == "@" else path
    host, colon, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536):
        raise _bad(text)
    if not colon or host == "localhost":
        return _socket.AF_INET, (LOOPBACK, int(port))
    brackets = host[:1] == "[" and host[-1:] == "]"
    family = _socket.AF_INET6 if brackets else _socket.AF_INET
    try:
        _socket.inet_pton(family, host[1:-1] if brackets else host)
    except OSError:
        raise _bad(text) from None
    return family, (host[1:-1] if brackets else host, int(port))


def _bad(text: str) -> AddressError:
    forms = "8080, 127.0.0.1:8080, [::1]:8080 or /run/x.sock"
    return AddressError(f"must be an address like {forms}, not {text!r}")


def begin(address: "Address") -> "_socket.socket | None":
    """Begin to connect, without waiting; return the socket, None if nothing listens now.

    The socket is writable as soon as ``ended`` can tell the result; it must be closed. Raises
    OSError for what waiting does not mend, such as a missing permission.
    """
    family, where = address
    made = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
    found = made.connect_ex(where)
    if found in (0, errno.EINPROGRESS, errno.EPROTOTYPE):  # the latter: there, of another type
        return made
    made.close()
    if found in _NOT_YET:
        return None
    raise OSError(found, os.strerror(found))


def ended(connecting: "_socket.socket") -> bool:
    """Tell whether a socket of ``begin`` that is writable is connected."""
    return connecting.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR) == 0


def answers(text: str, seconds: float) -> bool:
    """Tell whether something answers at an address within ``seconds``."""
    try:
        connecting = begin(parse(text))
    except OSError:
        return False  # not yet, for example in a directory that is made later
    if connecting is None:
        return False
    try:
        import select

        poll = select.poll()
        poll.register(connecting.fileno(), select.POLLOUT)
        return bool(poll.poll(max(0.0, seconds) * 1000)) and ended(connecting)
    finally:
        connecting.close()
