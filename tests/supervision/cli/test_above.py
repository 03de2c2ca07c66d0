"""What a supervisor tells the one that runs it (sd_notify(3))."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.service import Service
from ssd.supervision import Failed, Ready, Restarting, Started, Stopping, Supervisor
from ssd.supervision.cli.above import Above, take_variables


class Manager:
    """A socket that a supervisor reports to."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)

    def told(self) -> list[str]:
        """Return what has come since the last call."""
        found = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    """Return a socket that a supervisor reports to."""
    made = Manager(tmp_path / "notify")
    yield made
    made.socket.close()


@pytest.fixture
def above(manager: Manager, supervisor: Supervisor) -> Iterator[Above]:
    """Return what tells the manager about the supervisor."""
    made = Above(manager.path, supervisor)
    for unit in supervisor.units.values():
        unit.goal = "stop" if unit.service.manual else "start"
    made.begin()
    yield made
    made.close()


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """Return one that starts nothing: app requires base; by hand starts with nobody."""
    nap = {"executable": "/bin/sleep"}
    made = Supervisor([
        Service(name="base", **nap), Service(name="app", requires=["base"], **nap),
        Service(name="hand", manual=True, **nap),
    ])  # fmt: skip
    yield made
    made.close()


def test_ready_comes_once_when_all_starts_are_over(manager, supervisor, above) -> None:
    """A service that is started by hand is not waited for; the numbers follow."""
    above.flush()
    assert ["STATUS=0 of 3 services are up"] == manager.told()
    supervisor.say(Ready(0.0, "base"))
    supervisor.say(Ready(0.0, "app"))
    above.flush()
    above.flush()
    assert ["READY=1\nSTATUS=2 of 3 services are up"] == manager.told()
    supervisor.say(Stopping(0.0, "app"))
    above.flush()
    assert ["STATUS=1 of 3 services are up"] == manager.told()
    supervisor.say(Started(0.0, "app", 7))
    above.flush()
    assert [] == manager.told()


def test_service_that_is_given_up_is_waited_for_no_more(manager, supervisor, above) -> None:
    """It is named."""
    for name in ("base", "app"):
        supervisor.say(Failed(0.0, name, "it broke", 1))
    above.flush()
    assert ["READY=1\nSTATUS=0 of 3 services are up; given up: app, base"] == manager.told()


def test_service_that_comes_back_later_holds_nobody_up(manager, supervisor, above) -> None:
    """Nor do those that wait for it."""
    supervisor.say(Restarting(0.0, "base", 1.0, 1))
    above.flush()
    assert ["READY=1\nSTATUS=0 of 3 services are up"] == manager.told()


def test_reload_and_stop_are_told(manager, above) -> None:
    """After STOPPING=1 nothing is."""
    above.reloading()
    above.ready()
    above.stopping()
    above.flush()
    first, second, third = manager.told()
    assert first.startswith("RELOADING=1\nMONOTONIC_USEC=") and "READY=1" == second
    assert third.startswith("STOPPING=1\n")


def test_watchdog_is_fed_by_a_timer(manager, supervisor, above) -> None:
    """Twice in its time; without one there is no timer."""
    assert supervisor.until is None
    above.keep_watchdog(2_000_000)
    assert ["WATCHDOG=1"] == manager.told()
    assert supervisor.until is not None
    assert 0 < supervisor.until - supervisor.table.now() <= 1.0


def test_manager_that_does_not_read_holds_nobody_up(manager, above) -> None:
    """What does not fit is not told."""
    for _ in range(1000):
        above.ready()
    manager.socket.close()
    os.unlink(manager.path)
    above.ready()


def test_variables_are_taken_out_of_the_environment(monkeypatch) -> None:
    """A watchdog that is meant for another process is none."""
    for pid, wanted in (("", 5), (str(os.getpid()), 5), ("1", 0)):
        monkeypatch.setenv("NOTIFY_SOCKET", "@x")
        monkeypatch.setenv("WATCHDOG_USEC", "5")
        monkeypatch.setenv("WATCHDOG_PID", pid)
        monkeypatch.setenv("LISTEN_FDS", "1")
        assert ("@x", wanted) == take_variables()
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS"} & set(os.environ)
    assert ("", 0) == take_variables()


def test_services_that_were_taken_over_are_not_waited_for(manager, supervisor) -> None:
    """A supervisor that follows another one tells READY=1 though nothing is started."""
    for unit in supervisor.units.values():
        unit.state, unit.goal = ("waiting", "stop") if unit.name == "app" else ("running", "start")
    above = Above(manager.path, supervisor)
    above.begin()
    above.flush()
    assert ["READY=1\nSTATUS=2 of 3 services are up"] == manager.told()
    above.close()
