"""Stop a command at a system call, by ptrace(2): the only way to meet the right moment."""

import ctypes
import errno
import math
import os
import signal
import struct
from collections.abc import Callable
from typing import Any

import pytest

from .alone import checked, libc

TRACEME, DETACH, SYSCALL, SETOPTIONS, GETEVENTMSG = 0, 17, 24, 0x4200, 0x4201
SYSCALL_INFO = 0x420E  # Linux 5.3
# Options: stops at system calls are marked; children and execve(2) are reported; it ends with us.
SYSGOOD, FORK, VFORK, CLONE, EXEC, EXITKILL = 1, 2, 4, 8, 16, 1 << 20
ENTRY = 1
EVENT_EXEC = 4
WALL = 0x40000000  # waitpid(2): threads and all
_MARKED = signal.SIGTRAP | 0x80

# Only calls older than pidfd's have different numbers on different machines (unistd.h).
KILL = {"x86_64": 62, "aarch64": 129, "riscv64": 129}.get(os.uname().machine, -1)
FLOCK = {"x86_64": 73, "aarch64": 32, "riscv64": 32}.get(os.uname().machine, -1)
CLONE_CALL = {"x86_64": 56, "aarch64": 220, "riscv64": 220}.get(os.uname().machine, -1)
PIDFD_SEND_SIGNAL, CLONE3 = 424, 435
POLL = {"x86_64": 7}.get(os.uname().machine, -1)  # milliseconds are its third argument
# The others, and the index of their argument of type struct timespec.
PSELECT = {"x86_64": 270, "aarch64": 72, "riscv64": 72}.get(os.uname().machine, -1)
PPOLL = {"x86_64": 271, "aarch64": 73, "riscv64": 73}.get(os.uname().machine, -1)
TIMESPECS = {PSELECT: 4, PPOLL: 2}

libc.ptrace.restype = ctypes.c_long


