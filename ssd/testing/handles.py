"""The handles of a declared process: itself, and what it says by sd_notify(3)."""

import errno
import os
import signal
from types import TracebackType
from typing import Self

from ssd.matching import Process
from ssd.testing.clock import WaitsForEver
from ssd.testing.process import FakeProcess, Machine, Sent, signal_name

MAX_SIGNALS = 10_000  # to one process: more would fill the memory with their record


class FakeHandle:
    """A declared process, held: the handle never reaches the next owner of its pid."""

    def __init__(self, table: Machine, held: FakeProcess, process: Process) -> None:
        self.process = process
        self._table = table
        self._held = held
        self._closed = False

    def fileno(self) -> int:
        """Return -1: there is no descriptor, and ``FakeProcesses.wait`` needs none."""
        return -1

    def signal(self, signum: int) -> None:
        """Send a signal. Raises ProcessLookupError, PermissionError, OSError for a bad number.

        Raises WaitsForEver for a process that still lives after MAX_SIGNALS.
        """
        with self._table.clock.lock:
            self._signal(signum)

    def _signal(self, signum: int) -> None:
        """Do what ``signal`` does; the lock is held."""
        if FakeHandle.ended(self):
            raise ProcessLookupError(errno.ESRCH, os.strerror(errno.ESRCH))
        if not 0 <= signum < signal.NSIG:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if not self._table.may_signal(self._held):
            if signum:
                denial = f"{signal_name(signum)} is denied to user {self._table.caller_uid}"
                self._table.note(self._held, denial)
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        if signum:
            self._held.received += 1
            if self._held.received > MAX_SIGNALS:
                raise WaitsForEver(f"{self._held} still lives after {MAX_SIGNALS} signals")
            sent = Sent(self._table.now(), self.process.pid, signum, self._held)
            self._table.signals.append(sent)
            self._table.note(self._held, f"{signal_name(signum)} {self._held.manner(signum)}")
            self._held.receive(signum)

    def ended(self) -> bool:
        """Say whether the process has ended. Raises ValueError on a closed handle."""
        if self._closed:
            raise ValueError("the handle is closed")
        return self._held.ended

    def close(self) -> None:
        """Release the process."""
        self._closed = True

    def __repr__(self) -> str:
        return f"<FakeHandle of {self._held}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class FakeNotifications(FakeHandle):
    """What a declared process says by sd_notify(3); it has "ended" while a message waits."""

    def ended(self) -> bool:
        """Say whether a message waits."""
        return bool(self._held.unheard)

    def receive(self) -> bytes | None:
        """Return the next message, None if there is none."""
        return self._held.unheard.pop(0) if self._held.unheard else None
