"""Make the directories that a service needs, for those whose they are."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def make(directories: "Iterable[Mapping[str, str]]") -> None:
    """Make the directories that are missing; those that are there are left alone.

    One that is there may be any directory, or have its owner by intent. Only root gives
    directories away. Raises UnknownUser, UnknownGroup and OSError.
    """
    for each in directories:
        if not os.path.isdir(each["path"]):
            _make(each["path"], int(each["mode"], 8), each.get("user"), each.get("group"))


def _make(path: str, mode: int, user: str | None, group: str | None) -> None:
    """Make one, with the directories above it, or none at all."""
    from ssd.launch.identity import Identity

    who = Identity(user, group)
    above = os.path.dirname(path.rstrip("/"))
    if not os.path.isdir(above):
        os.makedirs(above, 0o755, exist_ok=True)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if os.path.isdir(path):  # another start was quicker
            return
        raise
    try:
        _give(path, mode, who.uid, who.gid)
    except BaseException:
        os.rmdir(path)
        raise


def _give(path: str, mode: int, uid: int | None, gid: int | None) -> None:
    """Set mode and owner by descriptor: the directory above may belong to a stranger."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(fd).st_uid != os.geteuid():
            raise PermissionError(1, "somebody has put another directory in its place", path)
        if os.geteuid() == 0:
            os.fchown(fd, -1 if uid is None else uid, -1 if gid is None else gid)
        os.fchmod(fd, mode)
    finally:
        os.close(fd)
