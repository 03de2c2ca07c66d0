"""A start in the foreground: this process writes its own pid, and becomes the program."""

import os

from ssd.processes import own
from ssd.starting import become as becoming

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ssd.pidfile.writing import Written
    from ssd.starting import Start


def become(start: "Start") -> "NoReturn":
    """Write the pidfile, and execute the program. Raises StartFailed and PidfileUnwritable."""
    command, account = start.command, start.account
    umask = os.umask(0o077) if command.umask is None else command.umask
    os.umask(umask)
    written = None
    if start.pidfile is not None:
        from ssd.pidfile import writing

        mark = writing.mark_of(own(start.table), start.table)  # still true after execve(2)
        written = writing.write(start.pidfile, os.getpid(), umask, mark)
    try:
        home = becoming.home(account)
        becoming.become(command, account, start.warn, start.executing, home)
    except BaseException:
        if written is not None:
            _remove_pidfile(start, written)
        raise


def _remove_pidfile(start: "Start", written: "Written") -> None:
    """Remove the pidfile of a failed start; warn if the new user may not."""
    try:
        written.remove()
    except OSError as error:
        start.warn("pidfile", os.fsdecode(start.pidfile or b""), error.strerror)
