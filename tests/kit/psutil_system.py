"""A system of declared processes below psutil, whose answers can fail at any call.

Only psutil's platform layer is replaced. What psutil makes of its answers (its identities, its
guesses, its caches) is that of the version that is installed.
"""

import collections
import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from ssd.processes import portable, psutil_starts

BOOT = 1_700_000_000.0
ZOMBIE, RUNNING = psutil.STATUS_ZOMBIE, psutil.STATUS_RUNNING
Uids = collections.namedtuple("Uids", "real effective saved")
# Called before each answer: gets the fact and the pid, may raise an error or change the system.
Fault = Callable[[str, int], None]


class Declared:
    """What psutil can know of one process."""

    def __init__(self, **facts: Any) -> None:
        self.create_time = BOOT + 60.25
        self.ppid, self.uid, self.group, self.session = 1, 1000, 0, 0
        self.name, self.exe, self.status = "", "", RUNNING
        self.cmdline: list[str] = []
        self.cwd: str | None = "/"
        self.environ: dict[str, str] = {}
        self.num_threads = 1
        vars(self).update(facts)


class System:
    """The processes by pid, a clock that can be set, and a fault.

    monotonic: whether psutil can read a start that the clock does not move (macOS and NetBSD,
    since psutil 7.1).
    """

    def __init__(self, monotonic: bool = False) -> None:
        self.processes = {os.getpid(): Declared(name="tests", create_time=BOOT + 1000.5)}
        self.monotonic = monotonic
        self.shift = 0.0  # seconds by which the clock was set
        self.calls = 0
        self.fault: Fault = lambda fact, pid: None

    def ask(self, fact: str, pid: int) -> Any:
        """Return a fact of a process."""
        self.calls += 1
        self.fault(fact, pid)
        if pid not in self.processes:
            raise psutil.NoSuchProcess(pid)
        return getattr(self.processes[pid], fact)

    def pids(self) -> list[int]:
        """Return all pids."""
        self.calls += 1
        self.fault("pids", 0)
        return sorted(self.processes)

    def boot_time(self) -> float:
        """Return the time of boot, by the clock of now."""
        self.calls += 1
        self.fault("boot_time", 0)
        return BOOT + self.shift

    def pid_exists(self, pid: int) -> bool:
        """Say whether there is a process or zombie."""
        self.calls += 1
        self.fault("pid_exists", pid)
        return pid in self.processes

    def kill(self, pid: int, signum: int) -> None:
        """Look whether a process can be signalled: kill(2) with 0."""
        assert signum == 0
        self._posix("kill", pid)

    def _posix(self, fact: str, pid: int) -> Declared:
        """Ask the system itself, which does not fail but for a process that is gone."""
        self.calls += 1
        with contextlib.suppress(psutil.Error, OSError, RuntimeError, SystemError):
            self.fault(fact, pid)
        if pid not in self.processes:
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        return self.processes[pid]

    def getpgid(self, pid: int) -> int:
        """Do what getpgid(2) does."""
        return int(self._posix("getpgid", pid).group)

    def getsid(self, pid: int) -> int:
        """Do what getsid(2) does."""
        return int(self._posix("getsid", pid).session)

    def platform_process(self) -> type:
        """Return the class below ``psutil.Process``."""
        system = self

        class PlatformProcess:
            """One process, by pid."""

            def __init__(self, pid: int) -> None:
                self.pid = pid

            def __getattr__(self, fact: str) -> Callable[[], Any]:
                return lambda: system.ask(fact, self.pid)

            def create_time(self, monotonic: bool = False) -> float:
                """Return the start, moved by the clock unless psutil asks for another."""
                created = float(system.ask("create_time", self.pid))
                still = monotonic and system.monotonic
                return created if still or not created else created + system.shift

            def uids(self) -> Uids:
                """Return the user three times."""
                return Uids(*[system.ask("uid", self.pid)] * 3)

            def oneshot_enter(self) -> None:
                """Keep no facts."""

            def oneshot_exit(self) -> None:
                """Keep no facts."""

        return PlatformProcess


@contextlib.contextmanager
def installed(system: System, linux: bool = False) -> Iterator[System]:
    """Have psutil, and kill(2) with its like, see only a system; without pidfds and kqueues."""
    platform = psutil._psplatform  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform, "Process", system.platform_process())
        for name in ("pids", "pid_exists", "boot_time"):
            patch.setattr(platform, name, getattr(system, name))
        for name in ("kill", "getpgid", "getsid"):
            patch.setattr(os, name, getattr(system, name))
        patch.delattr(os, "pidfd_open", raising=False)
        patch.setattr(portable, "LINUX", linux)
        patch.setattr(psutil_starts, "LINUX", linux)
        patch.setattr(psutil_starts, "_first_start", {})
        yield system
