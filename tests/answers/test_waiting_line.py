"""The line that says what a stop waits for: its text, its times, and a real terminal."""

import errno
import os
import pty
import re
import signal
import termios
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from kit.children import stubborn
from kit.terminals import on_terminal

from ssd.answers.waiting_line import (
    BEGIN,
    END,
    ERASE,
    WaitingLine,
    around,
    fitted,
    is_watched,
    line,
)
from ssd.cli import run
from ssd.matching import Match
from ssd.schedule import Schedule
from ssd.stopping import Stop
from ssd.testing import FakeProcesses, dies, ignores
from ssd.testing.command import Heard

TERM = signal.SIGTERM

# schedule, number of the wait -> the signals before and after it, the seconds of more waits
AROUND = {
    ("TERM/30/KILL/5", 1): (15, 9, 0),
    ("TERM/30/KILL/5", 2): (9, None, 0),
    ("TERM/0/KILL/5", 1): (9, None, 0),
    ("TERM/5/10/KILL", 1): (15, 9, 10),
    ("TERM/5/10/KILL", 2): (15, 9, 0),
    ("30/KILL/5", 1): (None, 9, 0),
    ("TERM/forever/5/HUP/6", 2): (1, 1, 5),
    ("TERM/forever/5", 1): (15, None, None),
    ("TERM/forever/5", 9): (15, None, None),
}


@pytest.mark.parametrize("case", AROUND, ids=str)
def test_wait_is_between_two_signals(case: tuple[str, int]) -> None:
    """A wait of 0 seconds is none; a wait that follows another belongs to it."""
    text, number = case
    assert AROUND[case] == around(Schedule.parse(text), number)


# arguments -> text
LINES = {
    ("nginx", (123,), 15, 9, 17.2): "waiting for nginx, pid 123: TERM sent, KILL in 18 s",
    ("nginx", (1, 2), 9, None, 5.0): "waiting for nginx, pids 1, 2: KILL sent, giving up in 5 s",
    ("", (1, 2, 3, 4, 5), 34, 1, 0.1): "waiting for pids 1, 2, 3 and 2 more: 34 sent, HUP in 1 s",
    ("x", (1,), None, 15, 0.0): "waiting for x, pid 1: TERM in 0 s",
    ("x", (1,), 15, None, None): "waiting for x, pid 1: TERM sent",
    ("x", (1,), None, None, None): "waiting for x, pid 1",
}


@pytest.mark.parametrize("case", LINES, ids=str)
def test_line_says_for_whom_and_how_long(
    case: tuple[str, tuple[int, ...], int, int, float],
) -> None:
    """Seconds are rounded up."""
    assert LINES[case] == line(*case)


def test_line_fits_on_the_terminal() -> None:
    """A name may have wide characters, and escape sequences."""
    assert ("abc", "ä?[", "") == (fitted("abcd", 3), fitted("ä\x1b[2J", 4), fitted("a", 0))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Return a terminal that is nobody's controlling one."""
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    yield theirs
    os.close(ours)
    os.close(theirs)


def texts(written: list[str]) -> list[str]:
    """Return what was to be seen, without the sequences."""
    return [re.sub(r"\x1b(\[\?7[hl]|[78]|\[K)", "", each) for each in written]


def test_line_is_renewed_each_second_and_erased(
    terminal: int, fake_processes: FakeProcesses
) -> None:
    """It begins after a quarter of a second, ends with a process, and is cut to the width."""
    fake_processes.add("a", reactions={TERM: dies(after=0.2)})
    fake_processes.add("b", reactions={TERM: dies(after=2.5)})
    fake_processes.add("c", reactions={TERM: ignores()})
    written: list[str] = []
    times: list[float] = []

    def write(text: str) -> None:
        written.append(text)
        times.append(fake_processes.now())

    stops = [
        Stop(Match(user=0, name=name), "TERM/4/KILL/1", table=fake_processes) for name in "abc"
    ]
    WaitingLine(stops, write, terminal, ["web", "database", "mail"]).run()
    for each in stops:
        each.close()
    assert [
        (0.45, " waiting for database, pid 102: TERM sent, KILL in 4 s (and "),
        (1.2, " waiting for database, pid 102: TERM sent, KILL in 3 s (and "),
        (2.2, " waiting for database, pid 102: TERM sent, KILL in 2 s (and "),
        (2.5, ""),
        (2.75, " waiting for mail, pid 103: TERM sent, KILL in 2 s"),
        (3.5, " waiting for mail, pid 103: TERM sent, KILL in 1 s"),
        (4.0, ""),
    ] == [(round(at, 2), text) for at, text in zip(times, texts(written), strict=True)]
    assert {(BEGIN, END)} == {(each[: len(BEGIN)], each[-len(END) :]) for each in written[:3]}
    assert [9] == [sent.signum for sent in fake_processes.signals[3:]]


