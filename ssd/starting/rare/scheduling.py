"""CPU and I/O scheduling of a program, set before it is executed."""

import errno
import os

from ssd.starting.command import IO_CLASSES

# ioprio_set(2) has no wrapper in the C library. psutil's wrapper refuses a level for the idle
# class, and start-stop-daemon sets 7. The numbers are from the kernel's system call tables.
_IOPRIO_SET = {
    "x86_64": 251, "i386": 289, "i686": 289, "aarch64": 30, "riscv64": 30, "loongarch64": 30,
    "armv6l": 314, "armv7l": 314, "armv8l": 314, "ppc64": 273, "ppc64le": 273, "s390x": 282,
}  # fmt: skip
_CLASS_SHIFT = 13
_WHO_PROCESS = 1


def priority_range(policy: str) -> tuple[int, int]:
    """Return the lowest and the highest priority of a policy (sched_get_priority_min(2)).

    Raises OSError if the system has no scheduling policies.
    """
    number = _policy(policy)
    return os.sched_get_priority_min(number), os.sched_get_priority_max(number)


def set_cpu(policy: str, priority: int) -> None:
    """Set this process's scheduling policy and priority. Raises OSError."""
    os.sched_setscheduler(0, _policy(policy), os.sched_param(priority))


def set_io(io_class: str, priority: int) -> None:
    """Set this process's I/O class and priority (0 to 7). Raises OSError.

    On other systems than Linux that is ENOSYS.
    """
    system = os.uname()
    call = _IOPRIO_SET.get(system.machine) if system.sysname == "Linux" else None
    if call is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    value = IO_CLASSES[io_class] << _CLASS_SHIFT | priority
    if libc.syscall(call, _WHO_PROCESS, 0, value) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def io_of(pid: int) -> "tuple[int, int] | None":
    """Return the number of a process's I/O class, and its priority; None if the system is unknown.

    Class 0 is none: the niceness decides. Raises OSError.
    """
    call = _IOPRIO_SET.get(os.uname().machine)
    if call is None:
        return None
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    value = libc.syscall(call + 1, _WHO_PROCESS, pid)  # ioprio_get(2) is the next call everywhere
    if value == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return value >> _CLASS_SHIFT, value & (1 << _CLASS_SHIFT) - 1


def io_mask(io_class: str, priority: int) -> int:
    """Return class and priority as the one number of ioprio_set(2)."""
    return IO_CLASSES[io_class] << _CLASS_SHIFT | priority


def _policy(name: str) -> int:
    if not hasattr(os, "sched_setscheduler"):  # macOS, OpenBSD
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    numbers = {"other": os.SCHED_OTHER, "fifo": os.SCHED_FIFO, "rr": os.SCHED_RR}
    return numbers[name]
