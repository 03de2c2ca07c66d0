"""A verb that systemd or OpenRC does to a service which it runs, as an Outcome.

Its command is a child here, and what it prints goes to standard error and into ``messages``. The
looks are of our own: at the main process that systemd names, or by the declaration where OpenRC
started the service.
"""

import os

from ssd import pidfile, statuses
from ssd.errors import Error, PidfileError
from ssd.processes import default_table
from ssd.service import outcome as kinds
from ssd.service import verbs
from ssd.service.generators.facilities import unit_name
from ssd.service.initscripts.cli import OPENRC, SYSTEMD
from ssd.service.outcome import Look, Outcome
from ssd.service.verbs import looks
from ssd.service.verbs.inits import NAMES, call
from ssd.service.verbs.plans import foretell
from ssd.service.verbs.steps import Steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.service.declaration import Service
    from ssd.service.initscripts.program import Run

    Facts = dict[str, object]

# What systemctl show tells of a unit.
_SHOWN = ("ActiveState", "SubState", "MainPID", "NRestarts", "CanReload", "InvocationID")
SUPERVISOR = b"supervise-daemo"  # the name of supervise-daemon(8) for the kernel
_UP = ("active", "reloading", "refreshing", "deactivating")


class Unknown(Error):
    """An init runs the service, and its processes cannot be found, for a reason in words."""


class Seen:
    """How a service is under another init.

    look: its state and its processes. reloads: whether the init can reload it. supervision: what
    the init knows of restarts, None if nothing. invocation: what differs after each start, if the
    init knows it: a unit may be active without a process.
    """

    __slots__ = ("look", "reloads", "supervision", "invocation")

    def __init__(
        self,
        look: Look,
        reloads: bool = True,
        supervision: "Facts | None" = None,
        invocation: str = "",
    ) -> None:
        self.look = look
        self.reloads = reloads
        self.supervision = supervision
        self.invocation = invocation

    @property
    def runs(self) -> bool:
        """Whether it runs."""
        return self.look.state == verbs.RUNNING

    @property
    def run(self) -> object:
        """What is the same while it runs, and another after the next start."""
        return self.runs, self.invocation, looks.identities(self.look)


def perform(init: str, service: "Service", verb: str, planned: bool = False) -> Outcome:
    """Make an init do a verb, or plan that. Raises OSError if the init cannot be asked."""
    try:
        before = _see(init, service)
    except Unknown as error:
        return _failed(service, verb, planned, f"{service.name}: {_runs(init)}: {error}")
    resolved = verb
    if verb == "force-reload":
        resolved = "reload" if before.reloads else "restart"
    if resolved == "reload" and not before.reloads:
        reason = f"{service.name}: {_runs(init)} and has no verb {verb!r}"
        return Outcome(
            service.name, verb, kinds.UNSUPPORTED, statuses.UNIMPLEMENTED, planned=planned,
            before=before.look, after=before.look, error=reason, messages=[reason],
            **_about(service, before),
        )  # fmt: skip
    if planned:
        return _plan(service, verb, resolved, before)
    return _do(init, service, verb, resolved, before)


def _do(init: str, service: "Service", verb: str, resolved: str, before: Seen) -> Outcome:
    """Have the init do the verb, and look again."""
    from ssd.service.verbs.hearing import run

    command = _command(init, service, verb)
    status, said = run([command.file, *command.argv[1:]], command.environment)
    lines = said.splitlines()
    try:
        after = _see(init, service)
    except Unknown as error:
        after = Seen(Look(), supervision=before.supervision)
        lines.append(f"{service.name}: {_runs(init)}: {error}")
    actions = _taken(resolved, status, before, after)
    seen_before, seen_after = looks.again(before.look, after.look)
    well = status == statuses.SUCCESS or verb == "status"
    outcome = kinds.FAILED if not well else kinds.DONE if actions else kinds.NOTHING
    reason = "; ".join([*lines, f"{' '.join(command.argv)} ended with status {status}"])
    return Outcome(
        service.name, verb, outcome, status, changed=bool(actions), actions=actions,
        before=seen_before, after=seen_after, messages=lines, error=None if well else reason,
        **_about(service, after),
    )  # fmt: skip


def _plan(service: "Service", verb: str, resolved: str, before: Seen) -> Outcome:
    """Foretell what the init will do."""
    runs, after = before.runs, before.look
    actions: list[str] = []
    if resolved == "stop" and runs:
        actions, after = ["stop"], Look(verbs.STOPPED)
    elif resolved == "start" and not runs:
        actions, after = ["start"], Look(verbs.RUNNING)
    elif resolved in ("restart", "try-restart") and (runs or resolved == "restart"):
        actions, after = ["stop", "start"] if runs else ["start"], Look(verbs.RUNNING)
    elif resolved == "reload":
        actions = ["reload"]
    status = statuses.SUCCESS if runs or verb != "status" else statuses.STOPPED
    outcome = Outcome(
        service.name, verb, kinds.DONE if actions else kinds.NOTHING, status, planned=True,
        changed=bool(actions), actions=actions, before=before.look, after=after,
        **_about(service, before),
    )  # fmt: skip
    if resolved == "status":
        pids = ", ".join(str(each["pid"]) for each in before.look.processes)
        words = f"is running (process {pids})" if pids else f"is {'' if runs else 'not '}running"
        outcome.messages = [f"{service.name} {words}"]
    else:
        words = "is already running" if runs else "is not running"
        outcome.messages = [foretell(outcome, resolved, words)]
    return outcome


