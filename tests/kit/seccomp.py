"""System calls that fail: an older kernel, or a container's filter, for one command."""

import ctypes
import errno
import functools
import os
import struct
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

# The numbers are the same on every machine except alpha (since Linux 5.1).
PIDFD_OPEN = 434
POLL = {"x86_64": 7}.get(os.uname().machine)  # others have ppoll(2) alone
RECVMSG = {"x86_64": 47, "aarch64": 212, "riscv64": 212}.get(os.uname().machine)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2  # prctl(2)
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: absolute word, by a constant
ALLOW, ERRNO = 0x7FFF0000, 0x00050000  # linux/seccomp.h

libc = ctypes.CDLL(None, use_errno=True)


class Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refusing(call: int, code: int = errno.ENOSYS) -> Callable[[], None]:
    """Return a preexec_fn for subprocess that makes a system call fail."""
    steps = [(LOAD, 0, 0, 0), (JUMP_EQUAL, 0, 1, call), (RETURN, 0, 0, ERRNO | code)]
    steps.append((RETURN, 0, 0, ALLOW))
    text = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = Program(len(steps), ctypes.addressof(text))

    def refuse() -> None:
        for words in (
            (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
            (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
        ):
            if libc.prctl(*words):
                raise OSError(ctypes.get_errno(), "prctl")
        _ = text  # the program is only a pointer to it

    return refuse


_KERNELS: dict[str, Callable[[], object]] = {
    "before Linux 5.3": refusing(PIDFD_OPEN),
    "under an old container's filter": refusing(PIDFD_OPEN, errno.EPERM),
    "now": os.getpid,  # it changes nothing
}
KERNELS = list(_KERNELS)


@functools.cache
def _obstacle() -> str | None:
    """Return why no system call can be made to fail here; None if one can."""
    try:
        subprocess.run(["true"], preexec_fn=refusing(PIDFD_OPEN), check=True)
    except (AttributeError, subprocess.SubprocessError) as error:
        return f"system calls cannot be filtered here: {error}"
    return None


def kernel(name: str) -> dict[str, Any]:
    """Return the options that run a command under one of KERNELS; skip if impossible."""
    if name != "now" and _obstacle():
        pytest.skip(str(_obstacle()))
    return {"preexec_fn": _KERNELS[name]}


def lacking(call: int | None, code: int) -> dict[str, Any]:
    """Return the options that run a command with a failing call; skip if impossible."""
    if call is None:
        pytest.skip(f"the call has another number on {os.uname().machine}")
    if _obstacle():
        pytest.skip(str(_obstacle()))
    return {"preexec_fn": refusing(call, code)}
