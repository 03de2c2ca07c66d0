"""A supervisor of declared processes behind a real socket, in the thread of the test."""

import os
import select
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ssd.supervision.control.server import Control
from ssd.supervision.control.unix_socket import listen

from .clients import Caller
from .machine import Machine


class Controlled(Machine):
    """A fake machine, its supervisor, and a socket to ask it."""

    def __init__(self, directory: Path, services: Iterable[dict[str, Any]], **options: Any) -> None:
        super().__init__(directory, services)
        self.told: list[str] = []
        self.callers: list[Caller] = []
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            listener = listen(descriptor)
        finally:
            os.close(descriptor)
        self.control = Control(
            self.supervisor, listener, directory="/etc/ssd", told=self.told.append, **options
        )
        self.closed = False

    def settle(self) -> None:
        """Do all that is due now, for clients too."""
        fd = self.control.connections.fileno()
        self.supervisor.advance()
        while select.select([fd], [], [], 0)[0]:
            self.supervisor.advance()

    def connect(self) -> Caller:
        """Return a new client."""
        caller = Caller(self.directory / "socket")
        self.callers.append(caller)
        return caller

    def ask(self, verb: str, name: "str | None" = None, **fields: object) -> list[Any]:
        """Send a request as a new client, and return what is answered at once."""
        caller = self.connect()
        caller.ask(verb, **({} if name is None else {"name": name}), **fields)
        self.settle()
        return caller.lines()

    def close(self) -> None:
        """Close the socket and its clients."""
        for caller in self.callers:
            caller.socket.close()
        if not self.closed:
            self.control.close()
