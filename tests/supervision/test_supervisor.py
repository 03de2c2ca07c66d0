"""Supervisor on declared processes: crashes, stops, updates, and its shape for loops."""

import signal
from pathlib import Path
from typing import Any

import pytest

from ssd.service import Service, UnknownService
from ssd.supervision import Supervisor, events, follow, run
from ssd.testing import FakeProcess, dies, ignores
from supervision.machine import Machine

ALWAYS = {"when": "always"}
DAY = 86_400.0


def crash(after: float, status: int = 1) -> Any:
    """Return a program that ends by itself."""
    return lambda process: process.die(after=after, status=status)


def test_service_lives_and_stops(tmp_path: Path) -> None:
    """Started, ready, stopped; each step is an event."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.start("web")
    machine.settle()
    assert {"web": "start/running"} == machine.states()
    assert f"{machine.table.started[0].pid}\n" == (tmp_path / "web.pid").read_text()
    machine.supervisor.stop("web")
    machine.settle()
    pid = machine.table.started[0].pid
    expected = [
        "web is starting",
        f"web runs as process {pid}",
        "web is ready",
        "web is stopping",
        f"web was ended by SIGTERM (process {pid})",
        "web has stopped",
    ]
    assert expected == machine.said
    assert not (tmp_path / "web.pid").exists()


def test_crashed_service_comes_back_at_once(tmp_path: Path) -> None:
    """The first restart does not wait."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": ALWAYS}])
    machine.program("web", runs=crash(after=30))
    machine.supervisor.start("web")
    machine.until(30)
    assert [0, 30] == [each.identity.start_time // 100 for each in machine.table.started]
    unit = machine.supervisor.units["web"]
    assert (1, 1) == (unit.restarts, unit.last and unit.last.status)


def test_day_of_crashes_ends_in_its_cap(tmp_path: Path) -> None:
    """Ever slower up to a start a minute, and never given up if no limit is reached."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": ALWAYS}])
    machine.program("web", runs=crash(after=1))
    machine.supervisor.start("web")
    machine.until(DAY)
    starts = [each.time for each in machine.events if isinstance(each, events.Started)]
    gaps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    expected = [1, 1.1, 1.2, 1.4, 1.8, 2.6, 4.2, 7.4, 13.8, 26.6, 52.2, 61, 61]
    assert expected == [pytest.approx(gap) for gap in gaps[:13]]
    assert 1400 < len(starts) < 1440


def test_crash_loop_beyond_its_limit_is_given_up(tmp_path: Path) -> None:
    """With the reason, the status, and a start that makes it all forgotten."""
    respawn = {"when": "always", "backoff": 0, "limit": 3}
    machine = Machine(tmp_path, [{"name": "web", "respawn": respawn}])
    machine.program("web", runs=crash(after=0, status=7))
    machine.supervisor.start("web")
    machine.until(10)
    assert {"web": "stop/failed"} == machine.states()
    assert 4 == len(machine.table.started)
    failed = machine.events[-1]
    assert isinstance(failed, events.Failed)
    assert "it exited with status 7; more than 3 restarts in 5 seconds" == failed.reason
    assert 7 == failed.status
    machine.program("web")
    machine.supervisor.start("web")
    machine.settle()
    unit = machine.supervisor.units["web"]
    assert ({"web": "start/running"}, 0, None) == (machine.states(), unit.restarts, unit.failure)


def test_service_that_recovers_begins_a_new_row(tmp_path: Path) -> None:
    """After ``reset`` seconds up, the next crash is answered at once again."""
    lives = iter([1, 1, 1, 500, 1, 10**6])
    machine = Machine(tmp_path, [{"name": "web", "respawn": ALWAYS}])
    machine.program("web", runs=lambda process: process.die(after=next(lives), status=1))
    machine.supervisor.start("web")
    machine.until(1000)
    waited = [each.seconds for each in machine.events if isinstance(each, events.Restarting)]
    assert [0, 0.1, 0.2, 0, 0.1] == waited


def test_stop_cancels_a_restart_to_come(tmp_path: Path) -> None:
    """A stop beats a respawn, also while it waits for its time."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": {"when": "always", "delay": 50}}])
    machine.program("web", runs=crash(after=1))
    machine.supervisor.start("web")
    machine.until(10)
    unit = machine.supervisor.units["web"]
    assert ({"web": "respawn/waiting"}, 51.0) == (machine.states(), unit.next_attempt)
    machine.supervisor.stop("web")
    machine.until(200)
    assert {"web": "stop/waiting"} == machine.states()
    assert 1 == len(machine.table.started)


