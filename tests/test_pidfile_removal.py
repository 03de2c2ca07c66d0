"""The pidfile after a stop: removed, or kept with a reason."""

import os
from pathlib import Path

import pytest
from kit.leaks import nothing_left
from kit.locks import holder, line, lock_file

from ssd import Match, Schedule
from ssd.pidfile_removal import IN_USE, clear
from ssd.stopping import Stop, run
from ssd.testing import FakeProcesses, ignores

TERM = 15


@pytest.fixture
def path(tmp_path: Path, fake_processes: FakeProcesses) -> Path:
    """Return the pidfile of a declared process that ends after TERM."""
    path = tmp_path / "d.pid"
    path.write_text(f"{fake_processes.add('d').pid}\n")
    return path


def stopped(path: Path, table: FakeProcesses) -> Stop:
    """Stop by a pidfile, with a single TERM."""
    work = Stop(Match(pidfile=path), Schedule.once(TERM), table=table)
    run(work)
    return work


def test_pidfile_of_a_stopped_process_is_removed(path: Path, fake_processes: FakeProcesses) -> None:
    """A pidfile that is already removed is not an error."""
    work = stopped(path, fake_processes)
    assert (None, False) == (clear(str(path), work), path.exists())
    assert clear(str(path), work) is None


def test_pidfile_of_a_survivor_is_removed(path: Path, fake_processes: FakeProcesses) -> None:
    """A single signal does not wait for the end: the process has taken the signal."""
    fake_processes[int(path.read_text())].reactions[TERM] = ignores()
    assert clear(str(path), stopped(path, fake_processes)) is None
    assert not path.exists()


def test_pidfile_of_another_living_process_is_kept(
    path: Path, fake_processes: FakeProcesses
) -> None:
    """A daemon that was started meanwhile still needs it."""
    work = stopped(path, fake_processes)
    other = fake_processes.add("d")
    path.write_text(f"{other.pid}\n")
    assert IN_USE.format(pid=other.pid) == clear(str(path), work)
    assert path.exists()


def test_special_file_is_kept(path: Path, fake_processes: FakeProcesses) -> None:
    """It is not a pidfile that a start has written."""
    work = stopped(path, fake_processes)
    path.unlink()
    os.mkfifo(path)
    assert clear(str(path), work)
    assert path.is_fifo()


def test_hanging_start_keeps_its_pidfile_from_a_stop(tmp_path: Path) -> None:
    """The start may be about to write it; the stop reports this and ends."""
    path = tmp_path / "x.pid"
    path.write_text("4000000\n")
    with holder(path) as process:
        assert b"held\n" == line(process)
        with nothing_left(), Stop(Match(pidfile=path), Schedule.once(TERM)) as work:
            run(work)
            kept = clear(str(path), work)
    assert f"another start has held {lock_file(path)} for 0.5 seconds" == kept
    assert path.exists()
