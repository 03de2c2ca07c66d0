"""The process that writes the log of one daemon: its life, its words, and what it writes."""

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.children import ended
from kit.outputs import rotated, written

from ssd.logs import launching, logger
from ssd.logs.logger import Logger, arguments


class Started:
    """A logger of this process, and the daemon's ends of its pipes."""

    def __init__(self, name: str, values: dict[str, Any]) -> None:
        self.out, self.err, self.pid = launching.start(name, values, None, None)
        self.status: int | None = None

    def write(self, text: bytes, err: bool = False) -> None:
        """Write as the daemon does."""
        fd = self.err if err else self.out
        while text:
            text = text[os.write(fd, text) :]

    def close(self) -> None:
        """End as the daemon does; wait for the logger."""
        if self.status is None:
            for fd in {self.out, self.err}:
                os.close(fd)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@contextlib.contextmanager
def started(**values: Any) -> Iterator[Started]:
    """Start a logger; end it."""
    made = Started("web", values)
    try:
        yield made
    finally:
        made.close()


def test_logger_holds_nothing_of_its_start(tmp_path: Path) -> None:
    """It has a session, a name and words of its own, and no descriptor, directory or variable."""
    inherited = os.open(tmp_path, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    log = tmp_path / "web.log"
    with started(path=log) as made:
        proc = Path(f"/proc/{made.pid}")
        held = {os.readlink(fd) for fd in (proc / "fd").iterdir()}
        assert {os.readlink(f"/proc/self/fd/{made.out}"), os.devnull, str(log)} == held
        assert (made.pid, "/") == (os.getsid(made.pid), os.readlink(proc / "cwd"))
        status = (proc / "status").read_text()
        assert "\nSigBlk:\t0000000000000000\n" in status
        assert "ssd-logger\n" == (proc / "comm").read_text()
        assert ["web", f"path={log}"] == (proc / "cmdline").read_text().split("\0")[3:-1]
        names = {line.split("=")[0] for line in (proc / "environ").read_text().split("\0") if line}
        assert set(launching.KEPT) >= names
        private = sum(
            int(line.split()[1])
            for line in (proc / "smaps_rollup").read_text().splitlines()
            if line.startswith("Private_")
        )
        assert 12_000 > private  # kB; 4300 are usual
    os.close(inherited)
    assert 0 == made.status


def test_logger_ends_with_its_last_writer_and_not_before(tmp_path: Path) -> None:
    """Not by the signals that a daemon or its terminal get; what comes after them is written."""
    with started(path=tmp_path / "web.log") as made:
        made.write(b"one\n")
        for name in logger.IGNORED:
            os.kill(made.pid, getattr(signal, name))
        made.write(b"two\nno newline")
    assert (0, b"one\ntwo\nno newline") == (made.status, written(tmp_path))


def test_logger_rotates_at_line_ends(tmp_path: Path) -> None:
    """Every line is in one of the files, none is cut, and the oldest are removed."""
    lines = b"".join(b"line %04d\n" % number for number in range(3000))
    with started(path=tmp_path / "web.log", max_size=10_000, keep=9) as made:
        made.write(lines)
    assert lines == written(tmp_path)
    assert 3 == len(rotated(tmp_path))
    assert all(file.read_bytes().endswith(b"\n") for file in rotated(tmp_path))


def test_logger_parts_the_streams_and_gives_them_form(tmp_path: Path) -> None:
    """The form json names the service and the stream; a line that is begun is ended."""
    values = {"path": tmp_path / "web.log", "stderr_path": tmp_path / "err.log", "form": "json"}
    with started(**values) as made:
        made.write(b"out\nbegun")
        made.write(b"error\n", err=True)
    told = [json.loads(line) for line in (tmp_path / "web.log").read_text().splitlines()]
    assert [("web", "stdout", "out"), ("web", "stdout", "begun")] == [
        (line["name"], line["stream"], line["text"]) for line in told
    ]
    (line,) = (tmp_path / "err.log").read_text().splitlines()
    assert ("stderr", "error") == (json.loads(line)["stream"], json.loads(line)["text"])


def test_loggers_of_one_log_lose_nothing(tmp_path: Path) -> None:
    """Both rotate it, and each line is there once: they take turns."""
    values = {"path": tmp_path / "web.log", "max_size": 2000, "keep": 100}
    with started(**values) as first, started(**values) as second:
        for number in range(0, 4000, 2):
            for more, each in enumerate((first, second)):
                each.write(b"line %05d\n" % (number + more))
    expected = [b"line %05d" % number for number in range(4000)]
    assert expected == sorted(written(tmp_path).splitlines())
    assert 8 < len(rotated(tmp_path))


def test_logger_that_is_killed_ends_no_daemon(tmp_path: Path) -> None:
    """What the daemon writes waits in the pipe, without EPIPE and SIGPIPE."""
    with started(path=tmp_path / "web.log") as made:
        with ended(made.pid):
            pass
        os.waitpid(made.pid, 0)
        made.status = 0
        made.write(b"waits\n")
        os.set_blocking(made.out, False)
        assert b"waits\n" == os.read(made.out, 100)  # its own end reads, too
        os.close(made.out)


def test_words_of_a_logger_are_read_as_they_were_meant() -> None:
    """Only what differs from the defaults is said, and each has its type again."""
    values: Any = {"path": "/a=b", "max_age": 1.5, "keep": 5, "max_size": 7, "syslog": True}
    words = arguments("a=b", values, 33)
    assert ["a=b", "path=/a=b", "max_age=1.5", "max_size=7", "syslog=True", "uid=33"] == words
    del values["keep"]
    assert ("a=b", values, 33) == logger._values(words)
    assert {"max_age": 1e-05} == logger._values(arguments("web", {"max_age": 1e-05}, None))[1]


def test_report_may_have_any_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is no text, and who tells of it must not end by that."""
    told: list[list[bytes]] = []
    made = Logger("web\udcff", {"kind": "none"}, None)
    monkeypatch.setattr(made.logs, "syslog", lambda: made)
    monkeypatch.setattr(made, "put", lambda name, lines, stamp: told.append(lines), raising=False)
    made.report(made.streams[0].name, "failed", "cannot write /log\udcfe: it is full")
    made.report("web", "dropped", "syslog does not take the output")
    assert [[b"web\xff: cannot write /log\xfe: it is full"]] == told


@contextlib.contextmanager
def within(path: Path, text: bytes) -> Iterator[tuple[Logger, list[int]]]:
    """Have a logger in this process, and the end of its pipe, which has a text in it."""
    reading, writing = os.pipe()
    spare = os.dup(0)
    ends = [writing]
    os.write(writing, text)
    os.dup2(reading, 0)
    os.close(reading)
    try:
        yield Logger("web", {"path": str(path)}, None), ends
    finally:
        os.dup2(spare, 0)
        for fd in (spare, *ends):
            os.close(fd)


def test_last_output_is_given_up_after_ten_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If its file cannot be written; before, and while a writer lives, it is tried again."""
    now, told = [0.0], []
    with within(tmp_path / "gone" / "web.log", b"last words\n") as (made, ends):
        monkeypatch.setattr(made.logs, "now", lambda: now[0])
        monkeypatch.setattr(made.logs, "report", lambda *report: told.append(report))
        (stream,) = made.streams
        stream.drain()
        now[0] = 1000.0
        stream.give_up()
        os.close(ends.pop())
        stream.give_up()
        now[0] += logger.PATIENCE
        stream.give_up()
        assert not stream.ended
        now[0] += 1
        stream.give_up()
        assert stream.ended
    assert ["failed", "failed"] == [kind for _, kind, _ in told]
    assert told[-1][2].endswith("its last output is lost")


@pytest.mark.parametrize("comes", [True, False], ids=["in time", "never"])
def test_logger_ends_when_it_has_written_or_given_up(
    comes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file can be written later, or not within ten minutes; nobody writes any more."""
    directory, told = tmp_path / "later", []
    seconds = iter(range(0, 100_000, 20))  # the clock, at each look

    def report(name: str, kind: str, text: str) -> None:
        told.append(kind)
        if comes and not directory.exists():
            directory.mkdir()

    with within(directory / "web.log", b"last words\n") as (made, ends):
        monkeypatch.setattr(made.logs, "now", lambda: float(next(seconds)))
        monkeypatch.setattr(made.logs, "report", report)
        os.close(ends.pop())
        made.run()
    assert (["failed", "resumed"] if comes else ["failed", "failed"]) == told
    assert [b"last words\n"] * comes == [each.read_bytes() for each in directory.glob("*")]


def test_log_is_free_for_others_after_a_turn(tmp_path: Path) -> None:
    """Else the logger of the next daemon would wait, and write without its turn."""
    log = tmp_path / "web.log"
    with within(log, b"line\n") as (made, _):
        for turn, written_by_then in ((made.open, ""), (made.streams[0].drain, "line\n")):
            turn()
            with log.open() as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                assert written_by_then == file.read()
        made.logs.close()
