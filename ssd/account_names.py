"""Look up users and groups, by name or number."""

import os

from ssd.errors import UnknownGroup, UnknownUser
from ssd.signals import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pwd import struct_passwd


def gid_of(group: str | int) -> int:
    """Return the number of a group. Raises UnknownGroup."""
    gid = group if isinstance(group, int) else whole_number(group)
    if gid is not None:
        return gid
    import grp

    try:
        return grp.getgrnam(str(group)).gr_gid
    except KeyError:
        demand_readable("/etc/group")
        raise UnknownGroup(str(group)) from None


def account_of(user: str | int) -> "struct_passwd":
    """Return the account of a user. Raises UnknownUser."""
    import pwd

    uid = user if isinstance(user, int) else whole_number(user)
    try:
        return pwd.getpwnam(str(user)) if uid is None else pwd.getpwuid(uid)
    except (KeyError, OverflowError):
        demand_readable("/etc/passwd")
        raise UnknownUser(str(user)) from None


def demand_readable(database: str) -> None:
    """Raise OSError if a database of accounts cannot be read.

    Python raises KeyError for every failure of getpwnam(3), even if no descriptor is left. So a
    name is unknown only if the database can be read.
    """
    try:
        os.close(os.open(database, os.O_RDONLY | os.O_CLOEXEC))
    except FileNotFoundError:
        return  # the names may come from other sources (nsswitch.conf(5))
