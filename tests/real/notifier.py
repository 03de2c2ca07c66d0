"""A program that sends notifications on command, and other processes that interfere."""

import os
import sys
from pathlib import Path
from typing import Self

from .processes import name, pids
from .programs import Ear, Program, spawn

_SCRIPT = """\
#!{python} -IS
import _socket, os, sys

address = os.environ.get("NOTIFY_SOCKET")
with open({ear!r}, "w") as ear:
    print(os.getpid(), address, file=ear)
orders = open({orders!r}, "rb+", buffering=0)
for order in iter(orders.readline, b"exit\\n"):
    if order == b"setsid\\n":
        os.setsid()
        continue
    if order.startswith(b"!"):
        os.system(order[1:])
        continue
    socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    for message in order[:-1].split(b"|"):
        socket.sendto(message.replace(b"&", b"\\n"), address)
    socket.close()
sys.exit(3)
"""

_STRANGER = """
import _socket, os, sys
socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
try:
    socket.sendto(sys.argv[2].encode(), sys.argv[1])
except PermissionError:
    print("refused", flush=True)
else:
    print("sent", flush=True)
if sys.argv[3:] != ["ends"]:
    os.read(os.pipe()[0], 1)
"""

# As systemd-notify does: it waits until the message was handled (sd_notify_barrier(3)).
_HELPER = """
import _socket, os, select, sys
socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
socket.connect(sys.argv[1])
socket.send(sys.argv[2].encode())
print("sent", file=open(sys.argv[3], "w"), flush=True)
here, there = os.pipe()
rights = there.to_bytes(4, sys.byteorder)
try:
    socket.sendmsg([b"BARRIER=1"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)])
except ConnectionRefusedError:
    pass  # the listener stops once it has heard that it is ready
os.close(there)
poll = select.poll()
poll.register(here, 0)
poll.poll()
print("dealt with", file=open(sys.argv[3], "w"), flush=True)
"""


class Notifier(Program):
    """A daemon that takes orders, one per line.

    "exit" ends it, "setsid" makes a session, a line that begins with "!" is a command for the
    shell. Anything else is sent: notifications are separated by "|", and "&" is the end of a
    line in one.
    """

    def __init__(self, *orders: str, directory: str = "/run/notifier") -> None:
        """Make its files, with its first orders."""
        super().__init__("notifier", directory)
        self._orders = Ear(f"{directory}/orders")
        own = {"python": sys.executable, "ear": self.ear.path, "orders": self._orders.path}
        os.unlink(self.path)
        Path(self.path).write_text(_SCRIPT.format(**own))
        os.chmod(self.path, 0o755)
        self.words = []
        for order in orders:
            self.order(order)

    def order(self, text: str) -> None:
        """Tell it what to do next."""
        self._orders.say(text)

    def began(self) -> tuple[int, str | None]:
        """Wait until it runs; return its pid and its NOTIFY_SOCKET."""
        pid, _, address = self.ear.line().partition(" ")
        return int(pid), None if address == "None" else address

    def alive(self) -> list[int]:
        """Return the living processes that run it, by their name, since an interpreter runs it."""
        return [pid for pid in pids() if name(pid) == "notifier"]


def helper(message: str, ear: Ear) -> str:
    """Return the shell's words for a helper that sends a notification as systemd-notify does.

    It says "sent", and "dealt with" when the receiver is done with it.
    """
    path = f"{ear.path}.helper"
    Path(path).write_text(_HELPER)
    return f"{sys.executable} -IS {path} $NOTIFY_SOCKET {message} {ear.path}"


class Stranger:
    """An unrelated process that sends a notification, if it may, and then stays or ``ends``.

    ``answer`` is "sent" or "refused".
    """

    def __init__(
        self, address: str | None, message: str, user: str | int, ends: bool = False
    ) -> None:
        """Send it, as some user; reap it if it ends."""
        words = [sys.executable, "-IS", "-c", _STRANGER, address, message]
        words += ["ends"] if ends else []
        self._sender = spawn(*words, user=user, start_new_session=True)
        assert self._sender.stdout is not None
        self.answer = self._sender.stdout.readline().strip()
        if ends:
            self._sender.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sender.kill()
        self._sender.communicate()