@pytest.mark.parametrize("everything", [False, True])
def test_stop_at_the_moment_of_a_restart_wins(tmp_path: Path, everything: bool) -> None:
    """The wish and the time come in one turn, as after a wait that was long; the wish is first."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": {"when": "always", "delay": 50}}])
    machine.program("web", runs=crash(after=1))
    machine.supervisor.start("web")
    machine.until(10)
    machine.table.wait([], 51.0)
    if everything:
        machine.supervisor.shutdown()
    else:
        machine.supervisor.stop("web")
    assert everything == machine.supervisor.advance()
    assert {"web": "stop/waiting"} == machine.states()
    assert 1 == len(machine.table.started)


def test_start_during_a_shutdown_starts_nothing(tmp_path: Path) -> None:
    """It would outlive the supervisor, or keep it."""
    machine = Machine(tmp_path, [{"name": "web"}, {"name": "late"}])
    machine.supervisor.start("web")
    machine.settle()
    machine.supervisor.shutdown()
    machine.supervisor.start("late")
    run(machine.supervisor)
    assert {"web": "stop/waiting", "late": "stop/waiting"} == machine.states()
    assert ["/bin/web"] == [each.argv[0] for each in machine.table.started]


def test_start_skips_the_wait_for_a_restart(tmp_path: Path) -> None:
    """Somebody does not want to wait."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": {"when": "always", "delay": 50}}])
    machine.program("web", runs=crash(after=5))
    machine.supervisor.start("web")
    machine.until(10)
    machine.supervisor.start("web")
    machine.settle()
    assert {"web": "start/running"} == machine.states()
    machine.until(14)
    assert {"web": "start/running"} == machine.states()


