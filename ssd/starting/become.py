"""The last steps of every start: this process becomes the program.

Their order is the original's: niceness, CPU and I/O scheduling, root, directory, group and user,
execve(2). What the original does not have is in ``ssd.starting.rare.steps``. No module is imported
after the change of root: the new root or user may be unable to read it.
"""

import errno
import os

from ssd import accounts, environment
from ssd.errors import StartFailed
from ssd.signals import raw as signals
from ssd.signals import set_ignored
from ssd.starting.command import has_rare_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import NoReturn

    from ssd.starting.command import Command
    from ssd.starting.rare.steps import Step

    Warn = Callable[[str, str, str | None], None]  # stage, detail, reason
    Say = Callable[..., None]  # the event, and its values


def attempt(stage: str, detail: str, function: "Callable[..., object]", *arguments: object) -> None:
    """Call a function. Raises StartFailed with the stage's name instead of OSError."""
    try:
        function(*arguments)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartFailed(stage, detail, error.errno, reason) from error


def become(
    command: "Command",
    account: accounts.Account,
    warn: "Warn",
    executing: "Callable[[], None]",
    extra: "dict[bytes, bytes] | None" = None,
    variables: "dict[bytes, bytes] | None" = None,
) -> "NoReturn":
    """Execute the command in this process. Raises StartFailed.

    ``extra``: variables to add to the environment. ``variables``: all of them, if they are known
    already (``environment_of``). ``warn`` is called if the I/O priority cannot be
    set: the start continues, as in the original. ``executing`` is called right before execve(2).
    """
    if variables is None:
        # Before the root or the user changes, because /proc may be out of reach afterwards.
        variables = environment_of(command, extra)
    if command.nice:
        attempt("nice", str(command.nice), os.nice, command.nice)
    last: Iterable[Step] = ()
    if has_rare_steps(command):
        from ssd.starting.rare.steps import before_exec, before_root

        first = before_root(command, account, variables, extra, warn)
        for stage, detail, function, arguments in first:
            attempt(stage, detail, function, *arguments)
        last = before_exec(command)
    if command.root is not None:
        attempt("chdir", os.fsdecode(command.root), os.chdir, command.root)
        attempt("chroot", os.fsdecode(command.root), os.chroot, command.root)
    attempt("chdir", os.fsdecode(command.directory), os.chdir, command.directory)
    for stage, detail, function, arguments in (*accounts.changes(account, *accounts.own()), *last):
        attempt(stage, detail, function, *arguments)
    name = os.fsdecode(command.startas)
    if not name:  # Python raises another error than the kernel's
        raise StartFailed("exec", name, errno.ENOENT, os.strerror(errno.ENOENT))
    executing()
    set_ignored(signals.SIG_DFL)
    try:
        attempt("exec", name, os.execve, command.startas, command.argv, variables)
    finally:
        set_ignored(signals.SIG_IGN)  # execve(2) failed: SIGPIPE must not kill this Python
    raise AssertionError("execve(2) returned without an error")


def environment_of(command: "Command", extra: "dict[bytes, bytes] | None") -> dict[bytes, bytes]:
    """Return the program's environment."""
    given = command.environment
    variables = environment.inherited() if given is None else dict(given)
    variables.update(extra or {})
    return variables


def home(account: accounts.Account) -> dict[bytes, bytes]:
    """Return HOME as the original sets it: the user's home directory, if that exists."""
    if account.home is None:
        return {}
    try:
        os.stat(account.home)
    except (OSError, ValueError):
        return {}
    return {b"HOME": os.fsencode(account.home)}
