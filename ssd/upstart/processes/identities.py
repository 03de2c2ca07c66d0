"""The user and the groups of a job's processes.

They are looked up after the change of root, as the names mean those of the new root. There the
files are read by our own code: the C library might load code of the new root for a look-up.
"""

import grp
import os
import pwd

from ssd.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWD, GROUP = "/etc/passwd", "/etc/group"


class Unknown(Error):
    """``step`` failed: there is no such user or group, or none for our own number.

    ``reason``: the kernel's, "" without one.
    """

    def __init__(self, step: str, reason: str = "") -> None:
        super().__init__(f"{step}: {reason}")
        self.step: str = step
        self.reason: str = reason


class Identity:
    """uid, gid: to change to; None to keep. groups: all supplementary groups; None to keep."""

    __slots__ = ("uid", "gid", "groups")

    def __init__(self, uid: "int | None", gid: "int | None", groups: "list[int] | None") -> None:
        self.uid = uid
        self.gid = gid
        self.groups = groups


class Files:
    """The accounts of a root directory that is ours by now: passwd(5) and group(5)."""

    def user(self, name: str) -> "tuple[int, int] | None":
        """Return uid and gid of a user; None if there is none of that name."""
        for fields in _lines(PASSWD, 7):
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        return None

    def name_of(self, uid: int) -> "str | None":
        """Return the name of a user; None if no user has the number."""
        return next((each[0] for each in _lines(PASSWD, 7) if each[2] == str(uid)), None)

    def group(self, name: str) -> "int | None":
        """Return the number of a group; None if there is none of that name."""
        return next((int(each[2]) for each in _lines(GROUP, 4) if each[0] == name), None)

    def has_group(self, gid: int) -> bool:
        """Tell whether a group has the number."""
        return any(each[2] == str(gid) for each in _lines(GROUP, 4))

    def groups_of(self, name: str, gid: int) -> "list[int]":
        """Return a group and all others that have the user as a member."""
        found = [int(each[2]) for each in _lines(GROUP, 4) if name in each[3].split(",")]
        return [gid, *(each for each in dict.fromkeys(found) if each != gid)]


class Machine:
    """The accounts of this machine, from wherever nsswitch.conf(5) says."""

    def user(self, name: str) -> "tuple[int, int] | None":
        """Return uid and gid of a user; None if there is none of that name."""
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            return None
        return found.pw_uid, found.pw_gid

    def name_of(self, uid: int) -> "str | None":
        """Return the name of a user; None if no user has the number."""
        try:
            return pwd.getpwuid(uid).pw_name
        except KeyError:
            return None

    def group(self, name: str) -> "int | None":
        """Return the number of a group; None if there is none of that name."""
        try:
            return grp.getgrnam(name).gr_gid
        except KeyError:
            return None

    def has_group(self, gid: int) -> bool:
        """Tell whether a group has the number."""
        try:
            grp.getgrgid(gid)
        except KeyError:
            return False
        return True

    def groups_of(self, name: str, gid: int) -> "list[int]":
        """Return a group and all others that have the user as a member."""
        return os.getgrouplist(name, gid)


def find(
    accounts: "Files | Machine",
    setuid: "str | None",
    setgid: "str | None",
    own: "tuple[int, int]",
    strict: bool = False,
) -> Identity:
    """Return what a job's process changes to. Raises Unknown and OSError.

    own: our effective uid and gid. Only root may set groups; it gives every process those of its
    user, root too. strict: with ``setuid`` alone, add our own group as Upstart does, instead of
    the user's.
    """
    uid = gid = None
    if setuid is not None:
        found = accounts.user(setuid)
        if found is None:
            _demand(PASSWD, "named user")
            raise Unknown("user")
        uid, gid = found
    if setgid is not None:
        gid = accounts.group(setgid)
        if gid is None:
            _demand(GROUP, "named group")
            raise Unknown("group")
    if own[0] != 0:
        return Identity(uid, gid, None)
    if setuid is None:  # root is in the files: a look-up elsewhere might wait for a network
        local = Files()
        if local.name_of(own[0]) is not None and local.has_group(own[1]):
            accounts = local
    name = accounts.name_of(own[0]) if setuid is None else setuid
    if name is None:
        raise Unknown("own user", _why(PASSWD))
    if setgid is None and not accounts.has_group(own[1]):
        raise Unknown("own group", _why(GROUP))
    added = own[1] if gid is None or (strict and setgid is None) else gid
    return Identity(uid, gid, accounts.groups_of(name, added))


def _demand(path: str, step: str) -> None:
    """Raise Unknown if a database is missing: then nobody can say that a name is unknown."""
    if not os.path.exists(path):
        raise Unknown(step, _why(path))


def _why(path: str) -> str:
    """Return why an account of our own is missing."""
    try:
        os.stat(path)
    except OSError as error:
        return error.strerror or str(error)
    return f"not in {path}"


def _lines(path: str, fields: int) -> "Iterator[list[str]]":
    """Yield the entries of a database that are whole. Raises OSError."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except FileNotFoundError:
        return
    for line in text.splitlines():
        entry = line.split(":")
        if len(entry) >= fields and entry[2].isdigit():
            yield entry