def test_terminal_that_was_stopped_delays_no_signal(
    terminal: int, fake_processes: FakeProcesses
) -> None:
    """Ctrl-S, for example: nothing is written. Nor is there where TERM is dumb, or to a pipe."""
    termios.tcflow(terminal, termios.TCOOFF)
    fake_processes.add("d", reactions={TERM: ignores()})
    written: list[str] = []
    with Stop(Match(name="d"), "TERM/2/KILL/1", table=fake_processes) as work:
        WaitingLine([work], written.append, terminal).run()
    assert ([], "stopped", 2.0) == (written, work.outcome, fake_processes.now())
    assert is_watched(terminal)
    os.environ["TERM"] = "dumb"
    assert not is_watched(terminal)


def test_line_is_not_for_a_job_in_the_background(
    terminal: int, fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write could stop it (SIGTTOU). A terminal that was hung up has no width."""
    fake_processes.add("d", reactions={TERM: ignores()})
    written: list[str] = []
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp() + 1)
    with Stop(Match(name="d"), "TERM/1", table=fake_processes) as work:
        WaitingLine([work], written.append, terminal).run()
    assert ([], "survived") == (written, work.outcome)
    monkeypatch.setattr(os, "tcgetpgrp", lambda fd: os.getpgrp())
    monkeypatch.setattr(os, "get_terminal_size", refuse)
    with Stop(Match(name="d"), "TERM/1", table=fake_processes) as work:
        WaitingLine([work], written.append, terminal).run()
    assert [" waiting for d, pid 101: TERM sent, giving up in 1 s", ""] == texts(written)


def refuse(fd: int) -> NoReturn:
    """Fail as ioctl(2) does on a terminal that was hung up."""
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_real_terminal_shows_the_line_and_is_clean_after_it(ssd_path: Path) -> None:
    """It is gone before anything else is printed, and also when Ctrl-C ends the command."""
    with stubborn() as process:
        pid = str(process.pid).encode()
        words = [ssd_path, "--stop", "--pid", process.pid, "--retry"]
        said, status = on_terminal([*words, "60"], b"60 s", keys=b"\x03")
        first = b" waiting for sleep, pid %s: TERM sent, KILL in 60 s" % pid
        assert (-signal.SIGINT, True) == (status, first in said)
        # The terminal shows ^C after it has sent the signal, before or after what the command does.
        assert said.removesuffix(b"^C").endswith(ERASE.encode())
        said, status = on_terminal([*words, "TERM/1"])
        assert 2 == status
        before, last = said.rsplit(ERASE.encode(), 1)
        assert b"TERM sent, giving up in 1 s" in before
        assert last == b"Program process with pid %s, 1 process(es), refused to die.\r\n" % pid


@pytest.mark.parametrize("options", [[], ["--quiet"], ["--verbose"]])
def test_quiet_stop_has_no_line(
    options: list[str],
    terminal: int,
    fake_processes: FakeProcesses,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command asks its voice for a terminal; without --retry it waits for nobody."""
    monkeypatch.setattr("ssd.answers.waiting_line.is_watched", lambda fd: True)
    monkeypatch.setattr("ssd.answers.waiting_line._takes_more", lambda fd: True)
    fake_processes.add("d", reactions={TERM: ignores()})
    for retry, lines in ((["--retry=TERM/1/KILL/1"], 1), ([], 0)):
        voice = Watched("ssd")
        assert 0 == run(["--stop", "--name", "d", *options, *retry], voice, fake_processes)
        shown_lines = voice.texts[2].count("waiting for d, pid 10")
        assert (0 if options == ["--quiet"] else lines) == shown_lines
        fake_processes.add("d")


class Watched(Heard):
    """A voice whose standard error is a terminal."""

    def on_terminal(self, fd: int = 1) -> bool:
        """Tell whether it is standard error."""
        return fd == 2