class _Info(ctypes.Structure):
    """The beginning of struct ptrace_syscall_info, with its entry part."""

    _fields_ = [
        ("op", ctypes.c_uint8),
        ("_pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 6),
    ]


class Traced:
    """A traced command, with all its children if ``options`` say so."""

    def __init__(self, *words: Any, options: int = 0) -> None:
        """Start it and stop it before its first instruction. Skips if that is forbidden."""
        self.status: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            try:
                nowhere = os.open("/dev/null", os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.dup2(nowhere, 2)
                checked(_ptrace(TRACEME, 0))
                os.execv(words[0], list(map(str, words)))
            finally:
                os._exit(77)
        status = os.waitpid(self.pid, 0)[1]  # execve(2) stops a traced process
        if os.WIFEXITED(status):
            pytest.skip("ptrace(2) is not allowed here")
        checked(_ptrace(SETOPTIONS, self.pid, 0, SYSGOOD | EXITKILL | options))

    def until_signals(self) -> bool:
        """Continue until it is about to send a signal other than 0; False if it ended."""
        return self._until(
            lambda call: call.number in (KILL, PIDFD_SEND_SIGNAL) and call.arguments[1] != 0
        )

    def until_sent(self) -> None:
        """Continue until it has sent the signal."""
        assert self._step()

    def until_sleep(self) -> float | None:
        """Continue until it is about to wait for descriptors or a time, not just to poll.

        Return the seconds of the wait; None if it ended.
        """
        if not self._until(lambda call: self._sleep(call) != 0):
            return None
        return self._sleep(_look(self.pid))

    def until_fork(self) -> bool:
        """Continue until it is about to fork; False if it ended."""
        return self._until(lambda call: call.number in (CLONE_CALL, CLONE3))

    def until_lock(self) -> bool:
        """Continue until it is about to take a lock; False if it ended."""
        return self._until(lambda call: call.number == FLOCK)

    def kill(self) -> None:
        """Kill it at this point."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def finish(self) -> int | None:
        """Continue to the end; return the status, minus N for signal N."""
        while self.status is None and self._step():
            pass
        return self.status

    def _sleep(self, call: _Info) -> float:
        """Return the timeout of a system call in seconds, 0 if it does not wait."""
        if call.number == POLL:
            milliseconds = ctypes.c_int(call.arguments[2]).value
            return milliseconds / 1000 if milliseconds >= 0 else math.inf
        if call.number not in TIMESPECS:
            return 0
        address = call.arguments[TIMESPECS[call.number]]
        if not address:
            return math.inf
        memory = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY)
        seconds, nanoseconds = struct.unpack("ll", os.pread(memory, struct.calcsize("ll"), address))
        os.close(memory)
        return float(seconds + nanoseconds / 1e9)

    def _until(self, awaited: Callable[[_Info], bool]) -> bool:
        """Continue to the entry of a system call; False if it ended before."""
        while self._step():
            info = _look(self.pid)
            if info.op == ENTRY and awaited(info):
                return True
        return False

    def _step(self) -> bool:
        """Continue to the next entry or exit of a system call; False at the end."""
        pass_on = 0
        while True:
            checked(_ptrace(SYSCALL, self.pid, 0, pass_on))
            status = os.waitpid(self.pid, 0)[1]
            if not os.WIFSTOPPED(status):
                self.status = os.waitstatus_to_exitcode(status)
                return False
            if os.WSTOPSIG(status) == _MARKED:
                return True
            pass_on = os.WSTOPSIG(status)


class Family(Traced):
    """A command and all that it forks, up to their execve(2), from the first flock(2) on.

    A step is the entry of a system call in any of them.
    """

    def __init__(self, *words: Any) -> None:
        super().__init__(*words, options=FORK | VFORK | CLONE | EXEC)
        self._members = {self.pid}
        self.steps = 0

    def walk(self, last: int | None = None, kill_all: bool = False) -> int:
        """Continue until all have ended or become other programs; return the number of steps.

        At the step ``last`` the process that makes it is killed, or all are.
        """
        locked = False
        gone = set()
        checked(_ptrace(SYSCALL, self.pid))
        while self._members:
            pid, status = os.waitpid(-1, WALL)
            if not os.WIFSTOPPED(status):
                self._members.discard(pid)
                gone.add(pid)
                continue
            self._members.add(pid)
            signum, event = os.WSTOPSIG(status), status >> 16
            if event == EVENT_EXEC:
                self._members.discard(pid)
                checked(_ptrace(DETACH, pid))
                continue
            if signum == _MARKED and (info := _look(pid)).op == ENTRY:
                locked = locked or info.number == FLOCK
                self.steps += locked
                if self.steps == last:
                    self._kill(self._members if kill_all else {pid})
                    last = None
            if event:
                # Perhaps it has not stopped yet, or has already ended.
                self._members |= {_newborn(pid)} - gone
            is_ours = signum == _MARKED or event or signum == signal.SIGSTOP
            self._go_on(pid, 0 if is_ours else signum)
        return self.steps

    def _kill(self, doomed: set[int]) -> None:
        for pid in doomed:
            os.kill(pid, signal.SIGKILL)

    def _go_on(self, pid: int, pass_on: int) -> None:
        if _ptrace(SYSCALL, pid, 0, pass_on) < 0 and ctypes.get_errno() != errno.ESRCH:
            checked(-1)


def _look(pid: int) -> _Info:
    """Return the system call that a process is stopped at."""
    info = _Info()
    checked(_ptrace(SYSCALL_INFO, pid, ctypes.sizeof(info), ctypes.addressof(info)))
    return info


def _newborn(pid: int) -> int:
    """Return the child of a process that is stopped after a fork."""
    message = ctypes.c_ulong()
    checked(_ptrace(GETEVENTMSG, pid, 0, ctypes.addressof(message)))
    return message.value


def _ptrace(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    words = ctypes.c_void_p(address), ctypes.c_void_p(data)
    return int(libc.ptrace(ctypes.c_long(request), ctypes.c_int(pid), *words))