def test_program_that_is_missing_is_tried_again(tmp_path: Path) -> None:
    """A start that fails is judged like an end: it may work later."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": ALWAYS}, {"name": "once"}])
    for name in ("web", "once"):
        machine.table.register(f"/bin/{name}", fails=2)
    machine.supervisor.start_all()
    machine.until(1)
    assert {"web": "respawn/waiting", "once": "stop/failed"} == machine.states()
    machine.program("web")
    machine.until(60)
    assert "start/running" == machine.states()["web"]


def test_stubborn_service_is_killed_by_its_schedule(tmp_path: Path) -> None:
    """And one that outlives even that is told, and kept in sight."""
    services = [{"name": "web", "stop_schedule": "TERM/30/KILL/5"}]
    machine = Machine(tmp_path, services)
    machine.table.register("/bin/web", reactions={signal.SIGTERM: ignores()})
    machine.supervisor.start("web")
    machine.settle()
    machine.supervisor.stop("web")
    machine.until(100)
    stopped_before_the_kill = (30, 19)
    expected = [(0, 15), stopped_before_the_kill, (30, 9)]
    assert expected == [each[::2] for each in machine.table.signals]
    assert {"web": "stop/waiting"} == machine.states()


def test_service_that_survives_its_stop_is_failed(tmp_path: Path) -> None:
    """A schedule without KILL may leave it; its process is still known."""
    machine = Machine(tmp_path, [{"name": "web", "stop_schedule": "TERM/5"}])
    machine.table.register("/bin/web", reactions={signal.SIGTERM: ignores()})
    machine.supervisor.start("web")
    machine.settle()
    machine.supervisor.stop("web")
    machine.until(10)
    assert {"web": "stop/failed"} == machine.states()
    assert machine.supervisor.units["web"].process == machine.table.started[0].identity
    machine.table.started[0].die(status=0)
    machine.settle()
    assert machine.supervisor.units["web"].process is None


def test_survivor_of_a_stop_is_stopped_again(tmp_path: Path) -> None:
    """Another stop takes its whole schedule; a start finds it there, and starts no second."""
    machine = Machine(tmp_path, [{"name": "web", "stop_schedule": "TERM/5"}])
    machine.table.register("/bin/web", reactions={signal.SIGTERM: ignores()})
    machine.supervisor.start("web")
    machine.settle()
    for time in (10, 20):
        machine.supervisor.stop("web")
        machine.until(time)
        assert {"web": "stop/failed"} == machine.states()
    machine.supervisor.start("web")
    machine.settle()
    assert ({"web": "start/running"}, 1) == (machine.states(), len(machine.table.started))
    machine.supervisor.stop("web")
    machine.until(30)
    machine.table.started[0].reactions.pop(signal.SIGTERM)
    machine.supervisor.shutdown()
    run(machine.supervisor)
    assert [0, 10, 20, 30] == [each.time for each in machine.table.signals]
    assert {"web": "stop/waiting"} == machine.states()


def test_shutdown_ends_run(tmp_path: Path) -> None:
    """``run`` returns once all have stopped; a service that is at rest needs nothing."""
    machine = Machine(tmp_path, [{"name": "web"}, {"name": "idle"}])
    machine.table.register("/bin/web", reactions={signal.SIGTERM: dies(after=3)})
    machine.supervisor.start("web")
    machine.settle()
    machine.supervisor.shutdown()
    run(machine.supervisor)
    assert 3.0 == machine.table.now()
    assert {"web": "stop/waiting", "idle": "stop/waiting"} == machine.states()


def test_start_all_leaves_manual_services(tmp_path: Path) -> None:
    """Upstart's ``manual``: only by name."""
    machine = Machine(tmp_path, [{"name": "web"}, {"name": "tool", "manual": True}])
    machine.supervisor.start_all()
    machine.settle()
    assert {"web": "start/running", "tool": "stop/waiting"} == machine.states()


def test_restart_makes_a_new_process(tmp_path: Path) -> None:
    """Of one that runs, and of one that is stopped; both count as asked for."""
    machine = Machine(tmp_path, [{"name": "web", "before_stop": "true"}])
    machine.table.register("/bin/sh", runs=crash(after=0, status=0))
    machine.supervisor.restart("web")
    machine.settle()
    machine.supervisor.restart("web")
    machine.settle()
    web = [each for each in machine.table.started if each.argv == ["/bin/web"]]
    assert (2, True) == (len(web), web[0].ended)
    assert ({"web": "start/running"}, 0) == (
        machine.states(),
        machine.supervisor.units["web"].restarts,
    )


def test_signals_and_reloads_reach_the_main_process(tmp_path: Path) -> None:
    """And nothing is signalled that does not run."""
    machine = Machine(tmp_path, [{"name": "web", "reload_signal": "HUP"}, {"name": "old"}])
    machine.table.register("/bin/web", reactions={1: ignores(), 10: ignores()})
    machine.supervisor.start_all()
    machine.settle()
    machine.supervisor.reload("web")
    machine.supervisor.signal("web", signal.SIGUSR1)
    assert [1, 10] == [each.signum for each in machine.table.signals]
    with pytest.raises(ValueError, match="old can only be restarted"):
        machine.supervisor.reload("old")
    machine.supervisor.stop("old")
    machine.settle()
    with pytest.raises(ProcessLookupError):
        machine.supervisor.signal("old", signal.SIGUSR1)


def test_unknown_names_are_errors(tmp_path: Path) -> None:
    """With the nearest name that there is."""
    machine = Machine(tmp_path, [{"name": "web"}])
    for wish in (machine.supervisor.start, machine.supervisor.stop, machine.supervisor.restart):
        with pytest.raises(UnknownService, match="did you mean web"):
            wish("wed")


