"""A machine with jobs behind a real socket, in the thread of the test."""

import os
import select
from pathlib import Path
from typing import Any

from supervision.clients import Caller

from ssd.supervision.control.server import Control
from ssd.supervision.control.unix_socket import listen
from ssd.upstart.control.requests import JobRequests
from upstart.machine import World


class Asked(World):
    """Jobs, and clients that ask them. ``is_system``: nobody may change what all jobs get."""

    def __init__(self, directory: Path, is_system: bool = True, **texts: str) -> None:
        super().__init__(**texts)
        self.directory = directory
        self.callers: list[Caller] = []
        self.reread = 0
        self.closed = False
        self.requests = JobRequests(
            self.jobs, reread=self._reread, is_system=is_system,
        )  # fmt: skip
        self.jobs.outputs.located = lambda unit: (
            None if unit.service.console == "none" else str(directory / f"{unit.name}.log")
        )
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            listener = listen(descriptor)
        finally:
            os.close(descriptor)
        self.control = Control(self.jobs, listener, jobs=self.requests.answer)

    def _reread(self) -> None:
        self.reread += 1

    def settle(self) -> None:
        """Do all that is due now, for clients too."""
        self.jobs.advance()
        fd = self.control.connections.fileno()
        while select.select([fd], [], [], 0)[0]:
            self.jobs.advance()

    def connect(self) -> Caller:
        """Return a new client."""
        self.callers.append(Caller(self.directory / "socket"))
        return self.callers[-1]

    def begin(self, command: str, *given: str, **fields: Any) -> Caller:
        """Ask something as a new client. ``given``: the job, and KEY=VALUE."""
        caller = self.connect()
        if given and command == "emit":
            fields["value"] = given[0]
        elif given:
            fields["name"] = given[0]
        if given[1:]:
            fields["environment"] = list(given[1:])
        caller.ask("job", command=command, **fields)
        self.settle()
        return caller

    def ask(self, command: str, *given: str, **fields: Any) -> Any:
        """Ask something; return what is answered at once: None, or its last line."""
        lines = self.begin(command, *given, **fields).lines()
        rows = [row for line in lines for row in line.get("jobs", [])]
        if not lines:
            return None
        last = {key: value for key, value in lines[-1].items() if key not in ("id", "ok")}
        return {**last, "jobs": rows} if rows else last

    def refused(self, command: str, *given: str, **fields: Any) -> str:
        """Ask something that is refused; return the message."""
        answer = self.ask(command, *given, **fields)
        assert "refused" == answer["error"], answer
        return str(answer["message"])

    def tell(self, verb: str, name: "str | None" = None, **fields: Any) -> list[Any]:
        """Ask with one of the verbs that every supervisor has; return what comes at once."""
        caller = self.connect()
        caller.ask(verb, **({} if name is None else {"name": name}), **fields)
        self.settle()
        return [{key: line[key] for key in line if key != "id"} for line in caller.lines()]

    def close(self) -> None:
        """Close the socket and its clients."""
        for caller in self.callers:
            caller.socket.close()
        if not self.closed:
            self.control.close()
