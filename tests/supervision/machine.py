"""A supervisor on a machine of declared processes, for the tests of this room."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ssd.service import Service
from ssd.supervision import Event, Supervisor
from ssd.testing import FakeProcess, FakeProcesses


class Machine:
    """A fake machine with its supervisor; ``said`` are the events as sentences."""

    def __init__(self, directory: Path, services: Iterable[dict[str, Any]], **options: Any) -> None:
        self.directory = directory
        self.table = options.pop("table", None) or FakeProcesses()
        self.table.allow_unregistered()
        self.events: list[Event] = []
        declared = [self.service(**each) for each in services]
        options = {"random": lambda: 0.0, **options}
        self.supervisor = Supervisor(declared, table=self.table, **options)
        self.supervisor.listeners.append(self.events.append)

    def service(self, name: str, **fields: Any) -> Service:
        """Declare a service with a program and a pidfile of its own."""
        usual = {"executable": f"/bin/{name}", "pidfile": str(self.directory / f"{name}.pid")}
        return Service(name=name, **{**usual, **fields})

    def program(self, name: str, runs: "Callable[[FakeProcess], object] | None" = None) -> None:
        """Declare what a program does."""
        self.table.register(f"/bin/{name}", runs=runs)

    def until(self, time: float) -> None:
        """Let time pass until the clock shows ``time``, with the supervisor at work."""
        while not self.supervisor.advance() and self.table.now() < time:
            limits = [each for each in (self.supervisor.until, time) if each is not None]
            self.table.wait(self.supervisor.handles, min(limits))

    def settle(self) -> None:
        """Do all that is due now."""
        self.supervisor.advance()

    @property
    def said(self) -> list[str]:
        """The events so far, as sentences."""
        return [str(event) for event in self.events]

    def states(self) -> dict[str, str]:
        """Return goal and state of each service."""
        return {n: f"{u.goal}/{u.state}" for n, u in self.supervisor.units.items()}
