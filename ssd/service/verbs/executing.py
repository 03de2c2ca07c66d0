"""Become the program of a service, for systemd-start: no other verb loads this."""

import os

from ssd.accounts import Account
from ssd.errors import Error
from ssd.service.verbs.preparing import make_directories
from ssd.service.verbs.starting import warning
from ssd.starting.become import become, home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.verbs.steps import Steps


def execute(steps: "Steps") -> str:
    """Become the program in this process; return the outcome only if that fails.

    Raises RuntimeError with a table that has a launcher: this process is not in that table.
    """
    if steps.table.launcher is not None:
        raise RuntimeError(
            f"systemd-start would turn this process into {steps.service.executable}; "
            f"{steps.table!r} has only processes of its own: use start"
        )
    service = steps.service
    try:
        make_directories(service.directories)
        command = service.command()
        account = Account(command.user, command.group)
        if command.umask is not None:
            os.umask(command.umask)
        become(command, account, lambda *what: steps.complain(warning(*what)), lambda: None,
               home(account))  # fmt: skip
    except (Error, OSError) as error:
        return steps.failed(error)
