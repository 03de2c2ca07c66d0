"""What a supervisor's answers mean as an Outcome, and whether a plan foretells them."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from ssd.service.outcome import Look, Outcome
from ssd.supervision.client import NoAnswer, Unreachable, outcomes
from ssd.testing import exits, ignores
from supervision.conftest import Supervise
from supervision.controlled import Controlled

VERBS = ("start", "stop", "restart", "try-restart", "reload", "force-reload")


def stopped(machine: Controlled) -> None:
    """Leave it as it is."""


def running(machine: Controlled) -> None:
    """Have it running."""
    machine.ask("start", "web")


def given_up(machine: Controlled) -> None:
    """Have it fail."""
    machine.program("web", runs=exits(3))
    machine.ask("start", "web")
    machine.until(machine.table.now() + 1.0)
    machine.program("web")


def waiting(machine: Controlled) -> None:
    """Have it wait for its next attempt."""
    machine.supervisor.units["web"].service.respawn.update(when="always", delay=100)
    given_up(machine)


def stopping(machine: Controlled) -> None:
    """Have it stop, which takes a while."""

    def runs(process: Any) -> None:
        process.reactions[15] = exits(after=5.0)

    machine.program("web", runs=runs)
    machine.ask("start", "web")
    machine.ask("stop", "web")
    machine.program("web")


def facts(machine: Controlled) -> dict[str, Any]:
    """Return the facts of the service."""
    (line,) = machine.ask("status", "web")
    return dict(line["service"])


def acted(machine: Controlled, verb: str) -> Outcome:
    """Ask for an action and return its outcome."""
    found = facts(machine)
    caller = machine.connect()
    caller.ask(verb, name="web", steps=True)
    machine.settle()
    lines = caller.lines()
    if "ok" not in lines[-1]:
        machine.until(machine.table.now() + 10.0)
        machine.settle()
        lines += caller.lines()
    line = {"did": lines[0].get("begun"), **lines[-1]}
    before = outcomes.look(found)
    return outcomes.of_action(verb, found, before, line, facts(machine), 0.5)


@pytest.mark.parametrize(("make", "verb", "reload"), [*itertools.product(
    [stopped, running, given_up, waiting, stopping], VERBS, ["none", "CONT"],
)])  # fmt: skip
def test_plan_foretells_the_action(
    supervise: Supervise, make: Callable[[Controlled], None], verb: str, reload: str
) -> None:
    """In each state: what it comes to, its status, its actions, and the state afterwards."""
    machine = supervise({"name": "web", "reload_signal": reload})
    make(machine)
    plan = outcomes.of_look(verb, facts(machine), True)
    done = acted(machine, verb)
    assert (plan.planned, done.planned) == (True, False)
    for name in ("outcome", "status", "actions", "changed"):
        assert getattr(plan, name) == getattr(done, name), (name, plan, done)
    assert (plan.before.state, plan.after.state) == (done.before.state, done.after.state)
    assert (plan.error is None) == (done.error is None)
    assert [] == plan.steps


def test_restart_of_what_does_not_die_has_survivors(supervise: Supervise) -> None:
    """As without a supervisor, which says that it has failed."""

    def runs(process: Any) -> None:
        process.reactions.update({15: ignores(), 9: ignores()})

    machine = supervise({"name": "web", "stop_schedule": "TERM/1/KILL/1"})
    machine.program("web", runs=runs)
    machine.ask("start", "web")
    done = acted(machine, "restart")
    assert ("survived", 1, ["stop"], False) == (
        done.outcome, done.status, done.actions, done.changed,
    )  # fmt: skip
    assert ["TERM", "KILL"] == [step["signal"] for step in done.steps]
    assert ("web refuses to die", "running") == (done.error, done.after.state)


def test_plan_of_a_program_that_is_not_installed_fails() -> None:
    """Its status is Debian's 0; no verb is asked of a job that stands for others."""
    found = {"name": "web", "found": "stopped", "state": "waiting", "goal": "stop"}
    for verb in ("start", "restart"):
        plan = outcomes.of_look(verb, {**found, "absent": "/bin/web", "reloads": False}, True)
        assert ("absent", 0, []) == (plan.outcome, plan.status, plan.actions)
        assert "/bin/web is not installed" == plan.error
        assert ["web: /bin/web is not installed"] == plan.messages
    plan = outcomes.of_look("start", {**found, "refusal": "it has an instance"}, True)
    assert ("failed", 1, "web: it has an instance") == (plan.outcome, plan.status, plan.error)


