"""``--json`` and ``--plan`` after a verb of ssd-service: print what came of it, or would come.

The supervisor that has a service is asked first, as for the verb alone. What ``ask`` gets is
``[VERB, "--json"]``, ``[VERB, "--json", "--plan"]`` or ``[VERB, "--plan"]``, in this order.
"""

import os

from ssd import answers, statuses
from ssd.errors import Error
from ssd.service import WORDS
from ssd.service.errors import SeveralInstances, UnknownService
from ssd.service.outcome import (
    DECLARATION,
    NOT_DECLARED,
    OTHER_INIT,
    UNKNOWN_SERVICE,
    USAGE,
    Outcome,
)
from ssd.service.sources import find, locate, read
from ssd.service.verbs import VERBS as ALL_VERBS
from ssd.service.verbs import fleet_outcomes
from ssd.service.verbs.fleet_outcomes import broken, highest, refused, say, shown
from ssd.service.verbs.outcomes import VERBS
from ssd.service.verbs.performing import other_inits
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.cli import Call
    from ssd.service.declaration import Service
    from ssd.service.group import MakeFleet
    from ssd.service.interpreting import Ask
    from ssd.service.outcome import Facts

JSON, PLAN = "--json", "--plan"
OTHERS = ("lsb", "generate", "import", "--status-all")  # first words that are no service
NO_JSON = "{name}: {path} has no {option}, and nothing was run: it is {what}"


def tell(call: "Call", first: str, rest: "list[str]", ask: "Ask", fleet: "MakeFleet") -> int | None:
    """Do ``FIRST VERB`` with one or both options; return the exit status of the verb.

    Whatever goes wrong is an object, too, and has its usual exit status. Returns None if the words
    are not those of a verb of a service.
    """
    if first in OTHERS or first in WORDS and not _is_service(call, first, rest):
        return None
    return Telling(call, first, rest, ask, fleet).run()


def _is_service(call: "Call", first: str, rest: "list[str]") -> bool:
    from ssd.supervision.client.asking_words import is_service

    return is_service(call.directory if call.elsewhere else "", first, rest)


