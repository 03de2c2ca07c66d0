"""What a supervisor says of a verb, as an Outcome (``ssd.service.outcome``).

A plan is foretold from the facts of a service, by the rules of ``ssd.supervision.control.server``.
Nothing here asks a supervisor.
"""

import errno

from ssd import statuses
from ssd.matching import Process
from ssd.service import outcome as kinds
from ssd.service import verbs
from ssd.service.console import daemon_text, end_text, progress_text
from ssd.service.outcome import Look, Outcome
from ssd.service.verbs import looks
from ssd.service.verbs.plans import foretell
from ssd.supervision import states
from ssd.supervision.client import Unreachable
from ssd.supervision.client.showing import move
from ssd.supervision.control import answers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.supervision.client import NoAnswer

    Facts = dict[str, object]

# What a supervisor says became of a wish -> the outcome of the verb.
_OUTCOMES = {
    "done": kinds.DONE, "accepted": kinds.DONE, "running": kinds.NOTHING, "nothing": kinds.NOTHING,
    "absent": kinds.ABSENT, "survived": kinds.SURVIVED, "denied": kinds.DENIED,
    "failed": kinds.FAILED, "unsupported": kinds.UNSUPPORTED,
}  # fmt: skip
_OF_ERRORS = {"denied": verbs.DENIED, "unsupported": kinds.UNSUPPORTED}
_DOWN = (states.PRE_STOP, states.STOPPING, states.KILLED, states.POST_STOP)


def look(found: "Facts") -> Look:
    """Return how a service is now, by what its supervisor has just said."""
    pid, start_time, state = found.get("pid"), found.get("start_time"), str(found.get("found"))
    if not (isinstance(pid, int) and isinstance(start_time, int)):
        return Look(state)
    return looks.look(state, [Process(pid, start_time)], "supervisor")


def of_look(verb: str, found: "Facts", planned: bool) -> Outcome:
    """Return the outcome of the verb status, or of a plan."""
    if verb != "status":
        return _plan(verb, found)
    seen = look(found)
    return Outcome(
        str(found["name"]), "status", kinds.NOTHING, answers.status_of(found), planned=planned,
        before=seen, after=seen, messages=answers.sentence(found).splitlines(), **_about(found),
    )  # fmt: skip


def of_action(
    verb: str, found: "Facts", before: Look, line: "Facts", then: "Facts | None", lateness: float
) -> Outcome:
    """Return what an action has come to.

    verb: as it was asked for. found: the facts before, and ``before`` the look then. line: the
    answer of an outcome, with ``did``, the verb that was done. then: the facts afterwards, None if
    the supervisor has the service no more. lateness: the seconds by which its steps began after
    ours.
    """
    said = str(line.get("outcome") or _OF_ERRORS.get(str(line.get("error")), verbs.FAILED))
    if said == verbs.FAILED and then is not None and _has_survived(then):
        said = verbs.SURVIVED
    reloads = found.get("reloads", said != verbs.ABSENT) is True  # earlier versions do not say
    did = str(line.get("did") or verbs.resolve(verb, reloads) or verb)
    before, after = looks.again(before, Look(verbs.STOPPED) if then is None else look(then))
    steps = _shifted(line.get("steps"), lateness)
    actions = _taken(did, said, before, steps)
    status = move(did, said).status
    failed = status != statuses.SUCCESS or said == verbs.ABSENT
    return Outcome(
        str(found["name"]), verb, _OUTCOMES.get(said, kinds.FAILED), status,
        changed=bool(actions) and _has_changed(did, before, after, steps), actions=actions,
        before=before, after=after, steps=steps, messages=_messages(did, said, found, line),
        error=_reason(did, said, found["name"], line) if failed else None, **_about(then or found),
    )  # fmt: skip


def unasked(name: str, verb: str, planned: bool, error: "Unreachable | NoAnswer") -> Outcome:
    """Return the outcome where a supervisor has the service, and has not answered."""
    denied = isinstance(error, Unreachable) and error.errno in (errno.EACCES, errno.EPERM)
    return refused(name, verb, planned, str(error), denied)


def refused(name: str, verb: str, planned: bool, reason: str, denied: bool) -> Outcome:
    """Return the outcome where a supervisor has refused a request; denied: by the caller's user."""
    status = statuses.UNKNOWN if verb == "status" else statuses.FAILED
    return Outcome(
        name, verb, kinds.DENIED if denied else kinds.FAILED,
        statuses.NOT_PRIVILEGED if denied else status, planned=planned, error=reason,
        error_kind=kinds.SUPERVISOR,
    )  # fmt: skip


