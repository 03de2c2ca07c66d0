"""Health checks and the watchdog of running services: counting by values, the rest on fakes."""

import errno
from pathlib import Path
from typing import Any

import pytest

from ssd.supervision import Supervisor
from ssd.supervision.readiness.health import Tally
from ssd.testing import FakeProcess, exits, forks, in_turn, notifies, together
from supervision.machine import Machine

HEALTH = {
    "kind": "command", "command": ["/bin/check"], "interval": 10, "timeout": 5, "retries": 3,
}  # fmt: skip


def checked(tmp_path: Path, check: Any = None, **fields: Any) -> Machine:
    """Return a machine with one service, which is started and whose check does this."""
    fields = {"health": HEALTH, **fields}
    machine = Machine(tmp_path, [{"name": "web", **fields}])
    machine.table.register("/bin/check", runs=check)
    machine.supervisor.start("web")
    return machine


@pytest.mark.parametrize(
    ("retries", "results", "changes"),
    [
        (1, "x", [False]),
        (3, "xx.xx.", []),
        (3, "xxx", [False]),
        (3, "xxxxx.", [False, True]),
        (2, "xx.xx.x", [False, True, False, True]),
        (1, "...", []),
    ],
)
def test_tally_counts_failures_in_a_row(retries: int, results: str, changes: list[bool]) -> None:
    """So many make it unhealthy; one success makes it healthy again."""
    tally = Tally(retries)
    seen = [tally.healthy for result in results if tally.take(result == ".")]
    assert changes == seen


def test_healthy_service_is_left_alone(tmp_path: Path) -> None:
    """A check every interval after the end of the last one; no event, no restart."""
    machine = checked(tmp_path, exits(0, after=1))
    machine.until(34)
    times = [each.time for each in machine.table.events if "appears" in str(each.what)]
    assert [0.0, 10.0, 21.0, 32.0] == times
    assert "web is ready" == machine.said[-1]


def test_first_checks_are_spread(tmp_path: Path) -> None:
    """By chance, over half an interval."""
    services = [{"name": f"s{number}", "health": HEALTH} for number in range(4)]
    chances = iter([0.0, 0.25, 0.5, 0.99])
    machine = Machine(tmp_path, services, random=lambda: next(chances))
    machine.table.register("/bin/check", runs=exits(0))
    machine.supervisor.start_all()
    machine.until(10)
    times = [each.time for each in machine.table.events if "/bin/check" in str(each.what)]
    assert pytest.approx([5.05, 7.5, 8.75, 10.0]) == times


def test_failed_checks_restart_the_service(tmp_path: Path) -> None:
    """It is told, and the program is stopped as always, whatever ``respawn`` says."""
    machine = checked(tmp_path, exits(1))
    machine.until(31)
    first, *_ = machine.table.programs.find("/bin/web").processes
    assert [(30.0, 15)] == first.signals
    assert "web is unhealthy: the command /bin/check exited with status 1, 3 times" in machine.said
    assert {"web": "start/running"} == machine.states()
    unit = machine.supervisor.units["web"]
    assert (1, True) == (unit.restarts, unit.healthy)


def test_flapping_check_restarts_nothing(tmp_path: Path) -> None:
    """Fewer failures in a row than ``retries`` are forgotten."""
    flaps = in_turn(*[exits(1), exits(1), exits(0)] * 20)
    machine = checked(tmp_path, flaps)
    machine.until(500)
    assert 0 == machine.supervisor.units["web"].restarts
    assert [] == [each for each in machine.said if "healthy" in each]


def test_marked_service_runs_on(tmp_path: Path) -> None:
    """With ``action`` mark it is only shown, and becomes healthy again."""
    check = in_turn(exits(1), exits(1), exits(1), exits(0))
    machine = checked(tmp_path, check, health={**HEALTH, "action": "mark"})
    machine.until(31)
    assert not machine.supervisor.units["web"].healthy
    machine.until(41)
    assert machine.supervisor.units["web"].healthy
    assert "web is healthy again" == machine.said[-1]
    assert 0 == machine.supervisor.units["web"].restarts


def test_check_that_hangs_is_killed_and_has_failed(tmp_path: Path) -> None:
    """With its children, after its timeout; the next one begins an interval later."""
    machine = checked(tmp_path, forks(), health={**HEALTH, "retries": 2})
    machine.until(31)
    killed = {(each.time, each.pid) for each in machine.table.signals if each.signum == 9}
    first, second = machine.table.programs.find("/bin/check").processes
    assert {(15, first.pid), (15, first.pid + 1), (30, second.pid), (30, second.pid + 1)} == killed
    told = "web is unhealthy: the command /bin/check took longer than 5 seconds, 2 times"
    assert told in machine.said


