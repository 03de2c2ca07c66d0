"""A supervisor of declared services as a process: its signals, its end and exit status."""

import os

from ssd.errors import Error
from ssd.signals import raw as signals
from ssd.statuses import FAILED, SUCCESS
from ssd.supervision import states
from ssd.supervision.cli.loop import HEARD, Loop
from ssd.supervision.control.rereading import Rereading
from ssd.supervision.succession import successor as succession
from ssd.supervision.succession.journal import Journal
from ssd.supervision.supervisor import Supervisor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service
    from ssd.supervision.cli.options import Options
    from ssd.supervision.control.rereading import Done
    from ssd.supervision.events import Event
    from ssd.supervision.places import Places
    from ssd.supervision.succession.handed import Handed
    from ssd.supervision.supervisor import Update

# With --exit-with these are for the service: images ask for QUIT (nginx) or WINCH (httpd).
PASSED_ON = ("SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH")


class Foreground(Loop):
    """Drives a supervisor of declared services. ``places``: those of their directory.

    Raises what ``Supervisor`` raises.
    """

    def __init__(self, services: "list[Service]", places: "Places", options: "Options") -> None:
        supervisor = Supervisor(services, places=places)
        super().__init__(supervisor, options.quiet)
        names = options.names or None
        self._rereading = Rereading(supervisor, places.directory, names)
        supervisor.effects.key = os.path.basename(places.path)
        supervisor.effects.notify_path = places.notify
        self.journal = Journal(places.descriptor, self._report, places.is_first)
        self._options = options
        self._failed = False  # a service was given up, or outlived its stop
        supervisor.listeners.append(self._hear)
        self._listen(dict.fromkeys((*HEARD, *(PASSED_ON if options.exit_with else ()))))

    def run(self, handed: "Handed | None" = None) -> int:
        """Start the services, and return the exit status once all have stopped.

        handed: what the program before this one in the same process has left.
        """
        supervisor = self.supervisor
        if not supervisor.units:
            self.lines.say("there is no service yet")
        state = None if handed is None else handed.state
        succession.begin(supervisor, self.journal, self._options.names, state)
        if handed is not None:
            handed.release()
            self.lines.say("the program of the supervisor was replaced; its services go on")
        if self.above is not None:
            self.above.begin()
        chosen = supervisor.units.get(self._options.exit_with or "")
        if chosen is not None and chosen.known and chosen.at_rest:
            self._leave()  # it has ended while nobody watched
        self._turn_until_all_has_stopped()
        return self._status()

    def update(self, done: "Done" = lambda outcome: None) -> None:
        """Have the declarations read anew; one that is broken changes nothing.

        ``done`` is called later, with what changes, or with lines that say what is wrong. Raises
        OSError if no process can be made for it.
        """
        if self.above is not None:
            self.above.reloading()

        def taken(outcome: "Update | list[str]") -> None:
            self._tell(outcome)
            done(outcome)

        self._rereading.begin(taken)

    def _tell(self, outcome: "Update | list[str]") -> None:
        if isinstance(outcome, list):
            for line in outcome:
                self.lines.say(f"nothing is changed: {line}", wrong=True)
        else:
            parts = (outcome.added, "new"), (outcome.changed, "changed"), (outcome.removed, "gone")
            said = [f"{word}: {' '.join(names)}" for names, word in parts if names]
            self.lines.say(f"declarations are read; {'; '.join(said) or 'nothing has changed'}")
        if self.above is not None:
            self.above.ready()

    def _take(self, number: int) -> None:
        """Do what a signal asks for."""
        if number in (signals.SIGCHLD, signals.SIGTERM, signals.SIGINT):
            super()._take(number)
        elif self._options.exit_with:
            self._pass_on(self._options.exit_with, number)
        elif number == signals.SIGHUP:
            self._try_update()
        elif number == signals.SIGUSR2:
            self._try_upgrade()

    def _try_update(self) -> None:
        try:
            self.update()
        except OSError as error:
            self._tell([f"the declarations cannot be read: {error.strerror}"])

    def _pass_on(self, name: str, number: int) -> None:
        try:
            self.supervisor.signal(name, number)
        except (Error, OSError):
            return  # it does not run: nobody is there to take it

    def _hear(self, event: "Event") -> None:
        """End all when the service has ended that was named for that, or when any is given up."""
        kind = event.kind
        if kind not in ("failed", "stopped"):
            return
        self._failed = self._failed or kind == "failed"
        if self.is_leaving:
            return
        chosen = event.name == self._options.exit_with
        if chosen or (kind == "failed" and self._options.exit_when_failed):
            self._leave()

    def _leave(self) -> None:
        units = self.supervisor.units.values()
        self._failed = self._failed or any(unit.state == states.FAILED for unit in units)
        super()._leave()

    def _status(self) -> int:
        name = self._options.exit_with
        if name:
            unit = self.supervisor.units.get(name)
            last = None if unit is None or unit.last is None else unit.last.status
            if last is not None and (last or not self._failed):
                return 128 - last if last < 0 else last
            return FAILED
        return FAILED if self._failed else SUCCESS
