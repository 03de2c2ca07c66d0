"""What a supervisor tells the one that runs it, by sd_notify(3): systemd, or a tool like it."""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.events import Event
    from ssd.supervision.supervisor import Supervisor

UP, DOWN = ("ready",), ("stopping", "exited", "stopped", "restarting", "failed")


class Above:
    """Tells READY=1 once the first starts are over, and STATUS= with the numbers.

    A start is over when the service is ready, has stopped or is given up; and also when it has
    failed and comes back later, because that may take for ever. Those that wait for such a
    service are not waited for.
    """

    def __init__(self, address: str, supervisor: "Supervisor") -> None:
        """Raises OSError if the socket cannot be made."""
        import _socket

        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._supervisor = supervisor
        self._starting: set[str] = set()
        self._up: set[str] = set()
        self._lost: set[str] = set()
        self._told = ""
        self._greeted = self._leaving = False
        supervisor.listeners.append(self._hear)

    def begin(self) -> None:
        """Wait for the starts that have been wished, now that what runs has been taken over."""
        for unit in self._supervisor.units.values():
            if unit.is_up:
                self._up.add(unit.name)
            elif not unit.at_rest:
                self._starting.add(unit.name)

    def flush(self) -> None:
        """Tell what has changed, if anything; once for many events."""
        if self._leaving:
            return
        text, greeting = f"STATUS={self._words()}", ""
        if not self._greeted and not self._starting:
            self._greeted, greeting = True, "READY=1\n"
        if greeting or text != self._told:
            self._send(greeting + text)
            self._told = text

    def reloading(self) -> None:
        """Tell that declarations are read; ``ready`` must follow."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def ready(self) -> None:
        """Tell that they have been read."""
        self._send("READY=1")

    def stopping(self) -> None:
        """Tell that all services are being stopped."""
        self._leaving = True
        self._send("STOPPING=1\nSTATUS=all services are being stopped")

    def close(self) -> None:
        """Close the socket."""
        self._supervisor.listeners.remove(self._hear)
        self._socket.close()

    def keep_watchdog(self, microseconds: int) -> None:
        """Tell every half of this time that the supervisor works: only now there is a timer."""
        self._send("WATCHDOG=1")
        self._supervisor.after(microseconds / 2e6, lambda: self.keep_watchdog(microseconds))

    def _hear(self, event: "Event") -> None:
        name, kind = event.name, event.kind
        if kind in UP:
            self._up.add(name)
        elif kind in DOWN:
            self._up.discard(name)
        (self._lost.add if kind == "failed" else self._lost.discard)(name)
        if self._starting and kind in ("ready", "failed", "stopped", "restarting"):
            self._over(name, kind == "restarting")

    def _over(self, name: str, later: bool) -> None:
        """Wait for a service no more, and if it comes later, for none that waits for it."""
        ahead = [name]
        while ahead:
            each = ahead.pop()
            if each in self._starting:
                self._starting.discard(each)
                if later:
                    ahead += self._supervisor.order.dependents.get(each, ())

    def _words(self) -> str:
        count = len(self._supervisor.units)
        said = f"{len(self._up)} of {count} services are up"
        if self._lost:
            said += f"; given up: {', '.join(sorted(self._lost)[:10])}"
        return said

    def _send(self, text: str) -> None:
        """Send; whoever does not read, or is gone, misses it."""
        try:
            self._socket.sendto(text.encode(errors="replace"), self._address)
        except OSError:
            return


def variables(address: str, microseconds: int) -> "dict[str, str]":
    """Return what ``take_variables`` has taken, for a program that replaces this one."""
    found = {"NOTIFY_SOCKET": address} if address else {}
    if microseconds:
        found |= {"WATCHDOG_USEC": str(microseconds), "WATCHDOG_PID": str(os.getpid())}
    return found


def take_variables() -> "tuple[str, int]":
    """Take NOTIFY_SOCKET and the watchdog's microseconds out of the environment.

    The services must not believe that these are for them. "" and 0 if they are not set.
    """
    address = os.environ.pop("NOTIFY_SOCKET", "")
    given, pid = os.environ.pop("WATCHDOG_USEC", ""), os.environ.pop("WATCHDOG_PID", "")
    for name in ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)
    meant = not pid or pid == str(os.getpid())
    return address, int(given) if given.isdigit() and meant else 0
