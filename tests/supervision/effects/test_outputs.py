"""Output of services: into logs, files, or nowhere, with real children."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit import users

from ssd.service import Service
from ssd.supervision import Supervisor, events, run


class Here:
    """A supervisor's places in one directory of a test."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def fifo(self, name: str) -> str:
        """Return the path of a pipe."""
        return str(self.directory / f"{name}.fifo")

    def log(self, name: str) -> str:
        """Return the path of a log."""
        return str(self.directory / f"{name}.log")


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Any]:
    """Return a function that supervises shell scripts until they are stopped, and ends them."""
    made: list[Supervisor] = []

    def make(**scripts: Any) -> Supervisor:
        services = [
            Service(
                name=name, script=script, pidfile=str(tmp_path / f"{name}.pid"), **fields
            )
            for name, (script, fields) in scripts.items()
        ]  # fmt: skip
        made.append(Supervisor(services, places=Here(tmp_path)))
        return made[-1]

    yield make
    for each in made:
        each.shutdown()
        run(each)
        each.close()


def end(supervisor: Supervisor) -> list[events.Event]:
    """Drive a supervisor until its services have ended by themselves; return the events."""
    said: list[events.Event] = []
    supervisor.listeners.append(said.append)
    supervisor.start_all()
    supervisor.advance()
    while any(not unit.at_rest for unit in supervisor.units.values()):
        supervisor.table.wait(supervisor.handles, supervisor.until)
        supervisor.advance()
    return said


def test_both_streams_reach_the_log(supervise: Any, tmp_path: Path) -> None:
    """In their order, and with all that was written before the end."""
    end(supervise(web=("echo one; echo two >&2; echo three", {})))
    assert "one\ntwo\nthree\n" == (tmp_path / "web.log").read_text()


def test_failure_shows_the_last_lines(supervise: Any, tmp_path: Path) -> None:
    """Who reads that a service was given up sees why."""
    said = end(supervise(web=("for n in $(seq 20); do echo line $n; done; exit 3", {})))
    failed = said[-1]
    assert isinstance(failed, events.Failed)
    assert [f"line {number}" for number in range(11, 21)] == failed.lines


def test_declared_output_is_written_by_the_service(supervise: Any, tmp_path: Path) -> None:
    """``output`` is a file that the service has open itself: there is no log."""
    (tmp_path / "own").write_text("before\n")
    end(supervise(web=("echo after", {"output": str(tmp_path / "own")})))
    assert "before\nafter\n" == (tmp_path / "own").read_text()
    assert not (tmp_path / "web.log").exists()


def test_declared_streams_are_written_by_the_service(supervise: Any, tmp_path: Path) -> None:
    """One alone leaves the other to ``output`` or to the log; both leave no log."""
    own = {name: str(tmp_path / name) for name in ("stdout", "stderr", "output")}
    script = "echo one; echo two >&2"
    for number, fields in enumerate(({"stdout", "stderr"}, {"stdout", "output"}, {"stderr"})):
        end(supervise(**{f"web{number}": (script, {key: own[key] for key in fields})}))
    assert "one\n" * 2 == (tmp_path / "stdout").read_text()
    assert "two\n" * 2 == (tmp_path / "stderr").read_text()
    assert "two\n" == (tmp_path / "output").read_text()
    assert "one\n" == (tmp_path / "web2.log").read_text()
    assert ["web2.log"] == [log.name for log in tmp_path.glob("*.log")]


def test_log_that_is_a_file_of_the_service_fails_its_start(supervise: Any, tmp_path: Path) -> None:
    """Both would write over each other's lines; declared, or the default path."""
    own = str(tmp_path / "web.log")
    for fields in ({"stdout": own}, {"stderr": own, "log": {"path": own}}):
        failed = end(supervise(web=("echo lost", fields)))[-1]
        assert isinstance(failed, events.Failed)
        assert f"its log is {own}, as its stdout or stderr is" in str(failed)
    assert not (tmp_path / "web.log").exists()


@pytest.mark.parametrize("fields", [{"log": {"kind": "none"}}, {"console": "none"}])
def test_output_goes_nowhere_if_declared_so(
    fields: dict[str, Any], supervise: Any, tmp_path: Path
) -> None:
    """Neither a pipe nor a file is made."""
    end(supervise(web=("echo lost", fields)))
    assert [] == [*tmp_path.glob("*.fifo"), *tmp_path.glob("*.log")]


def test_hooks_write_to_the_log_of_their_service(supervise: Any, tmp_path: Path) -> None:
    """All stages in one file, as in Upstart."""
    end(supervise(web=("echo main", {"before_start": "echo before", "after_stop": "echo after"})))
    assert "before\nmain\nafter\n" == (tmp_path / "web.log").read_text()


def test_service_of_another_user_can_open_its_stdout(supervise: Any, tmp_path: Path) -> None:
    """Though a hook of root's was the first to write."""
    users.skip_without_nobody()
    fields = {"user": str(users.NOBODY), "before_start": "echo root"}
    end(supervise(web=("echo nobody > /dev/stdout", fields)))
    assert "root\nnobody\n" == (tmp_path / "web.log").read_text()


def test_endless_output_keeps_no_other_service_waiting(supervise: Any, tmp_path: Path) -> None:
    """Each has its turn, and wishes are heard."""
    small = {"log": {"max_size": 1_000_000, "keep": 1}}
    supervisor = supervise(loud=("exec yes", small), quiet=("echo here", {}))
    said: list[events.Event] = []
    supervisor.listeners.append(said.append)
    supervisor.start_all()
    supervisor.advance()
    while not any(event.name == "quiet" and event.kind == "exited" for event in said):
        supervisor.table.wait(supervisor.handles, supervisor.until)
        supervisor.advance()
    assert "here\n" == (tmp_path / "quiet.log").read_text()
    assert "running" == supervisor.units["loud"].state
    supervisor.stop("loud")
    while not supervisor.units["loud"].at_rest:
        supervisor.table.wait(supervisor.handles, supervisor.until)
        supervisor.advance()
    assert (tmp_path / "loud.log").stat().st_size <= 1_000_000


def test_removed_service_leaves_no_pipe(supervise: Any, tmp_path: Path) -> None:
    """Its log stays."""
    supervisor = supervise(web=("echo here", {}))
    end(supervisor)
    assert (tmp_path / "web.fifo").exists()
    supervisor.update([])
    supervisor.advance()
    assert not (tmp_path / "web.fifo").exists()
    assert (tmp_path / "web.log").exists()


def test_descriptors_do_not_grow_with_restarts(supervise: Any) -> None:
    """Each start gives back what it has opened."""
    supervisor = supervise(web=("exit 1", {"respawn": {"when": "always", "backoff": 0}}))
    before = len(os.listdir("/proc/self/fd"))
    end(supervisor)
    after = len(os.listdir("/proc/self/fd"))
    assert 10 == supervisor.units["web"].restarts
    assert after - before <= 4  # /dev/null, the pipe, the log and its directory


def test_output_that_something_else_keeps_is_found_there(tmp_path: Path) -> None:
    """Before what a declaration says of it."""
    service = Service(name="web", executable="/bin/true", output="/var/log/web")
    supervisor = Supervisor([service], places=Here(tmp_path))
    unit, outputs = supervisor.units["web"], supervisor.outputs
    assert "/var/log/web" == outputs.path_of(unit)
    outputs.located = lambda unit: f"/elsewhere/{unit.name}"
    assert "/elsewhere/web" == outputs.path_of(unit)
    supervisor.close()
