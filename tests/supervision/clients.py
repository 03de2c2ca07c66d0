"""Clients of a Unix socket, well-behaved and other ones, in the thread of the test."""

import json
import os
import select
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ssd.supervision.control.connections import Client, Connections
from ssd.supervision.control.protocol import Request, success
from ssd.supervision.control.unix_socket import listen

Answer = Callable[[Client, Request], None]


def hello(client: Client, request: Request) -> None:
    """Answer each request with its verb."""
    client.send(success(request.id, verb=request.verb))


class Caller:
    """One client."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.socket.setblocking(False)
        self.data = b""

    def send(self, data: bytes) -> int:
        """Send bytes, as far as they are taken."""
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0

    def ask(self, verb: str, id: object = 1, **fields: object) -> None:
        """Send a request."""
        self.send(json.dumps({"id": id, "verb": verb, **fields}).encode() + b"\n")

    def lines(self) -> list[Any]:
        """Return the lines that have come; None at the end for a closed connection."""
        ended = False
        while not ended:
            try:
                piece = self.socket.recv(1 << 16)
            except BlockingIOError:
                break
            except ConnectionResetError:
                piece = b""
            self.data += piece
            ended = not piece
        *whole, self.data = self.data.split(b"\n")
        return [json.loads(each) for each in whole] + [None] * ended


class Served:
    """A socket in a directory, whose turns the test gives."""

    def __init__(self, directory: Path, answer: Answer = hello, **options: Any) -> None:
        self.path = directory / "socket"
        self.told: list[str] = []
        self.closed = False
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            listener = listen(descriptor)
        finally:
            os.close(descriptor)
        settings = {"admits": lambda peer: None, "owner": os.geteuid(), **options}
        self.connections = Connections(listener, answer=answer, told=self.told.append, **settings)
        self.callers: list[Caller] = []

    def connect(self) -> Caller:
        """Return a new client."""
        caller = Caller(self.path)
        self.callers.append(caller)
        return caller

    def turns(self, most: int = 10_000) -> int:
        """Give turns while anybody wants one; return how many there were."""
        for count in range(most):
            if not select.select([self.connections.fileno()], [], [], 0)[0]:
                return count
            self.connections.turn()
        return most

    def close(self) -> None:
        """Close everything."""
        for caller in self.callers:
            caller.socket.close()
        if not self.closed:
            self.connections.close_all("ending", "the test ends")
        self.closed = True
