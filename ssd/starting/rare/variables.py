"""The variables of a program beyond those that it inherits: login's, and those that are added."""

import os

from ssd.account_names import demand_readable
from ssd.accounts import Account
from ssd.errors import StartFailed, UnknownUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.starting.command import Command

SHELL = "/bin/sh"  # of an account that names none: passwd(5)


def settle(
    command: "Command",
    account: Account,
    variables: dict[bytes, bytes],
    last: "Mapping[bytes, bytes] | None" = None,
) -> None:
    """Add to ``variables`` what the command's ``login`` and ``variables`` ask for.

    ``last`` has what the program must get whatever they say. HOME is not among these. Raises
    UnknownUser and OSError.
    """
    if command.login:
        variables.update(login(account))
    variables.update(command.variables)
    variables.update({name: text for name, text in (last or {}).items() if name != b"HOME"})


def settle_now(command: "Command", variables: dict[bytes, bytes]) -> None:
    """Add them now, so that the start itself does not. Raises UnknownUser and StartFailed."""
    account = Account(command.user, command.group)
    try:
        settle(command, account, variables)
    except OSError as error:
        who = account.user or "this user"
        raise StartFailed("login", who, error.errno, error.strerror) from error
    for name in ("login", "variables"):
        vars(command).pop(name, None)


def login(account: Account) -> dict[bytes, bytes]:
    """Return HOME, USER, LOGNAME and SHELL of the account's user, as login(1) sets them.

    Without a user it is that of this process. A home directory that does not exist becomes "/", as
    with login(1) (DEFAULT_HOME in login.defs(5)). PATH and MAIL, which login(1) sets too, are for
    people: a daemon keeps the PATH of its starter. Raises UnknownUser, and OSError if the accounts
    cannot be read.
    """
    import pwd

    who = account.user
    try:
        # By name, because several accounts may share an id.
        found = pwd.getpwuid(os.geteuid()) if who is None else pwd.getpwnam(who)
    except KeyError:
        demand_readable("/etc/passwd")
        raise UnknownUser(who or str(os.geteuid())) from None
    home = found.pw_dir if os.path.isdir(found.pw_dir) else "/"
    return {
        b"HOME": os.fsencode(home),
        b"USER": os.fsencode(found.pw_name),
        b"LOGNAME": os.fsencode(found.pw_name),
        b"SHELL": os.fsencode(found.pw_shell or SHELL),
    }
