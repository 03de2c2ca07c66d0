"""A user's home directory, and where the logs are: the same for supervisors and plain starts."""

import os

SYSTEM_LOGS = "/var/log/ssd"


def home(uid: int, given: "str | None" = None) -> "str | None":
    """Return a user's home directory; None unless that user owns it and no other may write it.

    ``given``, by default HOME, if it is one; else the account's, maybe by a query over the network.
    """
    given = os.environ.get("HOME", "") if given is None else given
    if _is_home(given, uid):
        return given
    import pwd

    try:
        listed = pwd.getpwuid(uid).pw_dir
    except KeyError:
        return None
    return listed if _is_home(listed, uid) else None


def _is_home(path: str, uid: int) -> bool:
    try:
        return path.startswith("/") and path != "/" and is_own(os.stat(path), uid)
    except OSError:
        return False


def is_own(facts: os.stat_result, uid: int) -> bool:
    """Tell whether a user owns a directory, and no other than root may write it."""
    return facts.st_uid == uid and not facts.st_mode & 0o022


def log_directory(uid: int, given: "str | None" = None) -> str:
    """Return the directory of a user's logs; it need not exist. given: see ``home``."""
    if uid == 0:
        return SYSTEM_LOGS
    found = home(uid, given)
    return f"{found}/.local/state/ssd/log" if found else f"/tmp/ssd-{uid}/log"
