"""A user's home directory, and where that user's logs are.

Both follow from the account, so that a supervisor, its clients and a plain start agree.
"""

import os

SYSTEM_LOGS = "/var/log/ssd"


def home(uid: int) -> "str | None":
    """Return a user's home directory; None unless that user owns it and no other may write it.

    HOME, if it is one: the account is asked only then, which can mean a query over the network.
    """
    given = os.environ.get("HOME", "")
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


def log_directory(uid: int) -> str:
    """Return the directory of a user's logs; it need not exist."""
    if uid == 0:
        return SYSTEM_LOGS
    found = home(uid)
    return f"{found}/.local/state/ssd/log" if found else f"/tmp/ssd-{uid}/log"
