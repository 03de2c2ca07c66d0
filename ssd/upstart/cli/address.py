"""Where clients find the supervisor of a user's jobs: a link beside all run directories.

``start foo`` names no directory, so one supervisor of each user has the link. A second one runs as
well; only what has its run directory in UPSTART_SESSION reaches that, as its own jobs do.
"""

import fcntl
import os

from ssd.supervision import places
from ssd.upstart.initctl.links import replace


def claim(path: str, uid: int) -> "str | None":
    """Have the link lead to a run directory; return where it leads if another keeps it.

    path: the run directory of a supervisor that has its lock. Raises OSError.
    """
    link = places.upstart_link(uid)
    above = os.open(os.path.dirname(link), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(above, fcntl.LOCK_EX)  # of two that begin at once, one is the first
        holder = _target(link)
        if holder not in (None, path) and places.is_locked(f"{holder}/socket"):
            return holder
        if holder != path:
            replace(link, path)
    finally:
        os.close(above)
    return None


def release(path: str, uid: int) -> None:
    """Remove the link if it leads to this run directory. Raises OSError."""
    link = places.upstart_link(uid)
    if _target(link) == path:
        os.unlink(link)


def _target(link: str) -> "str | None":
    try:
        return os.readlink(link)
    except OSError:
        return None  # there is none
