"""System calls that Python 3.10 has no function for: namespaces, mounts, ptrace(2).

Each raises OSError.
"""

import ctypes
import os

from ssd.surroundings.capability_calls import PR_CAPBSET_DROP
from ssd.system_calls import prctl

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000  # linux/sched.h
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8  # linux/mount.h
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2

PTRACE_CONT, PTRACE_GETEVENTMSG, PTRACE_SEIZE, PTRACE_LISTEN = 7, 0x4201, 0x4206, 0x4208
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_STOP = 1, 2, 3, 4, 128
# PTRACE_O_TRACEFORK, VFORK, CLONE, EXEC, and PTRACE_O_EXITKILL
PTRACE_OPTIONS = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 20
WALL = 0x40000000  # __WALL of wait(2)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
AT_EXECFN = 31  # getauxval(3)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _check(result: int, path: "str | None" = None) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result


def unshare(flags: int) -> None:
    """Leave some of the namespaces: unshare(2)."""
    _check(_libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system: mount(2)."""
    words = [os.fsencode(word) for word in (source, target, kind)]
    _check(_libc.mount(*words, ctypes.c_ulong(flags), os.fsencode(data)), target)


def unmount(target: str) -> None:
    """Take a mount away from the tree, busy or not: umount2(2) with MNT_DETACH."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), target)


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent ends."""
    prctl(PR_SET_PDEATHSIG, 9)


def drop_capabilities(kept: "frozenset[int]") -> None:
    """Take from the bounding set what is not ``kept``: no later program can have it."""
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as file:
        last = int(file.read())
    for number in range(last + 1):
        if number not in kept:
            prctl(PR_CAPBSET_DROP, number)


def seize(pid: int) -> None:
    """Trace a process, and all that it will fork."""
    _check(_libc.ptrace(PTRACE_SEIZE, pid, None, PTRACE_OPTIONS))


def resume(pid: int, signum: int = 0) -> None:
    """Let a stopped tracee go on, with a signal; one that is gone already is no error."""
    _ptrace_living(PTRACE_CONT, pid, signum)


def listen(pid: int) -> None:
    """Leave a tracee stopped by a stop signal until SIGCONT."""
    _ptrace_living(PTRACE_LISTEN, pid, 0)


def _ptrace_living(request: int, pid: int, data: int) -> None:
    try:
        _check(_libc.ptrace(request, pid, None, data))
    except ProcessLookupError:  # SIGKILL takes a tracee out of any stop
        return


def event_message(pid: int) -> int:
    """Return the number that comes with an event: the pid of the new process after a fork."""
    number = ctypes.c_ulong()
    _check(_libc.ptrace(PTRACE_GETEVENTMSG, pid, None, ctypes.addressof(number)))
    return number.value
