"""What a supervisor prints: a line for each event, without waiting for its reader."""

import os
import pty
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.service import Service
from ssd.supervision import Failed, Ready, Started, Starting, Supervisor
from ssd.supervision.cli.lines import LIMIT, Lines, Outlet

NAP = {"executable": "/bin/sleep"}


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    """Return one that starts nothing: a service that reports when it is ready, and another."""
    notifier = Service(name="slow", readiness={"kind": "notify"}, **NAP)
    made = Supervisor([Service(name="nap", **NAP), notifier])
    yield made
    made.close()


def test_events_are_lines_with_a_time(supervisor: Supervisor, capfd) -> None:
    """What goes wrong is on standard error; what says nothing new is left out."""
    lines = Lines(supervisor, quiet=False)
    for event in (
        Starting(0.0, "nap"), Started(0.0, "nap", 7), Ready(0.0, "nap"), Ready(0.0, "slow"),
        Failed(0.0, "nap", "it is tired", 1, ["zzz"]),
    ):  # fmt: skip
        supervisor.say(event)
    lines.flush()
    said = capfd.readouterr()
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert re.fullmatch(f"{when} nap runs as process 7\n{when} slow is ready\n", said.out)
    assert re.fullmatch(
        f"{when} nap is given up: it is tired\nits last lines:\n    zzz\n", said.err
    )


def test_quiet_prints_only_what_goes_wrong(supervisor: Supervisor, capfd) -> None:
    """Of services and of the supervisor itself."""
    lines = Lines(supervisor, quiet=True)
    supervisor.say(Started(0.0, "nap", 7))
    lines.say("all is well")
    lines.say("nothing is", wrong=True)
    lines.flush()
    said = capfd.readouterr()
    assert "" == said.out and said.err.endswith(" nothing is\n")


def test_pipe_that_nobody_reads_blocks_nothing(supervisor: Supervisor) -> None:
    """What is too much is counted; the pipe's other users see no flag of ours."""
    reading, writing = os.pipe()
    outlet = Outlet(writing, supervisor)
    line = "x" * 999 + "\n"
    for _ in range(600):
        outlet.put(line)
    assert os.get_blocking(writing)
    read = b""
    while b"missing" not in read:
        read += os.read(reading, 1 << 16)
        supervisor.watch.poll()
    kept, lost = divmod(len(read), 1000)[0], int(re.findall(rb"\((\d+) lines", read)[0])
    assert 600 == kept + lost and kept >= LIMIT // 1000
    os.close(reading)
    outlet.put(line)  # nobody is there any more
    os.close(writing)


def test_terminal_gets_colours_unless_they_are_off(supervisor: Supervisor, monkeypatch) -> None:
    """NO_COLOR turns them off; a file and a pipe have none."""
    master, slave = pty.openpty()
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert Outlet(slave, supervisor).coloured
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Outlet(slave, supervisor).coloured
    for fd in (master, slave):
        os.close(fd)


def test_file_is_written(supervisor: Supervisor, tmp_path: Path) -> None:
    """At once, and appended where it was opened so."""
    path = tmp_path / "said"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    outlet = Outlet(fd, supervisor)
    outlet.put("one\n")
    os.close(fd)
    assert "one\n" == path.read_text()
