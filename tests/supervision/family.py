"""A supervisor of real processes, which a test drives; and programs that speak sd_notify(3)."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ssd.service import Service
from ssd.supervision import Event, Supervisor, run

# ``say`` sends a message, SIGUSR1 has it say the truth, and ``stay`` never ends.
SPEAKER = """
import _signal, _socket, os, sys, time
def say(text, *descriptors):
    import array
    with_rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", descriptors))]
    speaker = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    speaker.connect(os.environ["NOTIFY_SOCKET"])
    speaker.sendmsg([text.encode()], with_rights if descriptors else [])
def stay():
    # Not pause(2): a signal right before it would be handled by the next signal only.
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    _signal.set_wakeup_fd(writing)
    while True:
        os.read(reading, 1)
_signal.signal(_signal.SIGUSR1, lambda *taken: say("STATUS=truth"))
"""

LONGEST = 60  # seconds


def speaker(body: str) -> dict[str, Any]:
    """Return the fields of a service whose program is some Python after ``SPEAKER``."""
    return {"executable": sys.executable, "arguments": ["-I", "-S", "-c", SPEAKER + body]}


class Family:
    """A supervisor whose services are real children of the test; ``said`` are its events."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.supervisor = Supervisor()
        self.said: list[str] = []
        self.supervisor.listeners.append(self._hear)

    def _hear(self, event: Event) -> None:
        self.said.append(str(event))

    def start(self, name: str, **fields: Any) -> None:
        """Declare one more service, and start it."""
        fields = {"pidfile": str(self.directory / f"{name}.pid"), **fields}
        services = [unit.service for unit in self.supervisor.units.values()]
        self.supervisor.update([*services, Service(name=name, **fields)])

    def until(self, holds: Callable[[], object]) -> None:
        """Drive the supervisor until something holds. Raises TimeoutError after a minute."""
        supervisor, table = self.supervisor, self.supervisor.table
        limit = table.now() + LONGEST
        supervisor.advance()
        while not holds():
            if table.now() >= limit:
                raise TimeoutError(self.said)
            limits = [each for each in (supervisor.until, limit) if each is not None]
            table.wait(supervisor.handles, min(limits))
            supervisor.advance()

    def until_said(self, *texts: str) -> None:
        """Drive the supervisor until all these are among its events."""
        self.until(lambda: set(texts) <= set(self.said))

    def pid(self, name: str) -> int:
        """Return the main process of a service."""
        process = self.supervisor.units[name].process
        assert process is not None
        return process.pid

    def close(self) -> None:
        """Stop all of it."""
        self.supervisor.shutdown()
        run(self.supervisor)
        self.supervisor.close()