def _plan(verb: str, found: "Facts") -> Outcome:
    """Foretell what an action will come to."""
    reloads = found.get("reloads") is not False
    did = verbs.resolve(verb, reloads) or verb
    said, actions = _foretold(did, found, reloads)
    seen, status = look(found), move(did, said).status
    after = seen
    if did == "stop":  # one that was given up does not count as failed any more
        after = Look(verbs.STOPPED)
    elif actions and did != "reload":
        after = Look(verbs.RUNNING)
    line: Facts = {"message": found.get("refusal") or _known_reason(said, found)}
    failed = status != statuses.SUCCESS or said == verbs.ABSENT
    outcome = Outcome(
        str(found["name"]), verb, _OUTCOMES[said], status, planned=True, changed=bool(actions),
        actions=actions, before=seen, after=after,
        error=_reason(did, said, found["name"], line) if failed else None, **_about(found),
    )  # fmt: skip
    outcome.messages = [foretell(outcome, did, move(did, said).words)]
    return outcome


def _about(found: "Facts") -> "dict[str, Any]":
    """Return what an outcome says of the service itself."""
    pidfile, declared = found.get("pidfile"), found.get("declared_in")
    return {
        "description": str(found.get("description") or ""),
        "pidfile": None if pidfile is None else str(pidfile),
        "declared_in": None if declared is None else str(declared),
        "supervision": answers.facts_of_json(found),
    }


def _has_survived(then: "Facts") -> bool:
    """Tell whether a service was given up because its process has outlived a stop."""
    return then.get("state") == states.FAILED and then.get("found") == verbs.RUNNING


def _shifted(steps: object, lateness: float) -> "list[Facts]":
    """Return the steps of a supervisor, in seconds since our own beginning."""
    listed = steps if isinstance(steps, list) else []
    return [{**step, "at": round(float(step["at"]) + lateness, 4)} for step in listed]


def _taken(did: str, said: str, before: Look, steps: "list[Facts]") -> "list[str]":
    """Return the actions that were taken: by the steps, and by the outcome."""
    listed = [str(step["event"]) for step in steps]
    begun = listed.index("spawned") if "spawned" in listed else len(listed)
    events = {*listed[:begun]}  # what ends later is a start that has failed
    if did == "reload":
        return ["reload"] if said == verbs.DONE else []
    taken = []
    tried = said in (verbs.DONE, verbs.SURVIVED, verbs.DENIED, verbs.FAILED)
    if did != "start" and (
        events & {"signal", "ended"} or tried and (before.processes or did == "stop")
    ):
        taken.append("stop")
    if did != "stop" and ("spawned" in listed or said == verbs.DONE):
        taken.append("start")
    return taken


def _has_changed(did: str, before: Look, after: Look, steps: "list[Facts]") -> bool:
    """Tell whether an action that was taken has changed something, and not somebody else's."""
    if did == "reload" or any(step["event"] in ("ended", "spawned") for step in steps):
        return True
    return before.state != after.state or looks.identities(before) != looks.identities(after)


def _foretold(did: str, found: "Facts", reloads: bool) -> "tuple[str, list[str]]":
    """Return the outcome of a wish and the actions, as the supervisor would decide them."""
    state, goal = str(found.get("state")), str(found.get("goal"))
    has_process = found.get("found") == verbs.RUNNING
    runs = has_process or not (state in states.AT_REST and goal == states.STOP)
    if found.get("refusal"):
        return verbs.FAILED, []
    if did == "reload":
        if not reloads:
            return kinds.UNSUPPORTED, []
        return (verbs.DONE, ["reload"]) if has_process else (verbs.NOTHING, [])
    if did in ("stop", "try-restart") and not runs:
        return verbs.NOTHING, []
    if did == "stop":
        return verbs.DONE, ["stop"]
    if did == "start" and has_process and goal == states.START and state not in _DOWN:
        return verbs.RUNNING, []
    if found.get("absent"):
        return verbs.ABSENT, []
    stops = has_process and (did != "start" or state in _DOWN)
    return verbs.DONE, ["stop", "start"] if stops and did != "start" else ["start"]


def _known_reason(said: str, found: "Facts") -> str:
    if said == verbs.ABSENT:
        return f"{found['absent']} is not installed"
    return "it declares no reload_signal" if said == kinds.UNSUPPORTED else ""


def _reason(did: str, said: str, name: object, line: "Facts") -> str:
    """Say why an action failed."""
    message = answers.plain(line.get("message") or verbs.FAILED)
    if said == verbs.ABSENT:
        return message
    if words := move(did, said).words:
        return f"{name} {words}"
    return message if message.startswith(f"{name} ") else f"{name}: {message}"


def _messages(did: str, said: str, found: "Facts", line: "Facts") -> "list[str]":
    """Return the lines that are printed without --json, without the program's name."""
    done, name = move(did, said), str(found["name"])
    message = answers.plain(line.get("message") or "")
    if said in (verbs.ABSENT, kinds.UNSUPPORTED) or "outcome" not in line:
        return [f"{name}: {message}" if "outcome" in line else message]
    begun = verbs.LINES[did].format(found.get("description") or name)
    shown = daemon_text(begun, name) + (progress_text(done.words) if done.words else "")
    told = [(shown + end_text(min(done.status, 1))).rstrip("\n")]
    if message and done.status and said != verbs.NOTHING:
        told.append(f"{name}: {message}")
    lines = line.get("lines")
    if isinstance(lines, list) and lines:
        told += ["its last lines:", *(f"    {answers.plain(each)}" for each in lines)]
    return told