class Telling:
    """One call with ``--json``, ``--plan`` or both."""

    def __init__(
        self, call: "Call", first: str, rest: "list[str]", ask: "Ask", fleet: "MakeFleet"
    ) -> None:
        self.call = call
        self.first = first
        self.verb = "".join(rest[:1]) if rest[:1] not in ([JSON], [PLAN]) else ""
        options = rest[1:] if self.verb else rest
        self.as_json, self.planned = JSON in options, PLAN in options
        self.stage: str | None = DECLARATION  # what an error is about, at the moment
        self.excess = sorted({*options} - {JSON, PLAN})
        self.ask = ask
        self.fleet = fleet
        self.script: str | None = None  # how the usage names it, if it is not found by its name
        self.is_list = first == "all" or first.endswith("@")
        added = [JSON] * self.as_json + [PLAN] * self.planned
        self.words = [self.verb, *added]

    def run(self) -> int:
        """Do the verb, print what came of it, and return the exit status."""
        try:
            return self._run()
        except BaseException as error:  # noqa: BLE001 - Python's status 1 would look like an answer
            kind = self.stage if isinstance(error, (Error, OSError)) else None
            return self._show(broken(self.first, self.verb, error, self.planned, kind=kind))

    def _run(self) -> int:
        call, first = self.call, self.first
        call.go_elsewhere()
        is_script = "/" in first and os.path.exists(first)
        if not is_script and (status := self._asked(first)) is not None:
            return status
        if "/" in first:
            return self._script(first, call.absolute(first))
        from ssd.service.environment import enter

        enter()
        if first == "all":
            return self._all("all", None)
        path = locate(first, call.directory)
        if path is None:
            return self._undeclared()
        try:
            return self._one(read(path))
        except SeveralInstances as several:
            return self._instances(several)

    def _asked(self, name: str, file: "str | None" = None) -> int | None:
        """Have the supervisor do it that has the service; None without one, or for other words."""
        if self.excess or self.verb not in VERBS:
            return None
        return self.ask(self.call, name, self.words, *([] if file is None else [file]))

    def _script(self, path: str, whole: str) -> int:
        """Act as the interpreter of a script; see ``ssd.service.interpreting``."""
        from ssd.service.environment import extend_path
        from ssd.service.interpreting import has_verbs

        if whole.endswith(".conf"):
            return self._not_declared(path, path, "a job of Upstart")
        if has_verbs(whole):
            return self._not_declared(path, path, "an init script")
        extend_path()
        self.script = path
        try:
            service = read(whole)
        except SeveralInstances as several:
            self.call.directory, self.call.elsewhere = os.path.dirname(whole), True
            return self._instances(several)
        status = self._asked(service.name, os.path.realpath(whole))
        return self._one(service) if status is None else status

    def _one(self, service: "Service") -> int:
        """Do the verb to one service, unless another init runs it."""
        call = self.call
        script = self.script or f"{call.program} {service.name}"
        if self.excess or self.verb not in VERBS:
            from ssd.service.verbs.showing import usage_of

            # --full-restart, show-args and systemd-start have no options.
            is_excess = self.excess or self.verb in ("--full-restart", *ALL_VERBS)
            status = statuses.INVALID if is_excess else statuses.UNIMPLEMENTED
            return self._refuse(service.name, status, usage_of(service, script), USAGE, service)
        self.stage = OTHER_INIT
        init = self._other_init(service.name)
        self.stage = None
        if init is not None:
            told = fleet_outcomes.of_other_init(service, self.verb, init, self.planned)
        else:
            told = fleet_outcomes.one(service, self.verb, self.planned, call.table, call.program)
        return self._show(told)

    def _other_init(self, name: str) -> "str | None":
        """Return the init that runs a service, None if there is none. Raises OSError."""
        if self.call.table is not None or not other_inits():
            return None
        from ssd.service.verbs.inits import runners

        return runners([name], self.call.inside).get(name)

    def _all(self, word: str, names: "list[str] | None") -> int:
        """Do the verb to all services of the directory, or to those with these names."""
        fleet = self.fleet(self.call, self.call.directory, [])
        fleet.word, fleet.names = word, names
        if self.excess or self.verb not in VERBS:
            return self._refuse(word, statuses.UNIMPLEMENTED, fleet.usage(), USAGE)
        self.stage = OTHER_INIT  # errors of reading are outcomes
        if self.as_json:
            return self._print(fleet.facts(self.verb, self.planned)[1])
        outcomes = fleet_outcomes.outcomes(fleet, self.verb, self.planned)
        return max([self._show(each) for each in outcomes], default=statuses.SUCCESS)

    def _instances(self, several: SeveralInstances) -> int:
        """Do the verb to all declared instances of a template."""
        from ssd.service.group import as_called, look
        from ssd.service.sources.instances import members

        self.is_list = True
        found = members(several, self.call.directory)
        if not found:
            write(2, f"{self.call.program}: {several}\n")
        status = as_called(lambda: look(self.call, found, self.words, self.fleet))
        if status is not None:
            return status
        done = self._all(several.name, found)
        return max(done, statuses.STOPPED) if self.verb == "status" and not found else done

    def _undeclared(self) -> int:
        """Refuse the name of an init script, of a job or of nothing."""
        from ssd.service.initscripts.script import find as find_script
        from ssd.service.sources.instances import unlisted
        from ssd.service.sources.upstart import CONF, JOBS

        name, job = self.first, f"{JOBS}/{self.first}{CONF}"
        if (path := find_script(name)) is not None:
            return self._not_declared(name, path, "an init script")
        if os.path.isfile(job):
            return self._not_declared(name, job, "a job of Upstart")
        try:
            find(name, self.call.directory)
            meant = None
        except UnknownService as unknown:
            meant = unknown.nearest
        error = f"{name}: unrecognized service" + (f"; did you mean {meant}?" if meant else "")
        status = self._refuse(name, statuses.FAILED, error, UNKNOWN_SERVICE)
        write(2, unlisted(name, self.call.directory))
        return status

    def _not_declared(self, name: str, path: str, what: str) -> int:
        """Refuse what is no declaration; an init script must not get the options as its own."""
        option = JSON if self.as_json else PLAN
        error = NO_JSON.format(name=name, path=path, option=option, what=what)
        status = statuses.UNKNOWN if self.verb == "status" else statuses.UNIMPLEMENTED
        return self._refuse(name, status, error, NOT_DECLARED)

    def _refuse(
        self, name: str, status: int, error: str, kind: str, service: "Service | None" = None
    ) -> int:
        return self._show(refused(name, self.verb, status, error, kind, self.planned, service))

    def _show(self, outcome: Outcome) -> int:
        """Print one outcome; return its status."""
        if self.as_json:
            told = shown(outcome, self.call.program)
            return self._print([told])
        say(outcome, self.call.program)
        return outcome.status

    def _print(self, told: "list[Facts]") -> int:
        write(1, answers.text(told if self.is_list else told[0]))
        return highest(told)
