"""What few starts need of a lock: its directory made, and a name without a pidfile.

Where it lies follows from the account alone, not from the environment: cron has no
XDG_RUNTIME_DIR, and must exclude the same user's login (``ssd.locking``).
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Criteria


def make(path: bytes) -> None:
    """Make a directory of the caller's own, unless something is there.

    Above it a ``.cache`` may be missing too, as in the XDG Base Directory Specification.
    Raises OSError.
    """
    above = os.path.dirname(path)
    for each in (above, path) if above.endswith(b"/.cache") else (path,):
        try:
            os.mkdir(each, 0o700)
            os.chmod(each, 0o700)  # the caller's umask has had its say in mkdir(2)
        except FileExistsError:
            continue


def key(criteria: "Criteria") -> bytes:
    """Name the lock of a start without a pidfile after what it looks for."""
    parts = []
    if criteria.file is not None:
        parts.append(b"exec-%x-%x" % criteria.file)
    if criteria.name is not None:
        parts.append(b"name-" + criteria.name.hex().encode())
    for label, number in ((b"pid", criteria.pid), (b"ppid", criteria.ppid), (b"uid", criteria.uid)):
        if number is not None:
            parts.append(b"%s-%d" % (label, number))
    return b"+".join(parts)


def unreached(pidfile: bytes, error: Exception) -> bytes:
    """Name the lock of a start whose pidfile's directory cannot be entered, by the error.

    Many a program makes the directory itself: until then all there is to agree on is a path.
    Raises NoLock for any other reason.
    """
    from ssd.locking import NoLock
    from ssd.paths import UntrustedLink

    if isinstance(error, FileNotFoundError):
        return b"path-%s" % pidfile.replace(b"/", b"%")[-200:]
    if isinstance(error, UntrustedLink):
        raise NoLock(os.fsdecode(pidfile), f"others can make the link {error.name!r}") from None
    assert isinstance(error, OSError)
    raise NoLock(os.fsdecode(pidfile), error.strerror) from error
