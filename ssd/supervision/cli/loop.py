"""A supervisor as a process in the foreground: its turns, its signals, and what it says."""

import os
from time import monotonic

from ssd.errors import Error
from ssd.signals import raw as signals
from ssd.supervision.cli import inbox, pid1
from ssd.supervision.cli.lines import Lines
from ssd.supervision.effects import ends, held
from ssd.supervision.watch import EpollWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssd.supervision.cli.above import Above
    from ssd.supervision.succession.upgrade import Told, Upgrade
    from ssd.supervision.supervisor import Supervisor

HEARD = ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCHLD")


class Loop:
    """Drives a supervisor until all has stopped. ``quiet``: print only what goes wrong.

    ``above``: who runs this supervisor, None if that is nobody who is told anything.
    """

    def __init__(self, supervisor: "Supervisor", quiet: bool) -> None:
        self.supervisor = supervisor
        self.lines = Lines(supervisor, quiet)
        self.above: Above | None = None
        self.is_leaving = False
        self.began = monotonic()
        self.upgrade: Upgrade | None = None
        self.upgrader: Callable[[Told], None] | None = None  # begins an upgrade
        self._orphans = True  # whether children may have ended that no unit waits for

    def stop(self) -> None:
        """Stop all in order; asked again, kill all at once."""
        if self.is_leaving:
            self.lines.say("kills what has not stopped yet")
            self.supervisor.hurry()
            return
        self._leave()

    def _listen(self, names: "Iterable[str]") -> None:
        """Have these signals taken, and INT unless the caller ignores it for us."""
        numbers = [getattr(signals, name) for name in names]
        if not inbox.is_ignored(signals.SIGINT):
            numbers.append(signals.SIGINT)
        inbox.Inbox(numbers, self._take).join(self.supervisor.watch)
        held.HEARERS.add(os.getpid())
        # A shell ignores these for ``command &``; unlike a handler, execve(2) would keep that.
        for number in filter(inbox.is_ignored, (signals.SIGINT, signals.SIGQUIT)):
            signals.signal(number, lambda number, frame: None)

    def _take(self, number: int) -> None:
        """Do what a signal asks for."""
        if number == signals.SIGCHLD:
            self._orphans = True
            for call in [*held.CHANGES]:
                call()
        elif number in (signals.SIGTERM, signals.SIGINT):
            self.stop()

    def _report(self, text: str) -> None:
        """Say what is wrong with the journal."""
        self.lines.say(text, wrong=True)

    def kept(self) -> "list[int]":
        """Return the descriptors that the same program needs when it begins again."""
        return []

    def leave(self) -> None:
        """Write what is to be written, before the program is replaced."""
        self._settle()

    def _told(self, fault: "str | None") -> None:
        if fault is not None:
            self.lines.say(f"the program is not replaced: {fault}", wrong=True)

    def _try_upgrade(self) -> None:
        try:
            if self.upgrader is not None:
                self.upgrader(self._told)
        except (Error, OSError) as error:
            from ssd.sentences import describe

            self._told(describe(error))

    def _turn_until_all_has_stopped(self) -> None:
        supervisor, watch = self.supervisor, self.supervisor.watch
        while not supervisor.advance():
            self._settle()
            until = supervisor.until
            if not isinstance(watch, EpollWatch):
                supervisor.table.wait(supervisor.handles, until)
            elif until is None:
                watch.wait(None)
            else:
                watch.wait(max(until - supervisor.table.now(), 0))
        self._settle()
        if count := ends.end_strays(supervisor):
            self.lines.say(f"has ended what services had left: processes: {count}")
            self._settle()

    def _leave(self) -> None:
        """Begin to stop all."""
        self.is_leaving = True
        if self.above is not None:
            self.above.stopping()
        self.supervisor.shutdown()

    def _settle(self) -> None:
        """After each turn: reap what nobody waits for, and tell what has happened."""
        if self._orphans:
            self._orphans = not pid1.reap_strangers()
        self.lines.flush()
        if self.above is not None:
            self.above.flush()
