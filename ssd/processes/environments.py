"""The environment of another process, as the kernel laid it when that was executed (proc(5)).

Loaded only where a marker is looked for.
"""

import os
from time import monotonic

from ssd.errors import VANISHED, ProcessTableError

EXECUTING = 1.0  # seconds at most within execve(2), until there is a new environment


def entries(root: bytes, pid: int) -> list[bytes]:
    """Return the entries, KEY=VALUE; none if it has ended, or the caller may not read them.

    One within execve(2) is waited for. ``root`` is where procfs is mounted. Raises
    ProcessTableError.
    """
    try:
        where = os.open(root + b"/%d" % pid, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return settled(where).split(b"\0")[:-1]
        finally:
            os.close(where)
    except VANISHED:
        return []
    except OSError as error:  # no descriptor is left to look with, or no memory
        reason = f"unable to read {os.fsdecode(root)}: {error.strerror}"
        raise ProcessTableError(reason) from error


def settled(where: int, name: str = "environ") -> bytes:
    """Return the environment of a process; wait for it within execve(2). Raises VANISHED.

    where: a descriptor of its directory in procfs. name: "cmdline" for the command line.
    """
    end = 0.0
    while not (text := read(where, name)) and _executes(where):
        now = monotonic()
        end = end or now + EXECUTING
        if now > end:
            break
        os.sched_yield()
    return text


def _executes(where: int) -> bool:
    """Tell whether a process is within execve(2): it has a program, and no words yet.

    The kernel has closed what was to be closed by then, so a lock of a parent is free, and sets
    words and variables right after (begin_new_exec and create_elf_tables, Linux).
    """
    if read(where, "cmdline"):
        return False
    try:
        os.readlink("exe", dir_fd=where)
    except OSError:
        return False  # a thread of the kernel, a zombie, or hidden
    return read(where, "stat").rpartition(b") ")[2][:1] not in b"ZX"


def read(where: int, name: str) -> bytes:
    """Read a file of a process's directory. Raises VANISHED."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=where)
    with os.fdopen(fd, "rb", 0) as file:
        return file.readall()