def test_service_that_runs_already_is_adopted(tmp_path: Path) -> None:
    """Whoever has started it: no second process. Its exit status is not ours to know."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": ALWAYS}])
    running = machine.table.add("web")
    (tmp_path / "web.pid").write_text(f"{running.pid}\n")
    machine.supervisor.start("web")
    machine.settle()
    assert [] == machine.table.started
    assert machine.supervisor.units["web"].process == running.identity
    running.die(status=0)
    machine.settle()
    exits = [each for each in machine.events if isinstance(each, events.Exited)]
    assert [None] == [each.status for each in exits]
    assert {"web": "start/running"} == machine.states()


def test_events_are_kept_once_somebody_takes_them(tmp_path: Path) -> None:
    """``take`` empties; without it nothing grows."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.start("web")
    machine.settle()
    assert [] == machine.supervisor.take()
    machine.supervisor.stop("web")
    machine.settle()
    assert ["Stopping", "Exited", "Stopped"] == [
        type(each).__name__ for each in machine.supervisor.take()
    ]
    assert [] == machine.supervisor.take()


def test_until_is_the_next_time_of_its_own(tmp_path: Path) -> None:
    """None while all run quietly: an idle supervisor does not wake up."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": {"when": "always", "delay": 7}}])
    machine.program("web", runs=crash(after=1))
    machine.supervisor.start("web")
    assert 0.0 == machine.supervisor.until
    machine.settle()
    assert None is machine.supervisor.until
    machine.until(1)
    assert 8.0 == machine.supervisor.until


def test_tasks_complete(tmp_path: Path) -> None:
    """A task's end with status 0 is its work done, for which others wait."""
    machine = Machine(
        tmp_path, [{"name": "setup", "task": True}, {"name": "web", "after": ["setup"]}]
    )
    machine.program("setup", runs=crash(after=5, status=0))
    machine.supervisor.start_all()
    machine.until(6)
    assert {"setup": "stop/waiting", "web": "start/running"} == machine.states()
    assert machine.supervisor.units["setup"].completed


def test_supervisor_of_nothing_is_over_at_once() -> None:
    """An empty directory is no error."""
    supervisor = Supervisor()
    assert not supervisor.advance()
    supervisor.shutdown()
    assert supervisor.advance()
    supervisor.close()


def kill_main(machine: Machine, name: str) -> FakeProcess:
    """Return the main process of a service after killing it."""
    process = machine.supervisor.units[name].process
    assert process is not None
    killed = machine.table[process.pid]
    killed.die(status=-9)
    return killed


def test_restart_count_is_of_restarts_only(tmp_path: Path) -> None:
    """Kills count, starts by hand do not."""
    machine = Machine(tmp_path, [{"name": "web", "respawn": ALWAYS}])
    machine.supervisor.start("web")
    for second in (1, 2, 3):
        machine.until(second)
        kill_main(machine, "web")
    machine.until(4)
    assert 3 == machine.supervisor.units["web"].restarts


def test_declared_service_is_a_value(tmp_path: Path) -> None:
    """The supervisor keeps the declaration that it was given."""
    service = Service(name="web", executable="/bin/web", pidfile=str(tmp_path / "p"))
    supervisor = Supervisor([service])
    assert supervisor.units["web"].service is service
    assert "<Unit web stop/waiting>" == repr(supervisor.units["web"])
    supervisor.close()


def test_follow_yields_events_until_all_has_stopped(tmp_path: Path) -> None:
    """A program iterates over what happens, and may wish in between."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.program("web", runs=crash(after=3600, status=0))
    machine.supervisor.start("web")
    seen = []
    for event in follow(machine.supervisor):
        seen.append((event.time, event.kind))
        if event.kind == "exited":
            machine.supervisor.shutdown()
    kinds = ["starting", "started", "ready", "exited", "stopped"]
    assert list(zip([0, 0, 0, 3600, 3600], kinds, strict=True)) == seen
