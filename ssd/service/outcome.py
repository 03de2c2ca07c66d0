"""What a verb has done to a service, or would do: values, and their JSON.

``ssd.service.perform`` and ``ssd.service.plan`` return an Outcome; ``ssd-service NAME VERB --json``
prints ``Outcome.to_dict()``. docs/reference/json.md explains each key.
"""

from ssd import answers
from ssd._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ssd.service.declaration import Service

    Facts = dict[str, object]

# What a verb came to. NOTHING: there was nothing to do. The others are failures. UNCLEAR: the
# pidfile does not show the process. UNSUPPORTED: the service has no such verb. RACED: another
# caller started it in the middle of a restart.
DONE, NOTHING = "done", "nothing"
FAILURES = (
    "absent", "lacking", "survived", "denied", "failed", "unclear", "unsupported", "raced",
)  # fmt: skip
ABSENT, LACKING, SURVIVED, DENIED, FAILED, UNCLEAR, UNSUPPORTED, RACED = FAILURES
OUTCOMES = (DONE, NOTHING, *FAILURES)

# Why a verb was not tried at all (``Outcome.error_kind``).
KINDS = (
    "unknown-service", "declaration", "not-declared", "usage", "other-init", "supervisor",
)  # fmt: skip
UNKNOWN_SERVICE, DECLARATION, NOT_DECLARED, USAGE, OTHER_INIT, SUPERVISOR = KINDS

UNKNOWN = "unknown"  # the state that no look has found


class Look:
    """How a service is, seen once.

    state: "running", "dead" (its pidfile is left), "stopped" or "unknown". processes: the facts of
    each (docs/reference/json.md, "A process"), by pid.
    """

    __slots__ = ("state", "processes")

    def __init__(self, state: str = UNKNOWN, processes: "Iterable[Facts]" = ()) -> None:
        self.state: str = state
        self.processes: list[Facts] = list(processes)

    def to_dict(self) -> "Facts":
        """Return the state and the processes, as JSON has them."""
        return {"state": self.state, "processes": list(self.processes)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Look) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.state!r}, {self.processes!r})"


class Outcome:
    """What a verb did to a service, or would do to it if ``planned``. Only read it.

    name: of the service. verb: start, stop, status, restart, try-restart, reload or force-reload.
    outcome: a word of OUTCOMES. status: the exit status of ``ssd-service NAME VERB`` (LSB).
    changed: whether a process was started, ended or told to reload. actions: which of "start",
    "stop" and "reload" were taken, in their order. before, after: a Look each; after a plan no
    process is listed that would be started. steps: signals, ends and starts, with ``at`` in
    seconds; none in a plan. messages: what the command prints without ``--json``, in lines. error:
    why it failed, or None; error_kind: a word of KINDS if no verb was tried, else None.

    The rest is about the service: description, pidfile (None without one), declared_in (the file,
    or None), processes (all that were seen, by pid), complaints, and supervision (what a supervisor
    knows, else None).
    """

    __slots__ = (
        "name", "verb", "planned", "outcome", "status", "changed", "actions", "before", "after",
        "steps", "messages", "error", "error_kind", "description", "pidfile", "declared_in",
        "processes", "complaints", "supervision",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        verb: "str | None",
        outcome: str,
        status: int,
        *,
        planned: bool = False,
        changed: bool = False,
        actions: "Iterable[str]" = (),
        before: "Look | None" = None,
        after: "Look | None" = None,
        steps: "Iterable[Facts]" = (),
        messages: "Iterable[str]" = (),
        error: "str | None" = None,
        error_kind: "str | None" = None,
        description: str = "",
        pidfile: "str | None" = None,
        declared_in: "str | None" = None,
        processes: "Iterable[Facts] | None" = None,
        complaints: "Iterable[str]" = (),
        supervision: "Mapping[str, object] | None" = None,
    ) -> None:
        self.name: str = name
        self.verb: str | None = verb
        self.planned: bool = planned
        self.outcome: str = outcome
        self.status: int = status
        self.changed: bool = changed
        self.actions: list[str] = list(actions)
        self.before: Look = before or Look()
        self.after: Look = after or Look()
        self.steps: list[Facts] = list(steps)
        self.messages: list[str] = list(messages)
        self.error: str | None = error
        self.error_kind: str | None = error_kind
        self.description: str = description
        self.pidfile: str | None = pidfile
        self.declared_in: str | None = declared_in
        seen = [*self.before.processes, *self.after.processes] if processes is None else processes
        self.processes: list[Facts] = _by_pid(seen)
        self.complaints: list[str] = list(complaints)
        self.supervision: Facts | None = None if supervision is None else dict(supervision)

    @property
    def failed(self) -> bool:
        """Whether the verb has failed, or would: also where its status is 0 (absent)."""
        return self.outcome in FAILURES

    def to_dict(self) -> "Facts":
        """Return the JSON object of ``ssd-service NAME VERB --json``: the keys of every answer."""
        return {
            "name": self.name,
            "description": self.description,
            **answers.answer(
                self.verb,
                self.status,
                self.after.state,
                self.pidfile,
                self.processes,
                steps=self.steps,
                messages=self.messages,
                error=self.error,
            ),
            "declared_in": self.declared_in,
            "complaints": list(self.complaints),
            "supervision": self.supervision,
            "ssd_version": __version__,
            "planned": self.planned,
            "outcome": self.outcome,
            "changed": self.changed,
            "actions": list(self.actions),
            "before": self.before.to_dict(),
            "after": self.after.to_dict(),
            "error_kind": self.error_kind,
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Outcome) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({given})"


def about(service: "Service") -> "dict[str, Any]":
    """Return what an Outcome says of the service itself, by its keywords."""
    return {
        "description": service.description,
        "pidfile": None if service.pidfile == "none" else service.pidfile,
        "declared_in": service.file,
    }


def _by_pid(seen: "Iterable[Facts]") -> "list[Facts]":
    """Return each process once, as it was seen last, by pid."""
    found: dict[tuple[str, str], Facts] = {}
    for facts in seen:
        found[f"{facts.get('pid'):>20}", str(facts.get("start_time"))] = facts
    return [found[key] for key in sorted(found)]
