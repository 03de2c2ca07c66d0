"""get_lsb_header_val and init_is_upstart: read a script's header, recognize the init system."""

import os

from ssd.service import SUPERVISORS
from ssd.service.sources.header import BEGIN, END

INITCTL = "/sbin/initctl"
JOBS = f"{SUPERVISORS}/%upstart"  # ssd.supervision.places: root's supervisor of Upstart jobs


def get_lsb_header_val(script: str, keyword: str) -> list[str]:
    """Return the text after ``# KEYWORD: `` of each such line in the header.

    Keywords are case-sensitive. Raises OSError.
    """
    with open(script, "rb") as file:
        text = os.fsdecode(file.read())
    return values(text, keyword)


def values(text: str, keyword: str) -> list[str]:
    """Return the result of ``get_lsb_header_val`` for the text of a script.

    The rules are those of the original's sed command: a delimiter may stand anywhere in its
    line, every header counts, a header without an end extends to the end of the text, and text
    before the keyword is kept.
    """
    mark = f"# {keyword}: "
    found = []
    inside = False
    for line in text.split("\n"):
        ends = inside and END in line
        inside = inside or BEGIN in line
        before, marked, value = line.partition(mark)
        if inside and marked:
            found.append(before + value.lstrip(" "))
        inside = inside and not ends
    return found


def init_is_upstart(initctl: str = INITCTL) -> bool:
    """Return whether Upstart's jobs run here: by Upstart, as its initctl says, or by ours.

    With ours, ``ssd-supervise --upstart`` of root, a script must leave its service to the job, too.
    """
    return has_jobs() or _says_upstart(initctl)


def has_jobs(link: str = JOBS) -> bool:
    """Return whether a supervisor has the lock of the run directory that a link leads to.

    As ``ssd.supervision.places.is_locked`` does, in a room above this one.
    """
    try:
        fd = os.open(f"{link}/lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # there is none, or it is not for this user
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def _says_upstart(initctl: str) -> bool:
    if not os.access(initctl, os.X_OK):
        return False
    import subprocess

    done = subprocess.run(
        [initctl, "version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    return b"upstart" in done.stdout
