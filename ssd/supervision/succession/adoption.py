"""Take over what an earlier supervisor has left: its services go on, and none is doubled.

Known from its journal (``succession.journal``), and from the marker that every process of a
service carries (``succession.survivors``): a start that was cut off between fork(2) and its
line in the journal is found by that. The children of a supervisor that was killed are nobody's
children here, so how they end is not told to us; those of a program that was replaced in place
are still our own.

What was cut off goes on. A main process counts as what it was: starting, up, being stopped. A
hook is waited for. One before the start is run again then, because only a parent learns whether
it has succeeded; others are run again only if they may never have begun. A stop begins anew.
"""

import os

from ssd.errors import Error
from ssd.matching import UNKNOWN_START, Process
from ssd.processes.handles import pidfd
from ssd.starting.fork_exec import start_time
from ssd.supervision import events, gates, states
from ssd.supervision.control.json_text import NUMBER, row
from ssd.supervision.effects import hooks
from ssd.supervision.effects.held import Exit, Held, OwnChild
from ssd.supervision.readiness import needs
from ssd.supervision.restarts import History
from ssd.supervision.succession.survivors import Survivors, find
from ssd.supervision.unit import Unit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from ssd.processes.contract import ProcessTable
    from ssd.supervision.succession.past import Past, Record
    from ssd.supervision.supervisor import Supervisor

UNSEEN = "process {pid} ended while no supervisor watched it"


def resume(supervisor: "Supervisor", past: "Past") -> "set[str]":
    """Set all units to where the past left them; return the names of those that it knows."""
    if past.is_same is False:
        return set()
    found = _search(supervisor, past)
    known = [*past.records]
    if not past.is_whole:
        known += [name for name in found.names() if name not in past.records and found.mains(name)]
    resumed = []
    for name in known:
        record = past.records.get(name, {})
        unit = supervisor.units.get(name)
        if unit is None:
            if record.get("state") in states.AT_REST and record.get("goal") == states.STOP:
                continue
            unit = supervisor.units[name] = _undeclared(supervisor, name, record)
        resumed.append(Resumption(unit, record, found, past))
    for each in resumed:
        each.restore()
    for each in resumed:  # this looks at other units, too
        each.begin()
    for each in resumed:
        each.wish(past.ending)
    return set(known)


def _search(supervisor: "Supervisor", past: "Past") -> Survivors:
    """Look for processes with the supervisor's marker, if any can be missing from the records."""
    starts = [
        name for name, each in past.records.items() if each.get("token") and not each.get("pid")
    ]
    hooks = any(each.get("hook") for each in past.records.values())
    if supervisor.table.launcher is not None or past.is_whole and not (starts or hooks):
        return Survivors()
    return find(supervisor.effects.key, supervisor.outputs.pipes(starts))


def _undeclared(supervisor: "Supervisor", name: str, record: "Record") -> Unit:
    """Return a unit for a service that is known and no longer declared: it is to be stopped."""
    from ssd.service.declaration import Service

    fields: dict[str, object] = {"pidfile": _text(record, "pidfile") or "none"}
    fields["stop_schedule"] = _text(record, "schedule") or None
    fields["kill_mode"] = _text(record, "kill_mode") or None
    given = {field: value for field, value in fields.items() if value is not None}
    service = Service(file=None, name=name, background=True, **given)
    unit = Unit(supervisor, service)
    unit.removed = True
    return unit


