"""Declarations are read anew by another process, and taken all or not at all."""

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ssd.supervision import Update
from ssd.supervision.cli import declared
from ssd.supervision.control.rereading import Rereading
from supervision.machine import Machine


class Directory:
    """A directory of declarations, and a supervisor of what it declared at first."""

    def __init__(self, path: Path) -> None:
        self.path = path / "declared"
        self.path.mkdir()
        self.machine: Machine
        self.rereading: Rereading
        self.outcomes: list[Update | list[str]] = []

    def declare(self, name: str, text: str = "") -> None:
        """Write a declaration in TOML."""
        pidfile = f'pidfile = "{self.path}.{name}.pid"\n'
        (self.path / f"{name}.toml").write_text(f'executable = "/bin/{name}"\n{pidfile}{text}')

    def supervise(self, names: list[str] | None = None) -> None:
        """Supervise what is declared, and start it."""
        self.machine = Machine(self.path, [])
        services = declared.read(str(self.path), names)
        self.machine.supervisor.update(services)
        self.machine.settle()
        self.rereading = Rereading(self.machine.supervisor, str(self.path), names)

    def begin(self) -> None:
        """Begin to read anew."""
        self.rereading.begin(self.outcomes.append)

    def update(self) -> Any:
        """Read anew, wait for it, and return what came of it."""
        count = len(self.outcomes)
        self.begin()
        self.until(count + 1)
        return self.outcomes[-1]

    def until(self, count: int) -> None:
        """Drive the supervisor until so many readings have ended."""
        while len(self.outcomes) < count:
            select.select([self.rereading._pipe], [], [])
            self.machine.settle()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    """Return a directory with the services web and db."""
    made = Directory(tmp_path)
    made.declare("web")
    made.declare("db")
    yield made
    made.rereading.close()


def names(update: Update) -> tuple[list[str], ...]:
    """Return the names of an update."""
    return update.added, update.removed, update.changed, sorted(update.same)


def test_nothing_new_touches_nothing(directory: Directory) -> None:
    """The services stay the same objects, with the same processes."""
    directory.supervise()
    units = dict(directory.machine.supervisor.units)
    services = {name: unit.service for name, unit in units.items()}
    assert ([], [], [], ["db", "web"]) == names(directory.update())
    assert units == directory.machine.supervisor.units
    assert all(services[name] is unit.service for name, unit in units.items())
    assert 2 == len(directory.machine.table.started)


def test_new_and_gone_and_changed_are_taken(directory: Directory) -> None:
    """What is new starts, what is gone stops, what has changed is restarted."""
    directory.declare("old")
    directory.supervise()
    directory.declare("new")
    directory.declare("web", 'arguments = ["2"]\n')
    (directory.path / "old.toml").unlink()
    assert (["new"], ["old"], ["web"], ["db"]) == names(directory.update())
    directory.machine.until(5.0)
    assert dict.fromkeys(("db", "new", "web"), "start/running") == directory.machine.states()
    web = directory.machine.supervisor.units["web"].service
    assert (["2"], str(directory.path / "web.toml")) == (web.arguments, web.file)


def test_broken_file_changes_nothing(directory: Directory) -> None:
    """It is named, with every other one, however good the rest is."""
    directory.supervise()
    directory.declare("new")
    directory.declare("web", "arguments = 7\n")
    directory.declare("db", "nonsense = 1\n")
    first, second = directory.update()
    assert first.startswith(f"{directory.path}/db.toml:") and "nonsense" in first
    assert second.startswith(f"{directory.path}/web.toml:") and "arguments" in second
    assert {"db", "web"} == set(directory.machine.supervisor.units)
    assert 2 == len(directory.machine.table.started)


def test_circle_changes_nothing(directory: Directory) -> None:
    """It names the circle."""
    directory.supervise()
    directory.declare("web", 'requires = ["db"]\n')
    directory.declare("db", 'requires = ["web"]\n')
    (fault,) = directory.update()
    assert "db" in fault and "web" in fault and "->" in fault