def test_check_that_cannot_be_started_has_failed(tmp_path: Path) -> None:
    """Its reason is told."""
    machine = checked(tmp_path, health={**HEALTH, "retries": 1})
    machine.table.register("/bin/check", fails=errno.ENOENT)
    machine.until(11)
    told = [each for each in machine.said if "unhealthy" in each]
    assert ["/bin/check" in each for each in told] == [True]


def test_restarts_for_health_are_limited(tmp_path: Path) -> None:
    """A service that is never healthy is given up as one that crashes."""
    policy = {"when": "never", "limit": 2, "interval": 100}
    machine = checked(tmp_path, exits(1), health={**HEALTH, "retries": 1}, respawn=policy)
    machine.until(1000)
    assert {"web": "stop/failed"} == machine.states()
    assert "more than 2 restarts in 100 seconds" in str(machine.supervisor.units["web"].failure)


def test_checks_end_with_the_stop(tmp_path: Path) -> None:
    """And the one that runs is killed."""
    machine = checked(tmp_path)
    machine.until(12)
    machine.supervisor.stop("web")
    machine.until(100)
    checks = machine.table.programs.find("/bin/check").processes
    assert [(12.0, 9)] == [each.signals[-1] for each in checks]
    assert {"web": "stop/waiting"} == machine.states()


def test_silent_service_is_restarted_by_its_watchdog(tmp_path: Path) -> None:
    """No WATCHDOG=1 in the declared time, counted from the last one."""
    machine = Machine(tmp_path, [{"name": "web", "watchdog": 10}])

    def pings(process: FakeProcess) -> None:
        for second in range(2, 50, 2):
            process.after(second, notifies("WATCHDOG=1"))

    machine.program("web", runs=in_turn(pings, notifies("WATCHDOG=1", every=5)))
    machine.supervisor.start("web")
    machine.until(500)
    first, second = machine.table.started
    assert [(58.0, 15)] == first.signals
    assert not second.ended
    assert "web is unhealthy: it has not reported WATCHDOG=1 for 10 seconds" in machine.said


def test_watchdog_counts_from_readiness(tmp_path: Path) -> None:
    """A slow start is no silence."""
    readiness = {"kind": "notify", "timeout": 100}
    machine = Machine(tmp_path, [{"name": "web", "watchdog": 10, "readiness": readiness}])
    machine.program("web", runs=lambda process: process.after(50, notifies("READY=1")))
    machine.supervisor.start("web")
    machine.until(59)
    assert {"web": "start/running"} == machine.states()
    machine.until(61)
    assert 1 == machine.supervisor.units["web"].restarts


@pytest.mark.parametrize(
    ("message", "time"), [("WATCHDOG=trigger", 3.0), ("WATCHDOG_USEC=4000000", 7.0)]
)
def test_service_commands_its_watchdog(tmp_path: Path, message: str, time: float) -> None:
    """It may call it, and change its time."""
    machine = Machine(tmp_path, [{"name": "web", "watchdog": 10}])
    machine.program("web", runs=lambda process: process.after(3, notifies(message)))
    machine.supervisor.start("web")
    machine.until(time + 0.5)
    assert [(time, 15)] == machine.table.started[0].signals


def test_service_that_stops_by_itself_is_not_checked(tmp_path: Path) -> None:
    """After STOPPING=1 it need not answer."""
    says = notifies("STOPPING=1")
    machine = checked(tmp_path, exits(1), watchdog=1000)
    machine.program("web", runs=together(lambda process: process.after(5, says)))
    machine.until(100)
    assert 0 == len(machine.table.programs.find("/bin/check").processes)
    assert "web reports: stops by itself" == machine.said[-1]


@pytest.mark.parametrize(("reports", "restarts"), [(0, 0), (1, 1)])
def test_watchdog_of_a_service_taken_over_waits_for_a_report(
    tmp_path: Path, reports: int, restarts: int
) -> None:
    """Its messages may go to the socket of its former supervisor, as if it were silent."""
    machine = Machine(tmp_path, [{"name": "web", "watchdog": 10}])
    service = machine.supervisor.units["web"].service
    machine.supervisor.start("web")
    machine.settle()
    machine.supervisor.close()
    machine.supervisor = Supervisor([service], table=machine.table, random=lambda: 0.0)
    machine.supervisor.start("web")
    machine.until(100)
    for _ in range(reports):
        machine.table.started[0].notify("WATCHDOG=1")
    machine.until(115)
    assert restarts == machine.supervisor.units["web"].restarts
