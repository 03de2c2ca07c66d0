"""A supervisor as the parent of all that its services leave behind: as process 1, or a subreaper.

Orphans become its children (prctl(2), PR_SET_CHILD_SUBREAPER; process 1 needs no call). Those
that nobody waits for are reaped here, and the status of a main process is never taken.
"""

import os

from ssd.processes import reaping
from ssd.signals import raw as signals
from ssd.statuses import SUCCESS
from ssd.supervision.effects import held
from ssd.system_calls import set_subreaper


def become_reaper() -> bool:
    """Make this process the parent of all orphans among its descendants; tell whether it is."""
    if os.getpid() == 1:
        return True
    try:
        set_subreaper(True)
    except OSError:  # not CPython, or not Linux
        return False
    return True


def heed_signals() -> None:
    """Let TERM and INT end process 1 while nothing runs yet.

    The kernel drops a signal that process 1 has no handler for.
    """
    if os.getpid() == 1:
        for number in (signals.SIGTERM, signals.SIGINT):
            signals.signal(number, lambda number, frame: os._exit(SUCCESS))


def reap_strangers() -> bool:
    """Reap the ended children that are neither a main process nor a hook; never waits.

    The kernel shows one ended child at a time. If that is a main process, its unit must take the
    status first: then return False, and the caller must ask again in the next turn.
    """
    return reaping.reap_strangers(held.WAITED_FOR, held.WITNESSES)