def test_plan_says_what_it_would_do() -> None:
    """In one sentence."""
    waits = {"name": "web", "found": "dead", "state": "waiting", "goal": "respawn"}
    assert ["web would be stopped"] == outcomes.of_look("stop", waits, True).messages
    assert ["web would be started"] == outcomes.of_look("start", waits, True).messages
    rests = {**waits, "goal": "stop", "found": "stopped"}
    said = outcomes.of_look("stop", rests, True).messages
    assert ["web is not running: nothing would be done"] == said


def test_steps_are_counted_from_our_own_beginning() -> None:
    """What the supervisor has measured began later."""
    found = {"name": "web", "found": "running", "state": "running", "goal": "start"}
    kill = {"at": 1.5, "event": "signal", "pid": 7, "signal": "KILL"}
    line = {"ok": True, "name": "web", "outcome": "done", "did": "stop", "steps": [kill]}
    told = outcomes.of_action("stop", found, Look("running"), line, None, 0.25)
    assert [{**kill, "at": 1.75}] == told.steps
    assert (["stop"], True, "stopped") == (told.actions, told.changed, told.after.state)
    assert ["Stopping web: web."] == told.messages


def test_start_that_fails_is_no_stop() -> None:
    """The signal that ends a program which is not ready stops nothing that was there before."""
    found = {"name": "web", "found": "stopped", "state": "waiting", "goal": "stop"}
    events = [("starting", None), ("spawned", 7), ("signal", 7), ("ended", 7)]
    steps = [{"at": 0.1, "event": event, "pid": pid} for event, pid in events]
    line = {"ok": False, "name": "web", "outcome": "failed", "did": "restart", "steps": steps}
    told = outcomes.of_action("restart", found, Look("stopped"), line, found, 0.0)
    assert (["start"], True) == (told.actions, told.changed)
    runs = {**found, "found": "running", "state": "running", "goal": "start"}
    line["steps"] = [{"at": 0.0, "event": "ended", "pid": 6}, *steps]
    told = outcomes.of_action("restart", runs, Look("running"), line, found, 0.0)
    assert ["stop", "start"] == told.actions


def test_refused_action_says_why() -> None:
    """With the words of the console line; a request may fail as a whole."""
    found = {"name": "web", "found": "running", "state": "running", "goal": "start"}
    line = {"ok": False, "error": "failed", "message": "it outlived its stop", "name": "web"}
    told = outcomes.of_action(
        "stop", found, Look("running"), {**line, "outcome": "survived"}, found, 0.0
    )
    assert ("survived", 1, "web refuses to die") == (told.outcome, told.status, told.error)
    assert ["Stopping web: web refuses to die failed!", "web: it outlived its stop"] == (
        told.messages
    )
    assert (["stop"], False) == (told.actions, told.changed)
    busy = {"ok": False, "error": "busy", "message": "there are too many clients"}
    told = outcomes.of_action("stop", found, Look("running"), busy, found, 0.0)
    assert ("failed", "web: there are too many clients") == (told.outcome, told.error)


@pytest.mark.parametrize(
    ("error", "verb", "outcome", "status"),
    [
        (Unreachable("/s", "odd", 13), "start", "denied", 4),
        (Unreachable("/s", "odd"), "stop", "failed", 1),
        (NoAnswer("/s", "says nothing"), "stop", "failed", 1),
        (NoAnswer("/s", "says nothing"), "status", "failed", 4),
    ],
)
def test_supervisor_without_an_answer_is_an_error(error, verb, outcome, status) -> None:
    """Of a kind of its own: nobody knows what it has done."""
    told = outcomes.unasked("web", verb, False, error)
    assert (outcome, status, "supervisor") == (told.outcome, told.status, told.error_kind)
    assert (str(error), "unknown") == (told.error, told.after.state)
