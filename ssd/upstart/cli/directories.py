"""Where jobs and their logs are: one directory for root, several for another user.

See init(5) of Upstart, "User Session Jobs".
"""

import os

from ssd.service.sources.upstart import JOBS

SESSIONS = "/usr/share/upstart/sessions"  # of packages, for every user
SYSTEM_LOGS = "/var/log/upstart"


def defaults(uid: int, home: str) -> "list[str]":
    """Return the directories of a user's jobs, the first one first; they need not exist."""
    if uid == 0:
        return [JOBS]
    own = _absolute("XDG_CONFIG_HOME") or f"{home}/.config"
    shared = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    below = [f"{each}/upstart" for each in shared.split(":") if each.startswith("/")]
    return [f"{own}/upstart", f"{home}/.init", *below, SESSIONS]


def logs(uid: int, home: str) -> str:
    """Return the directory of the logs of a user's jobs."""
    if uid == 0:
        return SYSTEM_LOGS
    return f"{_absolute('XDG_CACHE_HOME') or f'{home}/.cache'}/upstart"


def _absolute(name: str) -> str:
    """Return a variable that is an absolute path; "" without one (XDG Base Directory)."""
    value = os.environ.get(name, "")
    return value if value.startswith("/") else ""
