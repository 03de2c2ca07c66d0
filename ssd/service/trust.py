"""Trust a file only if root or the caller wrote it.

A declaration decides what runs, mostly as root. So ssd-service trusts it only if no other user
can have put it there, as sshd(8) does with StrictModes: root or the caller must own the file and
every directory and link on the way to it, and no one else may write them. Other users may write a
directory with the sticky bit, such as /tmp: they cannot replace another user's file in it.
"""

import os
import stat

from ssd.paths import MAX_LINKS, only_ours
from ssd.service.errors import DeclarationError

# What ships with the package is trusted like the package's own code.
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + "/"
_LOOSE = 0o170022  # the file type, and the write bits of group and others
OVERFLOW = "/proc/sys/kernel/overflowuid"
UID_MAP = "/proc/self/uid_map"


def check(path: str, ways: "set[str] | None" = None) -> None:
    """Raise DeclarationError for a path whose content another user can have written.

    ``ways``: directories found trustworthy a moment ago, for many files in one directory; this
    function adds to it. Raises OSError if the path cannot be examined. A device or a pipe is
    judged only by the directories on the way to it.
    """
    if ways is not None and path.rpartition("/")[0] in ways:
        facts = os.lstat(path)
        # The common case, kept short: a query of all services comes here for each file.
        if facts.st_mode & _LOOSE == stat.S_IFREG and facts.st_uid in (0, os.geteuid()):
            return
    if path.startswith(PACKAGE):
        return
    _check_way(path)
    if ways is not None:
        ways.add(path.rpartition("/")[0])


def _check_way(path: str) -> None:
    """Judge every directory and link on the way, and the file itself."""
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
            if links > MAX_LINKS:
                return  # too many links to open it
            target = os.readlink(here)
            if here.startswith("/proc/") and not target.startswith("/"):
                return  # an open descriptor of the caller, such as /dev/stdin
            here = "/" if target.startswith("/") else parent
            ahead += target.split("/")[::-1]


def is_trusted(path: str) -> bool:
    """Tell whether a file exists and is trusted."""
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
        raise DeclarationError(f"not trusted: {fault}; {way_out}", file=path)
    raise DeclarationError(f"not trusted: {here}: {fault}; {way_out}", file=path)


def distrust(facts: os.stat_result) -> "str | None":
    """Say why a file with this status (lstat(2)) is not trusted; None if it is."""
    if facts.st_uid not in (0, os.geteuid()):
        return f"it belongs to user {facts.st_uid}, not to root or the caller"
    mode = facts.st_mode
    if stat.S_ISLNK(mode) or stat.S_ISDIR(mode) and mode & stat.S_ISVTX or only_ours(facts):
        return None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return None
    who = "everybody" if mode & stat.S_IWOTH else f"group {facts.st_gid}"
    return f"{who} may write it (mode {stat.S_IMODE(mode):04o})"


def _is_outside(facts: os.stat_result) -> bool:
    """Tell whether the owner of a directory has no uid in this user namespace.

    The root directory of such a namespace often has an owner like that.
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
    except FileNotFoundError:  # not Linux: no user namespaces
        return False
    return not any(first <= facts.st_uid < first + count for first, _, count in ranges)
