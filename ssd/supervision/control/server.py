"""The control socket of a supervisor: what each verb of the protocol does.

Wishes go to the supervisor, and its events answer them (``control.waits``). A client that
goes away cancels nothing. An event costs a look into a dict, however many services there are.
"""

import os

from ssd.errors import Error
from ssd.signals import raw as signals
from ssd.signals import signal_number
from ssd.supervision import states
from ssd.supervision.control import facts, waits
from ssd.supervision.control.connections import Client, Connections
from ssd.supervision.control.event_requests import EventRequests, Follower
from ssd.supervision.control.log_requests import Following, LogRequests
from ssd.supervision.control.protocol import VERSION, failure, line, success
from ssd.supervision.control.waits import Verdict, Wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from ssd.supervision.control.protocol import Request
    from ssd.supervision.control.unix_socket import Peer
    from ssd.supervision.events import Event
    from ssd.supervision.supervisor import Supervisor, Update
    from ssd.supervision.unit import Unit

    Result = TypeVar("Result")

ROWS = 50  # services in a line of ``status``
_ACTIONS = ("start", "stop", "restart", "try-restart", "reload", "force-reload")


class Control:
    """Answers the clients of a supervisor's socket.

    supervisor: whose events and wishes these are; its ``watch`` waits for the clients. listener:
    the socket (``control.unix_socket.listen``). directory: that of the declarations.
    group: members may do everything, besides root and ``owner``, our own user if None.
    reread: reads the declarations anew and has them taken; it gets a function that is to be called
    with the Update, or with lines that say what is wrong. upgrade: replaces the program; it
    gets a function that is to be called before, with None, or with what is wrong. Both may raise
    OSError. jobs: answers what is asked of jobs (``ssd.upstart.control``); None: there are none.
    told: gets a sentence about a client that was turned away.
    """

    def __init__(
        self,
        supervisor: "Supervisor",
        listener: "_socket.socket",
        *,
        directory: str = "",
        owner: int | None = None,
        group: int | None = None,
        reread: "Callable[[Callable[[Update | list[str]], None]], None] | None" = None,
        upgrade: "Callable[[Callable[[str | None], None]], None] | None" = None,
        jobs: "Callable[[Client, Request], None] | None" = None,
        told: "Callable[[str], None]" = lambda text: None,
    ) -> None:
        self.directory = directory
        self.group = group
        self.owner = os.geteuid() if owner is None else owner
        self.reread = reread
        self.upgrade = upgrade
        self.jobs = jobs
        self._supervisor = supervisor
        self._waits: dict[str, list[Wait]] = {}
        self._events = EventRequests()
        self._logs = LogRequests()
        self.connections = Connections(
            listener, answer=self._answer, admits=self._admits, left=self._forget, told=told,
            owner=self.owner, many=jobs is not None,
        )  # fmt: skip
        supervisor.listeners.append(self._heard)
        supervisor.watch.add(self.connections.fileno(), self.connections.turn)

    def close(self, message: str = "the supervisor has ended") -> None:
        """Tell every client that waits why there is no answer, and close the socket."""
        self._supervisor.watch.remove(self.connections.fileno())
        self._supervisor.listeners.remove(self._heard)
        self.connections.close_all("ending", message)

    # Clients.

    def _admits(self, peer: "Peer") -> "str | None":
        """Say why a client may not come in, None if it may."""
        if peer.uid in (0, self.owner) or self.group is not None and self.group in peer.groups:
            return None
        whom = "root and the supervisor's user"
        return f"only {whom} may use this socket" + ("" if self.group is None else ", and a group")

    def _forget(self, client: Client) -> None:
        """Drop what a client has asked for and nobody reads; the wishes stay."""
        for task in client.tasks:
            if isinstance(task, Follower):
                self._events.followers.remove(task)
            elif isinstance(task, Following):
                self._logs.forget(task)
            elif isinstance(task, Wait):
                for name in task.left:
                    self._drop(name, task)
                task.left.clear()
        client.tasks.clear()

    def _drop(self, name: str, wait: Wait) -> None:
        there = self._waits[name]
        there.remove(wait)
        if not there:
            del self._waits[name]

    # Requests.

    def _answer(self, client: Client, request: "Request") -> None:
        """Do what a request asks for. An error that nobody foresaw ends the request alone."""
        try:
            if request.verb in _ACTIONS:
                self._act(client, request)
            else:
                _METHODS[request.verb](self, client, request)
        except (Error, OSError) as error:
            from ssd.sentences import describe

            client.send(failure(request.id, "failed", describe(error)))

    def _hello(self, client: Client, request: "Request") -> None:
        from ssd._version import __version__

        client.send(success(
            request.id, protocol=VERSION, version=__version__, pid=os.getpid(),
            directory=self.directory, services=len(self._supervisor.units),
        ))  # fmt: skip

    def _unit(self, client: Client, request: "Request") -> "Unit | None":
        """Return the service of a request; without it the client is told."""
        name, file = request.name or "", request.fields.get("file")
        unit = self._supervisor.units.get(name)
        called = self._supervisor.view.name
        if unit is None or called(unit) != name:  # its file has another name
            units = self._supervisor.units.values()
            unit = next((each for each in units if called(each) == name), unit)
        if unit is None or unit.removed or file is not None and not _is_from(unit, str(file)):
            client.send(failure(request.id, "unknown-service", f"no service {name} is here"))
            return None
        return unit

    def _status(self, client: Client, request: "Request") -> None:
        if request.flag("all"):
            client.send_long(self._rows(request.id, request.flag("details")))
        elif (unit := self._unit(client, request)) is not None:
            now = self._supervisor.table.now()
            client.send(success(request.id, service=facts.gather_all(unit, now)))

    def _rows(self, id: "int | str | None", details: bool) -> "Iterator[bytes]":
        """Make the facts of all services, some at a time."""
        units = self._supervisor.units
        names = self._supervisor.view.listed(units)
        gather = facts.gather_all if details else facts.gather
        for at in range(0, len(names), ROWS):
            now = self._supervisor.table.now()
            there = [units[name] for name in names[at : at + ROWS] if name in units]
            yield line(id, services=[gather(unit, now) for unit in there])
        yield success(id)

    def _signal(self, client: Client, request: "Request") -> None:
        unit = self._unit(client, request)
        if unit is None:
            return
        given = request.fields["signal"]
        number = given if isinstance(given, int) else signal_number(str(given))
        if number is None or not 0 <= number < signals.NSIG:
            client.send(failure(request.id, "unsupported", f"there is no signal {given}"))
        else:
            self._tell_of(client, request, unit, lambda: self._send(unit, number))

    def _send(self, unit: "Unit", number: int) -> Verdict:
        """Send a signal to a service's main process."""
        try:
            self._supervisor.signal(unit.name, number)
        except ProcessLookupError:
            return Verdict(waits.NOTHING, "it is not running")
        except PermissionError as error:
            return Verdict(waits.DENIED, error.strerror or "")
        return Verdict(waits.DONE)

    def _tell_of(
        self, client: Client, request: "Request", unit: "Unit", work: "Callable[[], Verdict]"
    ) -> None:
        """Say that a verb begins, do it at once, and say how it went."""
        client.send(self._begun(request.id, request.verb, unit))
        client.send(waits.told(request.id, unit.name, request.verb, work()))

    def _begun(self, id: "int | str | None", verb: str, unit: "Unit") -> bytes:
        described = unit.service.description
        return line(id, begun=verb, name=unit.name, description=described)

    def _events_of(self, client: Client, request: "Request") -> None:
        self._events.answer(client, request)

    def _log(self, client: Client, request: "Request") -> None:
        unit = self._unit(client, request)
        if unit is not None:
            self._logs.answer(client, request, unit)

    def _update(self, client: Client, request: "Request") -> None:
        if self.reread is None:
            client.send(failure(request.id, "unsupported", "its services are not from files"))
            return
        client.send(line(request.id, begun="update"))

        def told(done: "Update | list[str]") -> bytes:
            if isinstance(done, list):
                text = "nothing is changed: " + "; ".join(done)
                return failure(request.id, "failed", text, faults=done)
            names = {key: getattr(done, key) for key in ("added", "removed", "changed")}
            return success(request.id, **names, same=len(done.same))

        self._answer_later(client, request, self.reread, told)

    def _upgrade(self, client: Client, request: "Request") -> None:
        if self.upgrade is None:
            client.send(failure(request.id, "unsupported", "its program cannot be replaced"))
            return

        def told(fault: "str | None") -> bytes:
            if fault is None:
                return success(request.id)
            return failure(request.id, "failed", fault)

        self._answer_later(client, request, self.upgrade, told)

    def _job(self, client: Client, request: "Request") -> None:
        if self.jobs is None:
            client.send(failure(request.id, "unsupported", "this supervisor has no jobs"))
        else:
            self.jobs(client, request)

    def _answer_later(
        self, client: Client, request: "Request",
        work: "Callable[[Callable[[Result], None]], object]", told: "Callable[[Result], bytes]",
    ) -> None:  # fmt: skip
        """Begin work whose result answers a request, unless the client goes before."""
        wait = Wait(client, request)
        client.tasks.append(wait)

        def taken(result: "Result") -> None:
            if wait in client.tasks:
                client.tasks.remove(wait)
                client.send(told(result))

        try:
            work(taken)
        except BaseException:
            client.tasks.remove(wait)
            raise

    # Wishes, and what becomes of them.

    def _act(self, client: Client, request: "Request") -> None:
        """Make a wish for one service or for all, and wait for what becomes of it."""
        whole = request.flag("all")
        units: list[Unit] = []
        if whole:
            every = self._supervisor.units
            shown = {*self._supervisor.view.listed(every)}
            units = [each for each in every.values() if each.name in shown and not each.removed]
            client.send(line(request.id, begun=request.verb))
        elif (one := self._unit(client, request)) is not None:
            units = [one]
            if self._resolved(request.verb, one) == "reload" and not _reloads(one):
                text = f"{one.name} declares no reload_signal"
                return client.send(failure(request.id, "unsupported", text))
        else:
            return None
        now = self._supervisor.table.now()
        wait = Wait(client, request, [unit.name for unit in units], now)
        client.tasks.append(wait)
        for unit in units:
            self._waits.setdefault(unit.name, []).append(wait)
        known = [(unit, verdict) for unit in units if (verdict := self._wish(unit, wait, request))]
        if not whole and not any(verdict.outcome == waits.ABSENT for _, verdict in known):
            client.send(self._begun(request.id, self._resolved(request.verb, units[0]), units[0]))
        for unit, verdict in known:
            self._settle(wait, unit.name, verdict)
        if not units:
            self._conclude(wait)
        return None

    def _resolved(self, verb: str, unit: "Unit") -> str:
        """Return the verb whose work it is, as ``ssd.service.verbs.resolve`` does."""
        if verb == "force-reload":
            return "reload" if _reloads(unit) else "restart"
        return verb

    def _wish(self, unit: "Unit", wait: Wait, request: "Request") -> "Verdict | None":
        """Make the wish for one service; return what becomes of it if that is known already."""
        verb, name = self._resolved(request.verb, unit), unit.name
        # Somebody else's start may have been wished, and not have begun.
        runs = not unit.at_rest or unit.main is not None or len(self._waits[name]) > 1
        if refusal := self._supervisor.view.refusal(unit):
            return Verdict(waits.FAILED, refusal)
        if verb == "reload":
            return self._reload(unit)
        if verb == "stop" and unit.state == states.FAILED and unit.main is None:
            self._supervisor.stop(name)  # so that it does not count as failed any more
            return Verdict(waits.NOTHING)
        if verb in ("stop", "try-restart") and not runs:
            return Verdict(waits.NOTHING)
        if verb == "start" and unit.is_up and unit.goal == states.START:
            return Verdict(waits.RUNNING)
        if verb != "stop" and not self._supervisor.view.is_installed(unit):
            return Verdict(waits.ABSENT, f"{unit.service.program} is not installed")
        wish = {"start": self._supervisor.start, "stop": self._supervisor.stop}
        try:
            wish.get(verb, self._supervisor.restart)(name)
        except Error as error:
            return Verdict(waits.FAILED, str(error))
        return Verdict(waits.ACCEPTED) if request.flag("nowait") else None

    def _reload(self, unit: "Unit") -> Verdict:
        if not _reloads(unit):
            return Verdict(waits.UNSUPPORTED, "it declares no reload_signal")
        if unit.main is None:
            return Verdict(waits.NOTHING, "it is not running")
        try:
            self._supervisor.reload(unit.name)
        except ProcessLookupError:
            return Verdict(waits.NOTHING, "it is not running")
        except PermissionError as error:
            return Verdict(waits.DENIED, error.strerror or "")
        return Verdict(waits.DONE)

    def _heard(self, event: "Event") -> None:
        """Answer those who wait for an event, and pass it on to those who follow."""
        self._events.heard(event)
        there = self._waits.get(event.name)
        unit = self._supervisor.units.get(event.name)
        if event.kind == "started" and unit is not None:
            self._logs.attach(unit)
        if there:
            for wait in list(there):
                if (verdict := wait.judge(event, unit)) is not None:
                    self._settle(wait, event.name, verdict)

    def _settle(self, wait: Wait, name: str, verdict: Verdict) -> None:
        """Tell a client what became of one service; that may have been the last."""
        if name not in wait.left:
            return  # an event of the wish itself has told it
        wait.left.discard(name)
        self._drop(name, wait)
        if not waits.is_well(wait.verb, verdict):
            wait.failed.append(name)
        unit = self._supervisor.units.get(name)
        wait.complete(verdict, unit)
        if not wait.whole:
            self._end(wait, waits.told(wait.id, name, wait.verb, verdict))
            return
        fields: dict[str, object] = {} if unit is None else {"did": self._resolved(wait.verb, unit)}
        if unit is not None and unit.service.description:
            fields["description"] = unit.service.description
        wait.client.send(line(wait.id, name=name, **fields, **verdict.to_dict()))
        self._conclude(wait)

    def _conclude(self, wait: Wait) -> None:
        """Send the last line of an answer for all services, when none is left."""
        if wait.left or wait not in wait.client.tasks:
            return
        text = f"{len(wait.failed)} of {wait.count} services failed"
        self._end(wait, failure(wait.id, "failed", text) if wait.failed else success(wait.id))

    def _end(self, wait: Wait, last: bytes) -> None:
        wait.client.send(last)
        if wait in wait.client.tasks:  # not one that was closed for reading too little
            wait.client.tasks.remove(wait)


_METHODS: "dict[str, Callable[[Control, Client, Request], None]]" = {
    "hello": Control._hello,
    "status": Control._status,
    "signal": Control._signal,
    "events": Control._events_of,
    "log": Control._log,
    "update": Control._update,
    "upgrade": Control._upgrade,
    "job": Control._job,
}


def _is_from(unit: "Unit", file: str) -> bool:
    """Tell whether a service is declared in a file, which is given without links."""
    declared = unit.service.file
    return declared is not None and os.path.realpath(declared) == file


def _reloads(unit: "Unit") -> bool:
    return unit.service.reload_signal != "none"