class Resumption:
    """One unit on its way to where its last supervisor left it."""

    __slots__ = ("unit", "record", "_found", "_past", "_process", "_hook", "_hook_began",
                 "_end")  # fmt: skip

    def __init__(self, unit: Unit, record: "Record", found: Survivors, past: "Past") -> None:
        self.unit = unit
        self.record = record
        self._found = found
        self._past = past
        self._process: Process | None = None  # the main process of the record, living or not
        self._hook = ""  # the field of the hook that was to run
        self._hook_began = False
        end = _text(record, "end")  # of its main process, judged and not taken yet
        self._end = end if end in states.ENDS and "pid" not in record else ""

    def restore(self) -> None:
        """Set the unit's facts and hold its processes; nothing follows from it yet."""
        unit, record = self.unit, self.record
        rested = unit.at_rest
        unit.known = True
        self._set_facts()
        unit.main = self._main()
        state, goal = _text(record, "state"), _text(record, "goal")
        if state not in states.STATES:
            state = states.WAITING
        if state == states.STARTING:  # what it waited for is looked for anew
            state, goal = states.WAITING, states.RESPAWN if goal == states.START else goal
        if state in states.AT_REST and unit.main is not None:  # later lines were lost
            state, goal = states.RUNNING, states.START
        if unit.main is None and self._process is None and not self._end:
            lost = (states.RUNNING, states.POST_START, *([] if unit.token else [states.SPAWNED]))
            if state in lost:
                state, goal = states.WAITING, states.START
        if state == states.WAITING and goal != states.RESPAWN:
            if goal == states.START:
                record.setdefault("wish", states.DO_START)
            goal = states.STOP
        unit.state, unit.goal = state, goal or states.STOP
        self._take_hook()
        unit.supervisor.active += rested - unit.at_rest

    def begin(self) -> None:
        """Do what follows from what was found."""
        unit, supervisor = self.unit, self.unit.supervisor
        main = unit.main
        if main is not None:
            supervisor.watch.hold(main, unit.main_ended)
            self._read_output()
            if main.process != self._process:
                self._write_pidfile()
            if not isinstance(main, OwnChild):
                unit.say(events.Adopted(supervisor.wall(), unit.name, main.pid))
        if unit.state in states.AT_REST:
            if unit.goal == states.RESPAWN:
                unit.wait_until(unit.next_attempt or 0.0)
        elif self._end:
            supervisor.feed(unit, self._end)
        elif main is None and self._process is not None:
            if unit.state == states.SPAWNED and needs.background(unit.service):
                self._follow()
            else:
                self._miss()
        elif self._hook:
            self._continue_hook()
        elif unit.state == states.SPAWNED and main is None:
            unit.state = states.PRE_START  # the start was never made
            supervisor.feed(unit, states.DONE)
        elif unit.state == states.SPAWNED:
            supervisor.effects.await_ready(unit, True, self.record.get("followed") is True)
        elif unit.state == states.RUNNING:
            supervisor.effects.begin_checks(unit)
            gates.opened(supervisor, unit)
        else:
            unit.enter()

    def _read_output(self) -> None:
        """Read the pipe of the main process on."""
        from ssd.accounts import Account

        unit = self.unit
        try:
            account = Account(unit.service.user, unit.service.group)
            unit.supervisor.outputs.adopt(unit, account)
        except (Error, OSError) as error:
            unit.complain(f"its output is not read: {events.describe_error(error)}")

    def _write_pidfile(self) -> None:
        """Write the pidfile that a start which was cut off may not have written."""
        unit, service = self.unit, self.unit.service
        if unit.main is None or not service.background or service.pidfile == "none":
            return
        try:
            unit.supervisor.effects.write_pidfile(service.pidfile, unit.main)
        except (Error, OSError) as error:
            unit.complain(f"it has no pidfile: {events.describe_error(error)}")

    def wish(self, ending: bool) -> None:
        """Do what was wished and not begun, or what a new supervisor is there for."""
        unit, wish = self.unit, self.record.get("wish")
        supervisor = unit.supervisor
        if unit.removed:
            supervisor.feed(unit, states.DO_STOP)
        elif wish == states.DO_STOP:
            supervisor.stop(unit.name)
        elif wish == states.DO_RESTART:
            supervisor.restart(unit.name)
        elif wish == states.DO_START or ending and self.record.get("before") != states.STOP:
            if unit.state in states.AT_REST:
                unit.begin_anew()
            unit.want()

    def _set_facts(self) -> None:
        unit, record = self.unit, self.record
        unit.token = _text(record, "token")
        unit.since, unit.ready_at = _number(record, "since"), _number(record, "ready")
        unit.restarts = int(_number(record, "restarts") or 0)
        unit.next_attempt = _number(record, "next")
        unit.failure = _text(record, "failure") or None
        unit.status_text = _text(record, "status_text")
        unit.completed = record.get("completed") is True
        unit.healthy = record.get("healthy") is not False
        if found := row(record.get("history"), int, NUMBER, int):
            unit.history = History(*found)
        if found := row(record.get("last"), (int, type(None)), NUMBER):
            unit.last = Exit(*found)
        if found := row([record.get("pid"), record.get("start")], int, int):
            self._process = Process(*found)
        elif found := row(record.get("left"), int, int):
            unit.left = Process(*found)

    def _main(self) -> "OwnChild | Held | None":
        """Find the main process and hold it; None if there is none."""
        unit, known, found = self.unit, self._process, self._found
        candidates = []
        if known is not None and (self._past.is_same or found.has(known)):
            candidates.append(known)
        if known is None and unit.token:  # a start that was cut off
            candidates += [each.process for each in found.mains(unit.name, unit.token)]
        if not self._past.is_whole:
            candidates += [
                each.process
                for each in found.mains(unit.name)
                if each.token != unit.token and self._may_be_ours(each.uid)
            ]
        for process in candidates:
            held = hold(process, unit.supervisor.table)
            if held is not None:
                self._note(process)
                return held
        return None

    def _note(self, process: Process) -> None:
        """Keep which process it is, if the record does not say it."""
        unit = self.unit
        if process != self._process:
            unit.since = unit.since or unit.supervisor.table.now()
            unit.token = next(
                each.token for each in self._found.mains(unit.name) if each.process == process
            )

    def _may_be_ours(self, uid: int) -> bool:
        """Tell whether a process of a user can be the service; others could forge its marker."""
        from ssd.accounts import Account

        service = self.unit.service
        try:
            return uid in (os.geteuid(), Account(service.user, service.group).uid)
        except Error:
            return False  # there is no such user

    def _take_hook(self) -> None:
        """Hold the hook that was running."""
        unit = self.unit
        found = row(self.record.get("hook"), str, str, int, int)
        if not found or found[0] not in hooks.STATES:
            return
        field, token, pid, start = found
        unit.hook_mark = field, token
        known = [Process(pid, start)] if pid and self._past.is_same else []
        marked = [each.process for each in self._found.mains(unit.name, token)]
        for process in [*known, *marked]:
            unit.hook = unit.hook or hold(process, unit.supervisor.table)
        hooks.watch(unit, field)
        if hooks.STATES[field] == unit.state:
            self._hook, self._hook_began = field, bool(pid)
        elif unit.hook is None:
            unit.hook_mark = None

    def _continue_hook(self) -> None:
        """Run the hook again if it must have succeeded, or may never have begun."""
        unit, field = self.unit, self._hook
        if unit.hook is not None:
            return  # it is waited for
        if field == "before_start" or not self._hook_began:
            hooks.run(unit, field)
        else:
            unit.hook_mark = None
            unit.supervisor.feed(unit, states.DONE)

    def _follow(self) -> None:
        """Wait for the process that stays of a program that goes to the background."""
        unit = self.unit
        assert self._process is not None
        unit.main = Missed(self._process)
        unit.supervisor.effects.await_ready(unit, True)
        unit.main_ended()

    def _miss(self) -> None:
        """Judge an end that nobody has seen."""
        unit, process = self.unit, self._process
        assert process is not None
        text = UNSEEN.format(pid=process.pid)
        unit.say(events.StatusText(unit.supervisor.wall(), unit.name, text))
        unit.main = Missed(process)
        unit.main_ended()
        if unit.state in (states.STOPPING, states.KILLED):
            unit.enter()


