"""The verb ``log``, with a service that says what the test has it say."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ssd.service import Service
from ssd.supervision import Supervisor, run
from ssd.supervision.control.log_requests import MAX_LINE, ROWS
from ssd.supervision.control.server import Control
from ssd.supervision.control.unix_socket import listen
from supervision.clients import Caller


class Places:
    """All in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def fifo(self, name: str) -> str:
        """Return the path of a pipe."""
        return f"{self.directory}/{name}.fifo"

    def log(self, name: str) -> str:
        """Return the path of a log."""
        return f"{self.directory}/{name}.log"


class Talker:
    """A supervised service that repeats what the test writes, and a client of the supervisor."""

    def __init__(self, directory: Path, **fields: Any) -> None:
        self.log = directory / "web.log"
        self.words = directory / "words"
        os.mkfifo(self.words)
        service = Service(
            name="web", executable="/bin/cat", arguments=[str(self.words)],
            pidfile=str(directory / "web.pid"), **fields,
        )  # fmt: skip
        self.supervisor = Supervisor([service], places=Places(directory))
        descriptor = os.open(directory, os.O_RDONLY)
        self.control = Control(self.supervisor, listen(descriptor))
        os.close(descriptor)
        self.caller = Caller(directory / "socket")
        self.lines: list[Any] = []
        self._writer = os.open(self.words, os.O_RDWR)  # so that cat has no end of file
        self.supervisor.start("web")

    def say(self, text: bytes) -> None:
        """Have the service say something."""
        os.write(self._writer, text)

    def until(self, condition: Callable[[], bool]) -> None:
        """Drive the supervisor until something is so."""
        while True:
            self.supervisor.advance()
            self.lines += self.caller.lines()
            if condition():
                return
            self.supervisor.table.wait(self.supervisor.handles, self.supervisor.until)

    def ask(self, **fields: object) -> list[Any]:
        """Ask for the log of the service, and wait for the last line of the answer."""
        self.lines.clear()
        self.caller.ask("log", name="web", **fields)
        self.until(lambda: bool(self.lines) and "ok" in self.lines[-1])
        return self.lines

    def until_logged(self, text: str) -> None:
        """Wait until the log ends with a text."""
        self.until(lambda: self.log.exists() and self.log.read_bytes().endswith(text.encode()))

    def shown(self) -> list[str]:
        """Return the lines of the log that the client got."""
        return [text for line in self.lines for text in line.get("lines", ())]

    def close(self) -> None:
        """End the service, and close everything."""
        self.caller.socket.close()
        self.supervisor.shutdown()
        run(self.supervisor)
        self.control.close()
        self.supervisor.close()
        os.close(self._writer)


@pytest.fixture
def talkers(tmp_path: Path) -> Iterator[Callable[..., Talker]]:
    """Return a function that supervises a talker."""
    made: list[Talker] = []

    def one(**fields: Any) -> Talker:
        made.append(Talker(tmp_path, **fields))
        return made[-1]

    yield one
    for each in made:
        each.close()


def test_last_lines_are_shown(talkers) -> None:
    """Ten, or as many as were asked for; many come in several lines of the answer."""
    talker = talkers()
    talker.say(b"".join(b"%d\n" % number for number in range(2 * ROWS)))
    talker.until_logged(f"{2 * ROWS - 1}\n")
    talker.ask()
    assert [*range(2 * ROWS - 10, 2 * ROWS)] == [*map(int, talker.shown())]
    assert [3, 1] == [len(talker.ask(lines=2 * ROWS)), len(talker.ask(lines=0))]
    assert [] == talker.ask(lines=-1)[:-1]


def test_log_that_is_not_there_is_empty(talkers) -> None:
    """The service has not said anything yet."""
    talker = talkers()
    assert [{"id": 1, "ok": True}] == talker.ask()


def test_log_is_followed(talkers) -> None:
    """Whole lines, each once, and nothing is read while nobody writes."""
    talker = talkers()
    talker.say(b"one\ntwo\n")
    talker.until_logged("two\n")
    talker.caller.ask("log", name="web", follow=True, lines=1)
    talker.until(lambda: talker.shown() == ["two"])
    talker.say(b"three\nfo")
    talker.until(lambda: talker.shown() == ["two", "three"])
    talker.say(b"ur \xff\n")
    talker.until(lambda: talker.shown() == ["two", "three", "four \\xff"])
    talker.caller.socket.close()
    talker.caller = Caller(talker.log.parent / "socket")
    talker.say(b"nobody\n")
    talker.until_logged("nobody\n")
    talker.until(lambda: not talker.control._logs._followings)


def test_log_is_followed_from_before_the_first_start(talkers) -> None:
    """And over a stop and a start."""
    talker = talkers()
    talker.supervisor.stop("web")
    talker.until(lambda: talker.supervisor.units["web"].at_rest)
    talker.caller.ask("log", name="web", follow=True)
    talker.caller.ask("start", name="web")
    talker.until(lambda: any(line.get("outcome") == "done" for line in talker.lines))
    talker.say(b"one\n")
    talker.until(lambda: talker.shown() == ["one"])
    talker.caller.ask("restart", name="web")
    talker.until(lambda: sum("outcome" in line for line in talker.lines) == 2)
    talker.say(b"two\n")
    talker.until(lambda: talker.shown() == ["one", "two"])


def test_log_is_followed_over_rotations(talkers) -> None:
    """Nothing is lost and nothing comes twice."""
    talker = talkers(log={"max_size": 2000})
    talker.caller.ask("log", name="web", follow=True)
    for number in range(300):
        talker.say(b"line %d\n" % number)
        talker.until(lambda last=f"line {number}": talker.shown()[-1:] == [last])
    wanted = [f"line {number}" for number in range(300)]
    assert wanted == talker.shown()
    assert talker.log.with_name("web.log.1").exists()


def test_long_line_comes_in_parts(talkers) -> None:
    """Nobody must hold all of it."""
    talker = talkers()
    talker.caller.ask("log", name="web", follow=True)
    for _ in range(5):
        talker.say(b"x" * (MAX_LINE // 2))
        talker.supervisor.advance()
    talker.say(b"\n")
    talker.until(lambda: sum(map(len, talker.shown())) == 5 * (MAX_LINE // 2))
    assert max(map(len, talker.shown())) <= 2 * MAX_LINE


@pytest.mark.parametrize("fields", [{"log": {"kind": "none"}}, {"console": "none"}])
def test_service_without_a_log_says_so(talkers, fields) -> None:
    """It is no error of the client."""
    (said,) = talkers(**fields).ask()
    assert ("unsupported", "web has no log") == (said["error"], said["message"])


def test_file_of_the_service_itself_is_shown(talkers, tmp_path: Path) -> None:
    """It cannot be followed: nobody tells the supervisor when it grows."""
    own = tmp_path / "own"
    own.write_text("one\ntwo\n")
    talker = talkers(output=str(own))
    talker.ask(lines=1)
    assert ["two"] == talker.shown()
    (said,) = talker.ask(follow=True)
    assert ("unsupported", "web writes to its file itself") == (said["error"], said["message"])


def test_unreadable_log_is_an_error(talkers) -> None:
    """A directory in its place, say."""
    talker = talkers()
    talker.log.mkdir()
    (said,) = talker.ask()
    assert "failed" == said["error"]
