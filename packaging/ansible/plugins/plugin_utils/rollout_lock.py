"""One rollout of a service at a time on this controller.

The lock is a file that names the ansible-playbook that holds it. It holds as long as that process
lives: a rollout that was killed leaves no stale lock, and a process that got its number later is
not taken for it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
from urllib.parse import quote


class Held(Exception):
    """Another rollout holds the lock: ``holder`` has its pid, report and beginning."""

    def __init__(self, holder):
        super().__init__(holder)
        self.holder = holder


def path(directory, service):
    """Return the lock's file for a service."""
    return os.path.join(directory, quote(service, safe="@") + ".lock")


@contextlib.contextmanager
def locked(file):
    """Open the lock's file for one process at a time."""
    directory = os.path.dirname(file)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    flags = os.O_RDWR | os.O_NOFOLLOW
    try:
        # First without O_CREAT, with which fs.protected_regular refuses a file of another user.
        fd = os.open(file, flags)
    except FileNotFoundError:
        fd = os.open(file, flags | os.O_CREAT, 0o600)
        with contextlib.suppress(PermissionError):  # another user has just made it, and does this
            # Who may write into the directory may take the lock.
            os.fchmod(fd, os.stat(directory).st_mode & 0o666)
    with open(fd, "r+", encoding="utf-8") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield opened


def acquire(file, pid, facts):
    """Take the lock for a process; return whether it is new, and not held by that process yet.

    ``facts`` are for another rollout that is refused. Raises Held, and OSError.
    """
    with locked(file) as opened:
        holder = _holder(opened.read())
        if holder and holder["pid"] == pid:
            return False
        if holder:
            raise Held(holder)
        opened.seek(0)
        opened.truncate()
        opened.write(json.dumps({**facts, "pid": pid, "identity": identity(pid)}) + "\n")
        return True


def release(file, pid):
    """Give the lock back, if that process has it."""
    with locked(file) as opened:
        holder = _holder(opened.read())
        if holder and holder["pid"] == pid:
            opened.truncate(0)


def _holder(text):
    """Return the facts of the living process that a lock names, or None."""
    try:
        holder = json.loads(text)
    except ValueError:  # empty, or half written as the machine went down
        return None
    return holder if lives(holder) else None


def lives(run):
    """Tell whether the process still lives of which a run has ``pid`` and ``identity``."""
    found = identity(run["pid"])
    return found is not None and found == run["identity"]


def identity(pid):
    """Return what tells a process from a later one with its number; None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            state, *fields = file.read().rpartition(")")[2].split()
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            return None if state in "ZX" else f"{fields[18]} {file.read().strip()}"
    except (FileNotFoundError, ProcessLookupError):
        if os.path.exists("/proc/self/stat"):
            return None
    # No Linux: the second of its start is all that ps tells.
    words = ["ps", "-o", "lstart=", "-p", str(pid)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
