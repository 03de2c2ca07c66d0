"""Where the lock of a start lies that has no pidfile to lie beside.

It is a directory of the user's own, and the file in it is named after what is looked for.
Which one follows from the account alone, not from the environment: cron has no
XDG_RUNTIME_DIR, and must exclude the same user's login. Nobody else can have made a home
directory's; where there is none, in /tmp, he can, and then there is no lock.
"""

import os
import stat

from ssd.locking import NoLock
from ssd.paths import only_ours

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Criteria


def place(criteria: "Criteria") -> bytes:
    """Return the path whose lock a start without a pidfile takes; its directory is made.

    Raises NoLock.
    """
    return directory(os.geteuid()) + key(criteria)


def directory(uid: int) -> bytes:
    """Return, and make if need be, the directory of a user's locks. Raises NoLock."""
    path = b"/run/ssd/" if uid == 0 and os.path.isdir(b"/run") else b"/tmp/ssd-%d/" % uid
    cache = None if uid == 0 else _cache(uid)
    if cache is not None:
        _make(cache)
        path = cache + b"ssd/"
    _make(path)
    facts = os.lstat(path[:-1])
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != uid or facts.st_mode & 0o022:
        raise NoLock(os.fsdecode(path), "it is not a directory of the caller's own")
    return path


def _cache(uid: int) -> bytes | None:
    """Return where a user's programs keep files of their own; None if he has no home.

    As in the XDG Base Directory Specification, but for the variables.
    """
    import pwd

    try:
        home = os.fsencode(pwd.getpwuid(uid).pw_dir)
        facts = os.stat(home)
    except (KeyError, OSError):
        return None  # no account, or no such directory
    own = home.startswith(b"/") and facts.st_uid == uid and only_ours(facts)
    return home + b"/.cache/" if own and os.access(home, os.W_OK | os.X_OK) else None


def _make(path: bytes) -> None:
    """Make a directory for nobody but the caller, if nothing is there. Raises NoLock."""
    try:
        os.mkdir(path, 0o700)
        os.chmod(path, 0o700)  # the caller's umask has had its say in mkdir(2)
    except FileExistsError:
        return
    except OSError as error:
        raise NoLock(os.fsdecode(path), error.strerror) from error


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
