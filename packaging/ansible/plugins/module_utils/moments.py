"""The parameter if_older_than of ssd.daemon.service: its times, and the lock of its tasks."""

from __future__ import annotations

import fcntl
import os
import time

from ansible.module_utils.common.validation import check_type_path
from ansible_collections.ssd.daemon.plugins.module_utils.answers import Refused

DAY = 86400


def newest_of(values):
    """Return the latest of these times, and the word it comes from. Raises Refused."""
    rows = [(moment_of(value), value) for value in values]
    return max(rows, key=lambda row: row[0], default=(0.0, None))


def moment_of(value):
    """Return a time in seconds since the epoch: a number, or that of a path. Raises Refused."""
    what = f"if_older_than: {value!r}"
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Refused(what + " is neither a path nor seconds since the epoch")
    try:
        moment = float(value)
    except (ValueError, OverflowError):
        return written_at(str(value), what)
    if not 0 <= moment < float("inf"):
        raise Refused(what + " is no time in seconds since the epoch")
    if moment > time.time() + DAY:
        raise Refused(what + " lies more than a day ahead: seconds since the epoch are needed")
    return moment


def written_at(path, what):
    """Return when a file was last written, or its link made. Raises Refused."""
    path = check_type_path(path)
    if not path.startswith("/"):
        raise Refused(what + " is neither an absolute path nor seconds since the epoch")
    try:
        return max(os.stat(path).st_mtime, os.lstat(path).st_mtime)
    except (OSError, ValueError) as error:
        raise Refused(f"{what}: {getattr(error, 'strerror', None) or error}") from error


def locked(name):
    """Wait until no other task looks at this service to restart it; return the open lock.

    Its file stays: to remove it would give two tasks two locks. Nobody else may open it, so nobody
    else can hold it. Raises OSError.
    """
    uid = os.geteuid()
    place = next((each for each in ("/run", "/var/run") if os.path.isdir(each)), "/tmp")
    path = f"{place}/ssd-ansible-{name}.lock"
    if uid:
        path = f"/tmp/ssd-ansible-{uid}-{name}.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    if os.fstat(fd).st_uid != uid:
        os.close(fd)
        raise PermissionError(1, "it belongs to another user: remove it", path)
    fcntl.flock(fd, fcntl.LOCK_EX)
    return fd
