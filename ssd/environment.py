"""The environment that the caller gave, without what is not meant for daemons."""

import os
import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The values of LC_CTYPE that Python sets when it starts in the C locale (PEP 538).
_COERCED = (b"C.UTF-8", b"C.utf8", b"UTF-8")


def inherited() -> dict[bytes, bytes]:
    """Return a copy of the environment, byte for byte as this process got it.

    Changes of os.environ by the program are kept. Only an LC_CTYPE that Python itself has set is
    replaced by the former value, or removed.
    """
    environment = dict(_current())
    if environment.get(b"LC_CTYPE") in _COERCED:
        given = _given()
        if given is None:
            del environment[b"LC_CTYPE"]
        else:
            environment[b"LC_CTYPE"] = given
    return environment


def _current() -> "Mapping[bytes, bytes]":
    """Return os.environb, or what it is made of while ``os`` is not complete (``ssd.bundle``)."""
    return posix.environ if "__getattr__" in vars(os) else os.environb


def _given() -> bytes | None:
    """Return the LC_CTYPE that was in the environment at execve(2), None without one."""
    current = _current()
    now = current[b"LC_CTYPE"]
    try:
        with open("/proc/self/environ", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        # No /proc. Python sets LC_CTYPE only if neither LC_ALL nor LANG names another locale.
        stronger = current.get(b"LC_ALL") or current.get(b"LANG", b"C") not in (b"C", b"")
        return now if stronger else None
    prefix = b"LC_CTYPE="
    given = (word.removeprefix(prefix) for word in words if word.startswith(prefix))
    return next(given, None)


def leave_path(link: str) -> None:
    """Take the directory of a link off PATH: it is there for the script, not for daemons."""
    directory = os.fsencode(os.path.dirname(link))
    kept = [each for each in os.environb.get(b"PATH", b"").split(b":") if each != directory]
    os.environb[b"PATH"] = b":".join(kept)
