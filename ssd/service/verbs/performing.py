"""Perform a verb on one service: the table decides, the steps act, the console shows."""

import os

from ssd import statuses
from ssd.service import verbs
from ssd.service.verbs.steps import Steps
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.service.console import Console
    from ssd.service.declaration import Service
    from ssd.service.verbs import Move

    Taken = tuple[str, str, Move]
    Predict = Callable[[str], str]

STDOUT, STDERR = 1, 2


def perform(
    service: "Service", verb: str, *, program: str, script: str, table: "ProcessTable | None" = None
) -> int:
    """Do a verb and return its exit status (LSB, "Init Script Actions").

    ``program`` precedes complaints on standard error; ``script`` is the name in the usage.
    """
    resolved = verbs.resolve(verb, service.reload_signal != "none")
    if resolved in (None, "show-args"):
        from ssd.service.verbs.showing import show_arguments, usage

        return show_arguments(service) if resolved else usage(service, script)
    steps = Steps(service, table)
    walking = walk(steps, resolved)
    _, outcome, move = next(walking)
    console = None
    if resolved == "status":
        write(STDOUT, sentence(steps, outcome))
    elif outcome == verbs.ABSENT:
        write(STDERR, f"{service.name}: {service.program} {move.words}\n")
    elif resolved in verbs.LINES and outcome != verbs.LACKING:  # the complaint says what it lacks
        console = begin_line(service, resolved)
    done = verbs.Move(None, status=statuses.FAILED)
    try:
        *_, done = move, *(each for *_, each in walking)
    finally:  # so that an unexpected error is reported on a line of its own
        if console is not None:
            end_line(console, done)
    complain(steps, program)
    return done.status


def walk(steps: Steps, verb: str, predict: "Predict | None" = None) -> "Iterator[Taken]":
    """Do a resolved verb; yield each step, its outcome and the next move, at last one without step.

    ``predict`` tells the outcome of a step after the look, in place of taking it.
    """
    step = verbs.LOOK
    outcome = steps.look(for_start=(step, verbs.ABSENT) in verbs.TABLE[verb])
    while True:
        move = verbs.decide(verb, step, outcome)
        yield step, outcome, move
        if move.step is None:
            return
        step = move.step
        outcome = predict(step) if predict else _taker(step)(steps)


def _taker(step: str) -> "Callable[[Steps], str]":
    """Return the function that takes a step and returns its outcome."""
    if step == verbs.START:
        from ssd.service.verbs.starting import start

        return start
    if step == verbs.EXECUTE:
        from ssd.service.verbs.executing import execute

        return execute
    from ssd.service.verbs import stopping

    return stopping.stop if step == verbs.STOP else stopping.reload


def begin_line(service: "Service", verb: str) -> "Console":
    """Begin the console line of a verb."""
    from ssd.service.console import Console

    console = Console(STDOUT)
    console.begin(verbs.LINES[verb].format(service.description or service.name), service.name)
    return console


def end_line(console: "Console", move: "Move") -> None:
    """End the console line with the result."""
    if move.words:
        console.progress(move.words)
    console.end(min(move.status, 1))


def sentence(steps: Steps, outcome: str, brief: bool = False) -> str:
    """Return the sentence for a status: with pid, uptime and memory if the service runs.

    ``brief`` leaves out uptime and memory, which take a second look at the process.
    """
    service = steps.service
    if outcome == verbs.RUNNING:
        if brief:
            pids = ", ".join(str(process.pid) for process in steps.processes)
            return f"{service.name} is running (process {pids})\n"
        return "".join(f"{service.name} is running (process {p.pid}){_vitals(p)}\n"
                       for p in steps.processes)  # fmt: skip
    if outcome == verbs.DEAD:
        return f"{service.name} is not running, but its pidfile {service.pidfile} exists\n"
    if outcome == verbs.STOPPED:
        return f"{service.name} is not running\n"
    return f"cannot tell from {service.pidfile} whether {service.name} is running\n"


def _vitals(process: "Process") -> str:
    from ssd.service.verbs.vitals import vitals

    found = vitals(process)
    return "" if found is None else f", {found}"


def complain(steps: Steps, program: str) -> None:
    """Print the complaints, after the end of the console line."""
    for text in steps.complaints:
        write(STDERR, f"{program}: {text}\n")
    steps.complaints.clear()


def warn(program: str, service: "Service", rest: list[str]) -> None:
    """Print which parts of a declaration have no effect, except for ``status`` and ``stop``."""
    if rest[:1] not in (["status"], ["stop"]):
        write(STDERR, "".join(f"{program}: warning: {doubt}\n" for doubt in service.doubts))


def other_inits() -> bool:
    """Tell whether systemd or OpenRC manages the machine."""
    return os.path.isdir("/run/systemd/system") or os.path.isdir("/run/openrc/started")
