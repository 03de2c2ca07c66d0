"""Health checks of real programs: commands, a port, and a supervisor that is killed meanwhile."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervision.family import Family, speaker

SLEEP = {"executable": "/bin/sleep", "arguments": ["1000"], "stop_schedule": "KILL/60"}
OFTEN = {"interval": 0.05, "timeout": 0.2, "retries": 2, "action": "mark"}


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """Return a supervisor of real processes."""
    made = Family(tmp_path)
    yield made
    made.close()


def unhealthy(family: Family) -> list[str]:
    """Return what was said about illness."""
    return [each for each in family.said if "unhealthy" in each]


def test_check_that_hangs_leaves_nothing(family: Family, tmp_path: Path) -> None:
    """It is killed with its children, also with one in a session of its own."""
    pids = tmp_path / "pids"
    script = f"echo $$ >> {pids}; setsid sleep 1000 & echo $! >> {pids}; wait"
    limits = {**OFTEN, "timeout": 1, "retries": 1}
    health = {"kind": "command", "command": ["/bin/sh", "-c", script], **limits}
    family.start("web", **SLEEP, health=health)
    family.until(lambda: unhealthy(family))
    family.supervisor.stop("web")
    family.until_said("web has stopped")
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) >= 2
    family.until(lambda: not any(map(_lives, started)))


def _lives(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(") ")[2][0] not in "ZX"


def test_command_tells_the_health(family: Family, tmp_path: Path) -> None:
    """It has the service's environment, and its exit status counts."""
    mark = tmp_path / "mark"
    mark.touch()
    health = {"kind": "command", "command": ["/bin/sh", "-c", 'test -e "$MARK"'], **OFTEN}
    health["timeout"] = 60
    family.start("web", **SLEEP, environment={"MARK": str(mark)}, health=health)
    family.until_said("web is ready")
    mark.unlink()
    family.until(lambda: unhealthy(family))
    assert ["web is unhealthy: the command /bin/sh exited with status 1, 2 times"] == (
        unhealthy(family)
    )
    mark.touch()
    family.until_said("web is healthy again")


@pytest.mark.parametrize("kind", ["port", "socket"])
def test_address_tells_the_health(family: Family, tmp_path: Path, kind: str) -> None:
    """It is ready once something answers, and unhealthy when nothing does any more."""
    path = str(tmp_path / "socket")
    listener = socket.create_server(("127.0.0.1", 0))
    if kind == "socket":
        listener.close()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
    listener.listen()
    address = path if kind == "socket" else str(listener.getsockname()[1])
    checks = {"kind": kind, "address": address}
    family.start("web", **SLEEP, readiness={**checks, "timeout": 60}, health={**checks, **OFTEN})
    family.until_said("web is ready")
    assert [] == unhealthy(family)
    listener.close()
    family.until(lambda: unhealthy(family))
    assert f"web is unhealthy: nothing listens at {address}, 2 times" in family.said


def test_port_that_does_not_answer_is_given_up_in_time(family: Family) -> None:
    """A queue that is full, or a host that drops packets."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        health = {"kind": "port", "address": str(address[1]), **OFTEN}
        family.start("web", **SLEEP, health=health)
        family.until(lambda: unhealthy(family))
        told = (
            f"web is unhealthy: a connection to {address[1]} took longer than 0.2 seconds, 2 times"
        )
        assert told in family.said
        for each in waiting:
            each.close()


def test_watchdog_ends_a_silent_process(family: Family) -> None:
    """It is stopped and started again; one that reports lives on."""
    body = 'say("WATCHDOG=1"); stay()'
    fields = {"watchdog": 0.3, "stop_schedule": "KILL/60", **speaker(body)}
    family.start("web", **fields)
    family.until_said("web is unhealthy: it has not reported WATCHDOG=1 for 0.3 seconds")
    first = family.said[1]
    family.until(lambda: family.said.count("web is ready") == 2)
    assert first.startswith("web runs as process") and f"{family.pid('web')}" not in first
    os.kill(family.pid("web"), signal.SIGKILL)
