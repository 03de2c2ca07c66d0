"""What a client is told of the steps to a service, on a machine of declared processes."""

import signal
from collections.abc import Callable
from typing import Any

from ssd.testing import FakeProcess, dies, ignores, reloads
from supervision.conftest import Supervise
from supervision.controlled import Controlled


def takes(number: int, reaction: Any) -> Callable[[FakeProcess], object]:
    """Return what a program does that takes a signal in its own way."""

    def runs(process: FakeProcess) -> None:
        process.reactions[number] = reaction

    return runs


def steps_of(machine: Controlled, verb: str, until: float = 0.0, **fields: Any) -> Any:
    """Ask for a verb with its steps, and return those, by the service for all."""
    caller = machine.connect()
    asked = fields or {"name": "web"}
    caller.ask(verb, steps=True, **asked)
    machine.until(until)
    machine.settle()
    lines = caller.lines()
    if fields.get("all"):
        return {line["name"]: line["steps"] for line in lines if "outcome" in line}
    return lines[-1]["steps"]


def test_stop_says_which_signals_were_needed(supervise: Supervise) -> None:
    """With the process that got each, and how it ended, in seconds since the request."""
    machine = supervise({"name": "web", "stop_schedule": "TERM/5/KILL/5"})
    machine.program("web", runs=takes(signal.SIGTERM, ignores()))
    machine.ask("start", "web")
    pid = machine.supervisor.units["web"].main.pid
    machine.until(10.0)
    assert steps_of(machine, "stop", 20.0) == [
        {"at": 0.0, "event": "signal", "pid": pid, "signal": "TERM"},
        {"at": 5.0, "event": "signal", "pid": pid, "signal": "KILL"},
        {"at": 5.0, "event": "ended", "pid": pid, "exit_status": -9},
    ]


def test_restart_has_both_processes(supervise: Supervise) -> None:
    """And nothing of what was before; the new start is over when it is ready."""
    machine = supervise({"name": "web"})
    machine.program("web", runs=takes(signal.SIGTERM, dies(after=1.0)))
    machine.ask("restart", "web")
    for _ in range(6):  # more stops than are kept
        old = machine.supervisor.units["web"].main.pid
        begun = machine.table.now()
        told = steps_of(machine, "restart", begun + 2.0)
        new = machine.supervisor.units["web"].main.pid
        assert told == [
            {"at": 0.0, "event": "signal", "pid": old, "signal": "TERM"},
            {"at": 1.0, "event": "ended", "pid": old, "exit_status": -15},
            {"at": 1.0, "event": "starting"},
            {"at": 1.0, "event": "spawned", "pid": new},
            {"at": 1.0, "event": "started", "pid": new},
        ]


def test_signal_of_a_reload_is_a_step(supervise: Supervise) -> None:
    """By its name; nothing is done to a service that does not run."""
    machine = supervise({"name": "web", "reload_signal": "SIGHUP"})
    assert [] == steps_of(machine, "reload")
    machine.program("web", runs=takes(signal.SIGHUP, reloads()))
    machine.ask("start", "web")
    pid = machine.supervisor.units["web"].main.pid
    assert [{"at": 0.0, "event": "signal", "signal": "HUP", "pid": pid}] == steps_of(
        machine, "reload"
    )


def test_all_have_their_own_steps(supervise: Supervise) -> None:
    """In the line of each; only a client that asks for them gets any."""
    machine = supervise({"name": "web"}, {"name": "db"})
    machine.ask("start", "web")
    told = steps_of(machine, "stop", 1.0, all=True)
    assert ["signal", "ended"] == [step["event"] for step in told["web"]]
    assert [] == told["db"]
    assert all("steps" not in line for line in machine.ask("start", all=True))
