"""Whose word a file is: root's or the caller's, or that of somebody who must not be obeyed.

A declaration says what is run, mostly as root. So it counts only if nobody but root and the
caller can have put it there, as with sshd(8)'s StrictModes: they own the file and every directory
and link on the way to it, and nobody else may write them. Others may write a directory with the
sticky bit, such as /tmp: they cannot replace there what is not theirs.
"""

import os
import stat

from ssd.paths import MOST_LINKS, only_ours
from ssd.service.errors import DeclarationError

# What ships with the package is obeyed as the package's own code is.
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + "/"
_LOOSE = 0o170022  # the kind of a file, and that others than its owner may write it
OVERFLOW = "/proc/sys/kernel/overflowuid"
UID_MAP = "/proc/self/uid_map"


def check(path: str, ways: "set[str] | None" = None) -> None:
    """Raise DeclarationError unless only root or the caller can have decided what is at a path.

    ``ways``: directories that were found good a moment ago, for many files in one; they are
    added. Raises OSError where that cannot be found out. What is neither file nor directory is
    judged by its way alone: nobody leaves a declaration in a device.
    """
    if ways is not None and path.rpartition("/")[0] in ways:
        facts = os.lstat(path)
        # The usual one, in few words: of all files each comes here.
        if facts.st_mode & _LOOSE == stat.S_IFREG and facts.st_uid in (0, os.geteuid()):
            return
    if path.startswith(PACKAGE):
        return
    _check_way(path)
    if ways is not None:
        ways.add(path.rpartition("/")[0])


def _check_way(path: str) -> None:
    """Judge every directory and link on the way, and the file."""
    whole = path if path.startswith("/") else f"{os.getcwd()}/{path}"
    ahead = whole.split("/")[::-1]
    here, links = "/", 0
    _judge(here, os.lstat(here), path)
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        if name == "..":
            here = os.path.dirname(here)  # of a path without links
            continue
        parent, here = here, f"{here.rstrip('/')}/{name}"
        facts = os.lstat(here)
        _judge(here, facts, path)
        if stat.S_ISLNK(facts.st_mode):
            links += 1
            if links > MOST_LINKS:
                return  # nobody can open it
            target = os.readlink(here)
            if here.startswith("/proc/") and not target.startswith("/"):
                return  # an open descriptor of the caller's, /dev/stdin say
            here = "/" if target.startswith("/") else parent
            ahead += target.split("/")[::-1]


def believed(path: str) -> bool:
    """Tell whether a file is there, and only root or the caller can have put it there."""
    try:
        check(path)
    except (DeclarationError, OSError):
        return False
    return True


def _judge(here: str, facts: os.stat_result, path: str) -> None:
    fault = distrust(facts)
    if fault is None or _is_outside(facts):
        return
    way_out = "chown or chmod it"
    if here == path:
        raise DeclarationError(f"it is not obeyed: {fault}; {way_out}", file=path)
    raise DeclarationError(f"it is not obeyed: {here}: {fault}; {way_out}", file=path)


def distrust(facts: os.stat_result) -> str | None:
    """Say why what has these facts (lstat(2)) may be others' doing; None if it is not."""
    if facts.st_uid not in (0, os.geteuid()):
        return f"it belongs to user {facts.st_uid}, neither root nor the caller"
    mode = facts.st_mode
    if stat.S_ISLNK(mode) or stat.S_ISDIR(mode) and mode & stat.S_ISVTX or only_ours(facts):
        return None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return None
    who = "everybody" if mode & stat.S_IWOTH else f"group {facts.st_gid}"
    return f"{who} may write it (mode {stat.S_IMODE(mode):04o})"


def _is_outside(facts: os.stat_result) -> bool:
    """Tell whether a directory's owner has no number in this user namespace.

    The root directory of a user's own namespace belongs to such an owner.
    """
    if not stat.S_ISDIR(facts.st_mode):
        return False
    if facts.st_mode & stat.S_IWOTH and not facts.st_mode & stat.S_ISVTX:
        return False
    try:
        with open(OVERFLOW, encoding="ascii") as file:
            if facts.st_uid != int(file.read()):
                return False
        with open(UID_MAP, encoding="ascii") as file:
            ranges = [list(map(int, line.split())) for line in file]
    except FileNotFoundError:  # no Linux: no user namespaces
        return False
    return not any(first <= facts.st_uid < first + count for first, _, count in ranges)
