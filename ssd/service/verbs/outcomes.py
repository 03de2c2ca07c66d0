"""``ssd.service.perform`` and ``ssd.service.plan``: a verb of a service, and its Outcome."""

from ssd import statuses
from ssd.errors import Error
from ssd.service import verbs
from ssd.service.outcome import (
    ABSENT,
    DENIED,
    FAILED,
    FAILURES,
    NOTHING,
    RACED,
    SURVIVED,
    UNCLEAR,
    UNSUPPORTED,
    Look,
    Outcome,
    about,
)
from ssd.service.verbs.performing import sentence, walk
from ssd.service.verbs.recording import Recorded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.service.verbs import Move
    from ssd.service.verbs.predicting import Forecast

VERBS = ("start", "stop", "status", "restart", "try-restart", "reload", "force-reload")  # LSB's
ACTIONS = (verbs.START, verbs.STOP, verbs.RELOAD)
# The words of a verb's end: those of a look, and of a start that found another's process.
_WORDS = {
    verbs.RUNNING: NOTHING, verbs.DEAD: NOTHING, verbs.STOPPED: NOTHING, verbs.UNCLEAR: UNCLEAR,
}  # fmt: skip


def perform(service: "Service", verb: str, *, table: "ProcessTable | None" = None) -> Outcome:
    """Do a verb to a service, here, and return what came of it; print nothing.

    ``verb`` is start, stop, status, restart, try-restart, reload or force-reload (LSB, "Init Script
    Actions"); ValueError for another one. ``table``: where the processes are, for example an
    ``ssd.testing.FakeProcesses``; None: on this machine. A failure is in the Outcome; what
    says nothing about a service is raised: DeclarationError if the declaration does not say how its
    process is recognised or started, TypeError for a service or a table that is none, OSError;
    ChildProcessError, before anything is done, if the verb runs a hook or another child and the
    caller ignores SIGCHLD, for its exit status would be lost.

    Neither a supervisor nor another init is asked: the command does that. Works in any thread,
    changes neither the directory, the environment nor signals of the caller. It blocks until the
    verb is through: a stop as long as its schedule, a start until the service is ready. Hooks are
    children of the caller, with its directory and its environment (and what is declared), run on
    the real machine also with a table of fakes, and what they print is in ``messages``; what a
    program prints that goes to the background itself is lost. Such a program (``background`` is
    false) is forked from this process, so start it from a process with a single thread; any other
    is started by a helper, as by ``ssd.start``.
    """
    return carry_out(service, verb, table)


def carry_out(
    service: "Service", verb: str, table: "ProcessTable | None" = None, alone: bool = False
) -> Outcome:
    """Do what ``perform`` does; ``alone``: this process has one thread, so it may fork itself."""
    resolved = _resolved(service, verb)
    if resolved is None:
        return _unsupported(service, verb, table)
    steps = Recorded(service, table, alone=alone)
    if not alone:  # the command has settled it
        from ssd.service.verbs.reaped import demand_statuses

        demand_statuses(service, resolved, steps.table)
    taken: list[tuple[str, str]] = []
    try:
        move = _follow(steps, resolved, taken)
    except (Error, OSError) as error:
        if not taken:
            raise
        return _broken(steps, verb, resolved, taken, error)
    return outcome_of(steps, verb, resolved, taken, move)


def plan(service: "Service", verb: str, *, table: "ProcessTable | None" = None) -> Outcome:
    """Say what ``perform`` would do now, and do nothing: an Outcome that is ``planned``.

    It looks for the processes and checks what can be known before: the program, the accounts, the
    declaration, permissions. No process is started or signalled, no hook and no file of variables
    is run, no directory, pidfile or lock is made. ``outcome``, ``status``, ``changed`` and
    ``actions`` are what the verb would return if nothing fails that only an attempt can show: a
    hook, the program itself, a process that outlives the schedule, another caller in between.
    Raises what ``perform`` raises.
    """
    from ssd.service.verbs.predicting import Forecast

    resolved = _resolved(service, verb)
    if resolved is None:
        return _unsupported(service, verb, table, planned=True)
    steps = Recorded(service, table)
    forecast = Forecast(steps)
    taken: list[tuple[str, str]] = []
    move = _follow(steps, resolved, taken, forecast)
    return outcome_of(steps, verb, resolved, taken, move, forecast)


def stop_all(services: "Sequence[Service]", table: "ProcessTable | None" = None) -> "list[Outcome]":
    """Stop services side by side, in the time of the slowest; return the outcome of each."""
    from ssd.service.verbs import stopping

    many = [Recorded(service, table) for service in services]
    ends = stopping.stop_all(many)
    told = []
    for steps, end in zip(many, ends):
        taken = [end] if end[0] == verbs.LOOK else [(verbs.LOOK, verbs.RUNNING), end]
        told.append(outcome_of(steps, "stop", "stop", taken, verbs.decide("stop", *end)))
    return told


def _follow(
    steps: Recorded,
    verb: str,
    taken: "list[tuple[str, str]]",
    forecast: "Forecast | None" = None,
) -> "Move":
    """Walk to the end; add each step with its outcome to ``taken``; return the last move."""
    for step, outcome, _ in walk(steps, verb, forecast):
        taken.append((step, outcome))
    return verbs.decide(verb, *taken[-1])


