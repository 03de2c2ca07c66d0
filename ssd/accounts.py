"""Users and groups: look them up, and change to them permanently.

python-daemon's own change of user is not used: it keeps either the old group or root's
supplementary groups.
"""

import errno
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Change = tuple[str, str, Callable[..., None], tuple[object, ...]]


class Account:
    """The user and group that a program runs as.

    uid, user, home: of the user, None if none was given. gid: the group, None to keep the caller's.
    group_name: the group as it was given, which ``--test`` prints; "" for the user's own group.
    """

    __slots__ = ("uid", "user", "home", "gid", "group_name")

    def __init__(self, user: str | int | None, group: str | int | None) -> None:
        """Look both up. Raises UnknownUser or UnknownGroup."""
        self.uid: int | None = None
        self.user: str | None = None
        self.home: str | None = None
        self.gid: int | None = None
        self.group_name: str | None = None
        if group is not None:
            from ssd.account_names import gid_of

            self.gid, self.group_name = gid_of(group), str(group)
        if user is not None:
            from ssd.account_names import account_of

            account = account_of(user)
            self.uid, self.user, self.home = account.pw_uid, account.pw_name, account.pw_dir
            if self.gid is None:
                self.gid, self.group_name = account.pw_gid, ""


def own() -> "tuple[int | None, int | None]":
    """Return this process's uid and gid; None if real, effective and saved id are not the same.

    The original looks only at the real id, so the effective one may stay root (divergence 22).
    """
    if hasattr(os, "getresuid"):
        uids, gids = set(os.getresuid()), set(os.getresgid())
    else:  # macOS
        uids, gids = {os.getuid(), os.geteuid()}, {os.getgid(), os.getegid()}
    return uids.pop() if len(uids) == 1 else None, gids.pop() if len(gids) == 1 else None


def changes(account: Account, uid: int | None, gid: int | None) -> "list[Change]":
    """Return the changes from ``uid`` and ``gid``, as ``own`` returns them, to an account.

    Each is (stage, detail, function, arguments), in this order: the group, the supplementary
    groups, the user, and the proof that the change cannot be undone. As in the original, nothing
    changes, not even the groups, if the caller has this user and group already.
    """
    steps: list[Change] = []
    if account.gid is not None and gid != account.gid:
        steps.append(("group", str(account.gid), os.setgid, (account.gid,)))
    if account.uid is not None and (uid, gid) != (account.uid, account.gid):
        steps.append(("groups", str(account.gid), os.initgroups, (account.user, account.gid)))
    if account.uid is not None and uid != account.uid:
        steps.append(("user", str(account.user), os.setuid, (account.uid,)))
        steps.append(("user", str(account.user), prove, (account.uid,)))
    return steps


def prove(uid: int) -> None:
    """Raise OSError unless every user id of the process is ``uid`` and root cannot be regained."""
    if hasattr(os, "getresuid") and os.getresuid() != (uid, uid, uid):
        raise OSError(errno.EPERM, "not all user ids were changed")
    if uid == 0:
        return
    try:
        os.setuid(0)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EINVAL):  # EINVAL: uid 0 is not mapped here
            return
    raise OSError(errno.EPERM, "root could be regained after the change of user")
