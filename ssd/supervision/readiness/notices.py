"""What a service says of itself by sd_notify(3), and what follows from it.

A message counts only if its sender belongs to the service (``ssd.supervision.readiness.notify``).
"""

import os

from ssd.errors import Error
from ssd.starting.notify import InvalidNotification, parse
from ssd.supervision import events, states
from ssd.supervision.readiness import following

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.processes.contract import Notifications
    from ssd.supervision.readiness.notify import Notify
    from ssd.supervision.unit import Unit

_UP = (states.SPAWNED, states.POST_START, states.RUNNING)
HIGHEST_PID = 1 << 22  # PID_MAX_LIMIT, linux/threads.h


class Speaker:
    """A service that may send messages: what is known of those that count as its own.

    pids: of its main process, and of those that have made its sessions. marker: the entry of the
    environment that only this start has. uid: the user that it is started as. inbox: the
    notifications of a declared process.
    """

    __slots__ = ("unit", "notify", "pids", "marker", "uid", "inbox", "reloading")

    def __init__(self, unit: "Unit", notify: "Notify", marker: bytes, uid: int) -> None:
        self.unit = unit
        self.notify = notify
        self.pids: set[int] = set()
        self.marker = marker
        self.uid = uid
        self.inbox: Notifications | None = None
        self.reloading = False

    def take(self, message: bytes) -> None:
        """Take a message, line by line; what is not known is ignored, as the protocol demands."""
        try:
            for kind, value in parse(message):
                name, _, text = str(value).partition("=")
                if kind != "line":
                    KINDS[kind](self, str(value))
                elif name in ACTIONS:
                    ACTIONS[name](self, text)
        except InvalidNotification as error:
            self._problem(f"it sent an invalid notification: {printable(str(error))}")
        except (Error, OSError) as error:  # no descriptor is left, for example
            following.complain(self.unit, error)

    def empty_inbox(self) -> None:
        """Take what a declared process has said."""
        while self.inbox is not None and (message := self.inbox.receive()) is not None:
            self.take(message)

    def _ready(self, value: str) -> None:
        if self.unit.gate is not None:
            self.unit.gate.told_ready()
        elif self.reloading:
            self.reloading = False
            self._say("has reloaded its configuration")

    def _extend(self, value: str) -> None:
        if self.unit.gate is not None:
            self.unit.gate.extend(int(value) / 1e6)

    def _errno(self, value: str) -> None:
        number = int(value)
        self._problem(f"it reported error {number}, {_strerror(number)}")

    def _status(self, value: str) -> None:
        text = printable(value)
        if text != self.unit.status_text:
            self.unit.status_text = text
            self._say(text)

    def _reloading(self, value: str) -> None:
        if value == "1":
            self.reloading = True
            self._say("reloads its configuration")

    def _stopping(self, value: str) -> None:
        """Check no more: what goes down by itself does not answer, and is not ill."""
        if value == "1":
            if self.unit.health is not None:
                self.unit.health.end_probes()
            self._say("stops by itself")

    def _exit_status(self, value: str) -> None:
        self._say(f"its exit status is {printable(value)}")

    def _main_pid(self, value: str) -> None:
        """Follow another main process, if it is one of the service's."""
        unit = self.unit
        pid = number(value)
        if not 0 < pid <= HIGHEST_PID or unit.state not in _UP:
            return
        if unit.main is not None and unit.main.pid == pid:
            return
        process = self.notify.own(self, pid)
        if process is None:
            self._say(f"MAINPID={pid} is not a process of this service: ignored")
        elif unit.gate is not None and unit.gate.follows:
            unit.gate.main_is(process)
        else:
            following.take_main(unit, process)

    def _watchdog(self, value: str) -> None:
        health = self.unit.health
        if health is not None and value == "1":
            health.pet()
        elif health is not None and value == "trigger":
            health.bite()

    def _watchdog_usec(self, value: str) -> None:
        if self.unit.health is not None and number(value) >= 0:
            self.unit.health.watch(number(value) / 1e6)

    def _problem(self, text: str) -> None:
        """Tell of a problem, which ends a start that is not ready yet."""
        if self.unit.gate is not None:
            self.unit.gate.fail(text)
        else:
            self._say(text)

    def _say(self, text: str) -> None:
        supervisor = self.unit.supervisor
        supervisor.say(events.StatusText(supervisor.wall(), self.unit.name, text))


# What ``parse`` knows, with a number that it has checked; and the names of all other lines.
KINDS: "dict[str, Callable[[Speaker, str], None]]" = {
    "ready": Speaker._ready,
    "extend": Speaker._extend,
    "errno": Speaker._errno,
}
ACTIONS: "dict[str, Callable[[Speaker, str], None]]" = {
    "STATUS": Speaker._status,
    "RELOADING": Speaker._reloading,
    "STOPPING": Speaker._stopping,
    "EXIT_STATUS": Speaker._exit_status,
    "MAINPID": Speaker._main_pid,
    "WATCHDOG": Speaker._watchdog,
    "WATCHDOG_USEC": Speaker._watchdog_usec,
}


def number(text: str) -> int:
    """Return a number of up to 15 ASCII digits; -1 for any other text."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1


def printable(text: str) -> str:
    """Return a text of others for a terminal: what would control it becomes ``?``."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _strerror(number: int) -> str:
    return os.strerror(number) if number < 1 << 31 else "unknown"