class Gone:
    """A handle of a process that has ended."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def fileno(self) -> int:
        """Return -1: there is nothing to wait for."""
        return -1

    def ended(self) -> bool:
        """Tell that it has ended."""
        return True

    def signal(self, signum: int) -> None:
        """Raise ProcessLookupError."""
        raise ProcessLookupError(self.process.pid)

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Missed(Held):
    """A main process that has ended while nobody watched; its pid may be another's by now."""

    __slots__ = ()

    def __init__(self, process: Process) -> None:
        Process.__init__(self, process.pid, process.start_time)
        self._handle = Gone(process)

    def poll(self) -> int | None:
        """Raise ChildProcessError: nobody knows how it ended."""
        raise ChildProcessError(self.pid)

    def close(self) -> None:
        """Do nothing."""


def hold(process: Process, table: "ProcessTable") -> "OwnChild | Held | None":
    """Hold a process, as our child if it is that; None if it is gone. A zombie child is held."""
    if table.launcher is None and _is_child(process):
        fd = pidfd(process.pid)
        return OwnChild(process.pid, process.start_time, -1 if fd is None else fd)
    try:
        return Held(table.open(process))
    except ProcessLookupError:
        return None


def _is_child(process: Process) -> bool:
    """Tell whether a process is a child of ours that was not reaped."""
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return start_time(process.pid) in (process.start_time, UNKNOWN_START)


def _number(record: "Record", key: str) -> float | None:
    value = record.get(key)
    return value if isinstance(value, NUMBER) else None


def _text(record: "Record", key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
