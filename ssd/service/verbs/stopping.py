"""Stop services, or make one reload its configuration."""

import os

from ssd.errors import Error
from ssd.pidfile_removal import clear
from ssd.schedule import Schedule
from ssd.service import verbs
from ssd.signals import signal_number
from ssd.stdio import write
from ssd.stopping import Stop, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.service.verbs.steps import Steps
    from ssd.trees import Tree

STDOUT = 1


def stop(steps: "Steps") -> str:
    """Stop the service by its schedule, remove its pidfile, and return the outcome."""
    try:
        work = _begin(steps)
    except Error as error:
        return steps.failed(error)
    with work:
        _drive([work], [steps])
    return _settle(steps, work)


def stop_all(many: "Sequence[Steps]") -> "list[tuple[str, str]]":
    """Look at services and stop them side by side; return the last step of each, its outcome."""
    ends = list(map(_look, many))
    works = {}
    try:
        for index, (steps, end) in enumerate(zip(many, ends)):
            if verbs.decide("stop", *end).step == verbs.STOP:
                try:
                    works[index] = _begin(steps)
                except Error as error:
                    ends[index] = verbs.STOP, steps.failed(error)
        _drive([*works.values()], [many[index] for index in works])
    finally:
        for work in works.values():
            work.close()
    for index, work in works.items():
        ends[index] = verbs.STOP, _settle(many[index], work)
    return ends


def _drive(works: list[Stop], many: "Sequence[Steps]") -> None:
    """Drive stops to their ends; on a terminal say behind the console line what they wait for."""
    if os.isatty(STDOUT) and all(steps.recording is None for steps in many):
        from ssd.answers.waiting_line import WaitingLine, is_watched

        if is_watched(STDOUT):
            names = [steps.service.name for steps in many]
            WaitingLine(works, lambda text: write(STDOUT, text), STDOUT, names).run()
            return
    run(*works)


def _look(steps: "Steps") -> "tuple[str, str]":
    """Look at a service before a stop; an error is a failed stop."""
    try:
        return verbs.LOOK, steps.look()
    except Error as error:
        return verbs.STOP, steps.failed(error)


def _begin(steps: "Steps") -> Stop:
    """Prepare a stop: run the hook if the service runs. Raises DeclarationError."""
    work = Stop(steps.service.match(), steps.service.schedule, tree=_tree(steps), table=steps.table)
    if steps.processes:
        _hook(steps, "before_stop")
    return work


def _tree(steps: "Steps") -> "Tree | bool":
    """Return what belongs to the service besides its process, as ``kill_mode`` declares it."""
    mode = steps.service.kill_mode
    if mode in (None, "main"):
        return False
    from ssd.trees import Tree

    return Tree("tree" if mode == "cgroup" else mode)


def _settle(steps: "Steps", work: Stop) -> str:
    """Finish a stop: remove the pidfile, run the hook; return the outcome."""
    if work.failure is not None:
        return steps.failed(work.failure)
    if work.remaining:
        return verbs.SURVIVED
    if not work.signalled and _denied(work):
        steps.complain("not permitted to signal the process")
        return verbs.DENIED
    if steps.service.pidfile != "none":
        try:
            kept = clear(steps.service.pidfile, work)
        except Error as error:
            return steps.failed(error)
        if kept is not None:
            steps.complain(f"pidfile {steps.service.pidfile} is kept: {kept}")
    _hook(steps, "after_stop")
    return verbs.DONE if work.signalled else verbs.NOTHING


def reload(steps: "Steps") -> str:
    """Send the signal for a reload, and return the outcome."""
    return send(steps, signal_number(steps.service.reload_signal) or 0)


def send(steps: "Steps", signum: int) -> str:
    """Send a signal to the service's processes, and return the outcome."""
    with Stop(steps.service.match(), Schedule.once(signum), table=steps.table) as work:
        run(work)
    if work.failure is not None:
        return steps.failed(work.failure)
    if work.signalled:
        return verbs.DONE
    return verbs.DENIED if _denied(work) else verbs.NOTHING


def _denied(work: Stop) -> bool:
    return any(done.denied for done in work.rounds)


def _hook(steps: "Steps", field: str) -> None:
    """Run a hook; if it fails, complain and continue the stop."""
    if not getattr(steps.service, field):
        return
    from ssd.service.verbs.preparing import run_hook

    try:
        run_hook(steps.service, field, steps.recording)
    except (Error, OSError) as error:
        steps.complain(error)
