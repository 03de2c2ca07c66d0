"""The stages of one service's life, on declared processes: hooks above all."""

import signal
from pathlib import Path

from ssd.testing import FakeProcess, ignores
from supervision.machine import Machine

HOOKS = {
    f"{when}_{what}": f"{when} {what}" for when in ("before", "after") for what in ("start", "stop")
}


def hook_ends(status: int = 0, after: float = 1.0, only: str = "") -> "object":
    """Return the shell of a machine: each hook takes a second; ``only`` this one fails."""

    def react(process: FakeProcess) -> None:
        fails = not only or process.argv[3] == only
        process.die(after=after, status=status if fails else 0)

    return react


def hooked(tmp_path: Path, **fields: object) -> Machine:
    """Return a machine with a service that has all hooks."""
    return Machine(tmp_path, [{"name": "web", **HOOKS, **fields}])


def ran(machine: Machine) -> list[str]:
    """Return what was run, hooks by their texts."""
    return [
        each.argv[3] if each.argv[0] == "/bin/sh" else each.argv[0]
        for each in machine.table.started
    ]


def test_hooks_run_around_start_and_stop(tmp_path: Path) -> None:
    """One after the other; the supervisor waits for none of them."""
    machine = hooked(tmp_path)
    machine.table.register("/bin/sh", runs=hook_ends())  # type: ignore[arg-type]
    machine.supervisor.start("web")
    machine.until(0.5)
    assert {"web": "start/pre-start"} == machine.states()
    machine.until(5)
    machine.supervisor.stop("web")
    machine.until(10)
    assert ["before start", "/bin/web", "after start", "before stop", "after stop"] == ran(machine)
    assert {"web": "stop/waiting"} == machine.states()


def test_failed_hook_before_the_start_prevents_it(tmp_path: Path) -> None:
    """It is a failed start; what the hook after a stop cleans up is cleaned up."""
    machine = hooked(tmp_path)
    machine.table.register("/bin/sh", runs=hook_ends(3, only="before start"))  # type: ignore[arg-type]
    machine.supervisor.start("web")
    machine.until(10)
    assert ["before start", "after stop"] == ran(machine)
    assert {"web": "stop/failed"} == machine.states()
    assert "before_start exited with status 3" == machine.supervisor.units["web"].failure


def test_reason_of_a_failed_start_is_told_each_time(tmp_path: Path) -> None:
    """Also while it is tried again, when nothing is given up: else nobody learns what is wrong."""
    machine = hooked(tmp_path, respawn={"when": "always", "limit": 1, "interval": 60})
    machine.table.register("/bin/sh", runs=hook_ends(3, only="before start"))  # type: ignore[arg-type]
    machine.supervisor.start("web")
    machine.until(10)
    assert [line for line in machine.said if "before_start" in line] == [
        "web reports: its start failed: before_start exited with status 3",
        "web is given up: before_start exited with status 3; more than 1 restarts in 60 seconds",
    ]


def test_other_failed_hooks_are_only_told(tmp_path: Path) -> None:
    """The service runs, or has stopped, all the same."""
    machine = hooked(tmp_path)
    machine.table.register("/bin/sh", runs=hook_ends(3, only="after start"))  # type: ignore[arg-type]
    machine.supervisor.start("web")
    machine.until(10)
    assert {"web": "start/running"} == machine.states()
    assert "web reports: after_start exited with status 3" in machine.said


def test_stop_ends_a_hook_before_the_start(tmp_path: Path) -> None:
    """It gets the signals of the stop; Upstart would wait for it for ever."""
    machine = hooked(tmp_path, stop_schedule="TERM/5/KILL/5")
    machine.table.register("/bin/sh", runs=hook_ends(after=1000, only="before start"))  # type: ignore[arg-type]
    machine.supervisor.start("web")
    machine.until(2)
    machine.supervisor.stop("web")
    machine.until(3)
    assert [("before start", 15)] == [
        (each.process.argv[3], each.signum) for each in machine.table.signals
    ]


def test_crash_goes_through_the_hooks(tmp_path: Path) -> None:
    """As in init(8): a respawn cleans up, and prepares anew."""
    machine = hooked(tmp_path, respawn={"when": "always"})
    machine.table.register("/bin/sh", runs=hook_ends())  # type: ignore[arg-type]
    machine.program("web", runs=lambda process: process.die(after=20, status=1))
    machine.supervisor.start("web")
    machine.until(30)
    life = ["before start", "/bin/web", "after start"]
    assert [*life, "after stop", *life] == ran(machine)


def test_directories_are_made_before_a_start(tmp_path: Path) -> None:
    """As by ssd-service; one that cannot be made is a failed start."""
    there, blocked = tmp_path / "run", tmp_path / "file"
    blocked.write_text("")
    services = [
        {"name": "web", "directories": [str(there)]},
        {"name": "other", "directories": [str(blocked / "run")]},
    ]
    machine = Machine(tmp_path, services)
    machine.supervisor.start_all()
    machine.settle()
    assert there.is_dir()
    assert {"web": "start/running", "other": "stop/failed"} == machine.states()


def test_stop_overtakes_a_hook_after_the_start(tmp_path: Path) -> None:
    """It gets the signals of the stop with its service."""
    machine = hooked(tmp_path, stop_schedule="TERM/2/KILL/2")

    def react(process: FakeProcess) -> None:
        process.die(after=1000 if process.argv[3] == "after start" else 1, status=0)

    machine.table.register("/bin/sh", runs=react, reactions={signal.SIGTERM: ignores()})
    machine.supervisor.start("web")
    machine.until(10)
    assert {"web": "start/post-start"} == machine.states()
    machine.supervisor.stop("web")
    machine.until(20)
    assert {"web": "stop/waiting"} == machine.states()
    sent = [each.signum for each in machine.table.signals if "after start" in each.process.argv]
    assert [signal.SIGTERM, signal.SIGKILL] == [sent[0], sent[-1]]


def test_crash_overtakes_a_hook_after_the_start(tmp_path: Path) -> None:
    """It is killed before the hook after the stop."""
    machine = hooked(tmp_path)

    def react(process: FakeProcess) -> None:
        process.die(after=1000 if process.argv[3] == "after start" else 1, status=0)

    machine.table.register("/bin/sh", runs=react)
    machine.program("web", runs=lambda process: process.die(after=5, status=1))
    machine.supervisor.start("web")
    machine.until(20)
    assert {"web": "stop/failed"} == machine.states()
    assert all(each.ended for each in machine.table.started)