def test_named_services_are_read_alone(directory: Directory) -> None:
    """Those that the supervisor was started for; one that is gone stops."""
    directory.declare("other", "nonsense = 1\n")
    directory.supervise(["web", "db"])
    (directory.path / "db.toml").unlink()
    assert ([], ["db"], [], ["web"]) == names(directory.update())


def test_link_to_a_template_starts_an_instance(directory: Directory) -> None:
    """And no link stops it; the other instances are not touched."""
    directory.declare("nap@", 'arguments = ["%i"]\n')
    text = (directory.path / "nap@.toml").read_text().replace("nap@.pid", "%n.pid")
    (directory.path / "nap@.toml").write_text(f'instances = ["1"]\n{text}')
    directory.supervise()
    (directory.path / "nap@2.toml").symlink_to("nap@.toml")
    assert (["nap@2"], [], [], ["db", "nap@1", "web"]) == names(directory.update())
    assert ["2"] == directory.machine.supervisor.units["nap@2"].service.arguments
    (directory.path / "nap@2.toml").unlink()
    assert ([], ["nap@2"], [], ["db", "nap@1", "web"]) == names(directory.update())
    (directory.path / "nap@.toml").write_text("instances = [true]\n")
    (fault,) = directory.update()
    assert fault.startswith(f"{directory.path}/nap@.toml:1: instances: must be usable")


def test_request_during_a_reading_reads_again(directory: Directory) -> None:
    """A file may have changed after the first one had read it."""
    directory.supervise()
    directory.begin()
    directory.declare("new")
    directory.begin()
    directory.begin()
    directory.until(3)
    assert [["new"], []] == [each.added for each in directory.outcomes[1:]] or [[], []] == [
        each.added for each in directory.outcomes[1:]
    ]
    assert "new" in directory.machine.supervisor.units


def test_supervisor_goes_on_while_a_shell_is_slow(directory: Directory, tmp_path: Path) -> None:
    """A declaration in shell may take its time."""
    directory.supervise()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    text = f"read word < {gate}\nDAEMON=/bin/$word\nPIDFILE={tmp_path}/slow.pid\n"
    (directory.path / "slow").write_text(text)
    directory.begin()
    directory.machine.supervisor.stop("web")
    directory.machine.settle()
    assert "stop/waiting" == directory.machine.states()["web"]
    assert [] == directory.outcomes
    gate.write_text("slow\n")
    directory.until(1)
    (update,) = directory.outcomes
    assert isinstance(update, Update), update
    assert ["slow"] == update.added
    (directory.path / "slow").unlink()


def let_go(gate: Path) -> None:
    """Let a shell that waits for a FIFO, or is about to, end."""
    fd = os.open(gate, os.O_RDWR)
    gate.unlink()
    os.close(fd)


def test_reader_that_is_killed_changes_nothing(directory: Directory, tmp_path: Path) -> None:
    """Nobody waits for ever."""
    directory.supervise()
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (directory.path / "slow").write_text(f"read word < {gate}\nDAEMON=/bin/$word\n")
    directory.begin()
    os.kill(directory.rereading._pid, signal.SIGKILL)
    directory.until(1)
    assert [["the process that read the declarations has ended early"]] == directory.outcomes
    let_go(gate)


def test_fork_that_fails_is_an_error(directory: Directory, monkeypatch) -> None:
    """The next one may work."""
    directory.supervise()

    def fail() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", fail)
    with pytest.raises(OSError):
        directory.begin()
    monkeypatch.undo()
    assert ["db", "web"] == sorted(directory.update().same)


def test_reading_holds_nothing_of_the_supervisor(directory: Directory, tmp_path: Path) -> None:
    """Its lock and sockets are free when it is killed, however long a shell takes."""
    directory.supervise()
    gate, told = tmp_path / "gate", tmp_path / "told"
    os.mkfifo(gate)
    os.mkfifo(told)
    (directory.path / "slow").write_text(f"echo > {told}\nread word < {gate}\nDAEMON=/bin/$word\n")
    reading, writing = os.pipe()
    directory.begin()
    told.read_text()
    os.close(writing)
    assert b"" == os.read(reading, 1)
    os.close(reading)
    directory.rereading.close()
    let_go(gate)
