"""Looks at files, where the kernel gives no notices: by a clock that jumps."""

from pathlib import Path

from ssd.supervision.supervisor import Supervisor
from ssd.testing import FakeProcesses
from ssd.upstart.files.polling import INTERVAL, Polling
from upstart.files.defined import write


def test_change_counts_when_it_has_rested(tmp_path: Path, fake_processes: FakeProcesses) -> None:
    """A file that is still written changes from look to look."""
    supervisor, found = Supervisor(table=fake_processes), []
    polling = Polling([str(tmp_path)], supervisor, lambda: found.append(supervisor.table.now()))
    begun = supervisor.table.now()
    for text in ("a", "ab"):
        write(tmp_path / "a.conf", text)
        fake_processes.clock.advance(INTERVAL)
        supervisor.advance()
    assert [] == found
    fake_processes.clock.advance(INTERVAL)
    supervisor.advance()
    assert [begun + 3 * INTERVAL] == found
    fake_processes.clock.advance(INTERVAL)
    supervisor.advance()
    assert 1 == len(found)
    polling.close()
    assert supervisor.until is None


def test_other_files_are_no_change(tmp_path: Path, fake_processes: FakeProcesses) -> None:
    """Only those of jobs count."""
    supervisor, found = Supervisor(table=fake_processes), []
    Polling([str(tmp_path), f"{tmp_path}/no"], supervisor, lambda: found.append(1))
    write(tmp_path / "a.txt")
    for _ in range(3):
        fake_processes.clock.advance(INTERVAL)
        supervisor.advance()
    assert [] == found