def _resolved(service: "Service", verb: str) -> "str | None":
    """Return the verb whose rows apply, None for a reload that is not declared."""
    if verb not in VERBS:
        raise ValueError(f"a service has no verb {verb!r}: {', '.join(VERBS)}")
    if not hasattr(service, "reload_signal"):
        raise TypeError(
            "service must be an ssd.service.Service, for example ssd.service.find('nova-compute'), "
            f"not {service!r}"
        )
    return verbs.resolve(verb, service.reload_signal != "none")


def outcome_of(
    steps: Recorded,
    verb: str,
    resolved: str,
    taken: "Sequence[tuple[str, str]]",
    move: "Move",
    forecast: "Forecast | None" = None,
) -> Outcome:
    """Return the outcome of a verb: which steps were taken, and how the last of them ended."""
    *_, (step, came_to) = taken
    word = NOTHING if resolved == "status" else _WORDS.get(came_to, came_to)
    if (step, came_to) == (verbs.START, verbs.RUNNING) and resolved != "start":
        word = RACED
    error = None
    if word in FAILURES or move.status and resolved != "status":
        error = _error(steps, word, move)
    return _told(steps, verb, resolved, taken, word, move, error, forecast)


def _broken(
    steps: Recorded,
    verb: str,
    resolved: str,
    taken: "list[tuple[str, str]]",
    error: "Error | OSError",
) -> Outcome:
    """Return the outcome of a verb that an error has ended after its first look."""
    from ssd.denials import status_of

    word = steps.failed(error)
    step = verbs.decide(resolved, *taken[-1]).step
    taken.append((step or verbs.LOOK, word))
    move = verbs.Move(None, status=status_of(error, verb))
    return _told(steps, verb, resolved, taken, word, move, steps.error)


def _told(
    steps: Recorded,
    verb: str,
    resolved: str,
    taken: "Sequence[tuple[str, str]]",
    word: str,
    move: "Move",
    error: "str | None",
    forecast: "Forecast | None" = None,
) -> Outcome:
    service = steps.service
    if forecast is None:
        after = steps.look_after()
        before = steps.looked_before()
    else:
        before = steps.looked_before()
        after = before if forecast.state is None else Look(forecast.state)
    outcome = Outcome(
        service.name,
        verb,
        word,
        move.status,
        planned=forecast is not None,
        changed=_has_changed(steps, taken),
        actions=[step for step, _ in taken if step in ACTIONS],
        before=before,
        after=after,
        steps=[] if forecast else steps.steps(),
        error=error,
        processes=None if forecast else steps.all_processes(),
        complaints=steps.complaints,
        **about(service),
    )
    outcome.messages = _messages(steps, resolved, taken[0][1], move, outcome)
    return outcome


def _has_changed(steps: Recorded, taken: "Sequence[tuple[str, str]]") -> bool:
    """Tell whether a process was started, ended or told to reload, or would be."""
    if steps.has_started or any(s in ACTIONS and o == verbs.DONE for s, o in taken):
        return True
    return any(s == verbs.STOP and o != verbs.NOTHING for s, o in taken) and steps.any_ended()


def _error(steps: Recorded, word: str, move: "Move") -> str:
    """Say in one sentence why the verb has failed."""
    name = steps.service.name
    if word == ABSENT:
        return f"{steps.service.program} {move.words}"
    if word == SURVIVED or word == RACED or move.status == statuses.NOT_RUNNING:
        return f"{name} {move.words}"
    if steps.error is not None:
        return steps.error
    if word == DENIED:
        return "not permitted to signal the process"
    if steps.complaints:
        return steps.complaints[-1]
    return sentence(steps, verbs.UNCLEAR).rstrip("\n") if word == UNCLEAR else f"{name} {FAILED}"


def _messages(
    steps: Recorded, resolved: str, found: str, move: "Move", outcome: Outcome
) -> "list[str]":
    """Return the lines that the command prints without --json: what it says, hooks, complaints."""
    service = steps.service
    if resolved == "status":
        lines = sentence(steps, found).splitlines()
    elif outcome.planned:
        from ssd.service.verbs.plans import foretell

        return [foretell(outcome, resolved, move.words)]
    elif outcome.outcome == ABSENT:
        lines = [f"{service.name}: {outcome.error}"]
    elif found == verbs.LACKING:
        lines = []
    else:
        from ssd.service import console

        begun = verbs.LINES[resolved].format(service.description or service.name)
        words = console.progress_text(move.words) if move.words else ""
        end = console.end_text(min(move.status, 1))
        lines = [(console.daemon_text(begun, service.name) + words + end).rstrip("\n")]
    return [*steps.heard, *lines, *steps.complaints]


def _unsupported(
    service: "Service", verb: str, table: "ProcessTable | None", planned: bool = False
) -> Outcome:
    """Return the outcome of a reload that is not declared: it is looked, and nothing else."""
    steps = Recorded(service, table)
    steps.look()
    here = steps.looked_before()
    return Outcome(
        service.name,
        verb,
        UNSUPPORTED,
        statuses.UNIMPLEMENTED,
        planned=planned,
        before=here,
        after=here,
        error=f"{service.name} has no {verb}: its declaration has no reload_signal",
        complaints=steps.complaints,
        **about(service),
    )
