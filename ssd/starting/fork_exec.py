"""What fork_exec, the part of subprocess in C, needs for a change of user, and what it reports.

Both ``ssd.start`` and a supervisor start programs by it.
"""

import os
import sys

from ssd import accounts
from ssd.errors import StartFailed
from ssd.matching import UNKNOWN_START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.starting.command import Command

    Ids = tuple[int | None, list[int] | None, int | None]  # group, groups, user

KEEP: "Ids" = (None, None, None)
# What not each Python's fork_exec takes: the process group, here the caller's, and last whether
# vfork(2) is allowed. Before 3.11 there are neither, and since 3.14 vfork is used without a word.
GROUP: "tuple[int, ...]" = (-1,) if sys.version_info >= (3, 11) else ()
VFORK: "tuple[bool, ...]" = (True,) if GROUP and sys.version_info < (3, 14) else ()


def identity_changes(who: accounts.Account) -> "Ids | None":
    """Return the group, groups and user to set; None if a helper must do it.

    As in ``ssd.accounts``, root changes all ids (real, effective and saved) by setreuid(2) and its
    like. The child cannot test that there is no way back; that follows if no capability outlives
    the change and execve(2) (capabilities(7)).
    """
    own = accounts.own()
    stages = {stage for stage, _, _, _ in accounts.changes(who, *own)}
    if not stages:
        return KEEP
    if own[0] != 0 or _keeps_capabilities():
        return None
    groups = None
    if "groups" in stages and who.user is not None and who.gid is not None:
        groups = os.getgrouplist(who.user, who.gid)
    return (
        who.gid if "group" in stages else None,
        groups,
        who.uid if "user" in stages else None,
    )


def _keeps_capabilities() -> bool:
    """Return whether this thread has, or may have, inheritable or ambient capabilities."""
    try:
        with open("/proc/thread-self/status", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return True
    kept = [line.split()[1] for line in lines if line.startswith((b"CapInh:", b"CapAmb:"))]
    return len(kept) != 2 or any(int(bits, 16) for bits in kept)


def raise_reported(reported: bytes, command: "Command") -> None:
    """Raise the child's error of execve(2); return if its stage is unknown."""
    kind, number, where = (*reported.split(b":", 2), b"", b"")[:3]
    if kind != b"OSError" or where.startswith(b"noexec"):
        return
    code = int(number, 16)
    raise StartFailed("exec", os.fsdecode(command.startas), code, os.strerror(code))


def start_time(pid: int) -> int:
    """Return the start time of a child (field 22 of /proc/PID/stat), also of a zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        return UNKNOWN_START  # no /proc, or other code has reaped it
    return int(stat[stat.rindex(b")") + 2 :].split(b" ", 20)[19])