def _runs(init: str) -> str:
    return f"{NAMES[init]} runs it"


def _failed(service: "Service", verb: str, planned: bool, reason: str) -> Outcome:
    return Outcome(
        service.name, verb, kinds.FAILED, statuses.UNKNOWN if verb == "status" else statuses.FAILED,
        planned=planned, error=reason, error_kind=kinds.OTHER_INIT, **_about(service, None),
    )  # fmt: skip


def _about(service: "Service", seen: "Seen | None") -> "dict[str, Any]":
    return {
        **kinds.about(service),
        "supervision": None if seen is None else seen.supervision,
    }


def _taken(resolved: str, status: int, before: Seen, after: Seen) -> "list[str]":
    """Return the actions that were taken, by what two looks have seen."""
    if resolved == "status":
        return []
    if resolved == "reload":
        return ["reload"] if status == statuses.SUCCESS else []
    if before.run == after.run:
        return []
    return [*(["stop"] if before.runs else []), *(["start"] if after.runs else [])]


def _command(init: str, service: "Service", verb: str) -> "Run":
    """Return the command of a verb; the commands for its sockets must not print where we do."""
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        command = call(init, service, verb)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
    if command is None:
        raise AssertionError(f"{NAMES[init]} has no command for {verb}")
    return command


# Looks.


def _see(init: str, service: "Service") -> Seen:
    """Look at a service that an init runs. Raises Unknown, and OSError."""
    return _see_unit(service) if init == SYSTEMD else _see_started(service)


def _see_unit(service: "Service") -> Seen:
    """Look at the main process of a unit."""
    from ssd.service.initscripts.systemctl import ask

    unit = f"{unit_name(service.name)}.service"
    status, said = ask("show", *(f"--property={name}" for name in _SHOWN), "--", unit)
    shown = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    state, pid = shown.get("ActiveState"), shown.get("MainPID", "")
    if status or state is None:
        raise Unknown(f"'systemctl show {unit}' ended with status {status} and told no state")
    look = Look(verbs.RUNNING if state in _UP else verbs.STOPPED)
    if pid.isdecimal() and int(pid):
        look = _look([int(pid)], "systemd")
    restarts = shown.get("NRestarts", "")
    supervision: Facts = {
        "state": shown.get("SubState"), "goal": None, "uptime": None,
        "restarts": int(restarts) if restarts.isdecimal() else 0, "last_exit": None,
        "last_exit_time": None, "next_attempt": None, "failure": None, "status_text": "",
        "healthy": True, "completed": False,
    }  # fmt: skip
    return Seen(
        look, shown.get("CanReload") != "no", supervision, shown.get("InvocationID", "")
    )  # fmt: skip


def _see_started(service: "Service") -> Seen:
    """Look at a service that OpenRC has started, by its declaration."""
    reloads = service.reload_signal != "none"
    if not os.path.lexists(f"{OPENRC}/{service.name}"):
        return Seen(Look(verbs.STOPPED), reloads)
    found = _supervised(service)
    if not found:
        steps = Steps(service)
        steps.look()
        found = [each.pid for each in steps.processes]
    if found:
        return Seen(_look(found, "OpenRC"), reloads)
    from ssd.service.verbs.hearing import run

    command = _command(OPENRC, service, "status")
    status, _ = run([command.file, *command.argv[1:]], command.environment)
    if status == statuses.SUCCESS:
        raise Unknown("its processes cannot be found by its declaration")
    return Seen(Look(verbs.DEAD), reloads)


def _supervised(service: "Service") -> "list[int]":
    """Return the children of the supervise-daemon(8) whose pid is in the pidfile."""
    if service.pidfile == "none":
        return []
    try:
        pid = pidfile.read(os.fsencode(service.pidfile), sole_criterion=False)
        kin = default_table().kin.of(pid or 0)
    except (OSError, PidfileError):
        return []
    if pid is None or kin is None or kin.name != SUPERVISOR:
        return []
    return [each.pid for each in default_table().children(pid)]


def _look(pids: "list[int]", by: str) -> Look:
    """Return a look at those of these processes that are there; by: what has named them."""
    table = default_table()
    there = (table.process(pid) for pid in pids)
    return looks.look(verbs.RUNNING, [each for each in there if each is not None], by)
