"""Syslog and stdout: whole lines, never a wait, and what is dropped is told."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.leaks import same_descriptors
from kit.outputs import Bench, bench, outputs, written

from ssd.logs import sinks


class Pipe:
    """A pipe as the supervisor's stdout."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def read(self) -> bytes:
        """Return all that is in it."""
        parts = []
        try:
            while part := os.read(self.reader, 65536):
                parts.append(part)
        except BlockingIOError:
            pass
        return b"".join(parts)

    def close(self) -> None:
        """Close both ends."""
        os.close(self.reader)
        os.close(self.writer)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe as the supervisor's stdout."""
    with same_descriptors():
        made = Pipe()
        yield made
        made.close()


def test_lines_are_given_when_they_are_whole() -> None:
    """A long one goes on as the next; the last one is whole when its writer has ended."""
    lines = sinks.Lines()
    assert [[], [b"one"], [b"two", b""]] == [
        lines.feed(text) for text in (b"on", b"e\nt", b"wo\n\n")
    ]
    long = b"x" * sinks.LONGEST
    assert [long, long] == lines.feed(2 * long + b"y")
    assert ([b"y"], []) == (lines.flush(), lines.flush())


@pytest.mark.parametrize("kind", ["file", "none"])
def test_forwarded_lines_have_the_name_in_front(tmp_path: Path, pipe: Pipe, kind: str) -> None:
    """Those of a container's services, with a file or without."""
    with bench(tmp_path, stdout=pipe.writer) as made:
        web, db = (made.log(name, forward=True, kind=kind) for name in ("web", "db"))
        made.write(web, b"one\ntw")
        made.write(db, b"hello\n")
        made.write(web, b"o\nbegun")
        web.finish()
        assert b"web: one\ndb: hello\nweb: two\nweb: begun\n" == pipe.read()
    assert (kind == "file") == (tmp_path / "web.log").exists()


def fill(made: Bench, text: bytes) -> None:
    """Write ten times what stdout and the backlog take."""
    log = made.opened[0]
    for _ in range(20):
        made.write(log, text * (65536 // len(text)))


@pytest.mark.parametrize("again", [True, False])
def test_stdout_that_nobody_reads_blocks_nothing(
    tmp_path: Path, pipe: Pipe, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file has it all; whole lines are dropped, counted, and told at both ends of the time.

    A pipe of another user, which cannot be opened anew, is asked before each write.
    """
    if not again:
        monkeypatch.setattr(sinks, "_open_again", lambda fd: (fd, False))
    with bench(tmp_path, stdout=pipe.writer) as made:
        made.log(forward=True, max_size=0)
        fill(made, b"0123456789abcde\n")
        assert 0 == made.loop.turn()
        assert [("", "dropped", "stdout does not take the output: nobody reads it")] == made.reports
        assert 20 * 65536 == len(written(tmp_path))
        read = pipe.read()
        made.loop.until(lambda: not made.logs.forward()._waiting)
        read += pipe.read()
        made.write(made.opened[0], b"last\n")
        read += pipe.read()
        lines = read.splitlines()
        assert b"web: last" == lines.pop()
        assert {b"web: 0123456789abcde"} == set(lines)
        lost = 20 * 4096 - len(lines)
        assert f"stdout takes output again; lines lost: {lost}" == made.reports[-1][2]
        assert 2 == len(made.reports)
        assert os.get_blocking(pipe.writer)


def test_stdout_that_is_closed_is_told_once(tmp_path: Path) -> None:
    """Its reader has ended: EPIPE, and the supervisor lives on."""
    pipe = Pipe()
    with bench(tmp_path, stdout=pipe.writer) as made:
        log = made.log(forward=True)
        made.logs.forward()
        os.close(pipe.reader)
        for _ in range(5):
            made.write(log, b"one\n")
        assert ["stdout does not take the output: Broken pipe"] == [
            text for *_, text in made.reports
        ]
        assert 5 == made.logs.forward().dropped
    os.close(pipe.writer)


def test_closed_stdout_is_told_and_the_file_is_written(tmp_path: Path) -> None:
    """A supervisor may be started without one."""
    fd = os.open("/dev/null", os.O_WRONLY)
    os.close(fd)
    with bench(tmp_path, stdout=fd + 100) as made:
        made.write(made.log(forward=True), b"one\n")
        (report,) = made.reports
        assert "stdout does not take the output: Bad file descriptor" == report[2]
    assert b"one\n" == written(tmp_path)


def test_stdout_may_be_a_file(tmp_path: Path) -> None:
    """It is written at the offset that all have in common."""
    with open(tmp_path / "stdout", "wb", 0) as file:
        file.write(b"before\n")
        with bench(tmp_path, stdout=file.fileno()) as made:
            made.write(made.log(forward=True), b"one\n")
            file.write(b"after\n")
    assert b"before\nweb: one\nafter\n" == (tmp_path / "stdout").read_bytes()


@pytest.fixture
def devlog(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket as syslogd's, in the test's directory."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "devlog"))
        made.setblocking(False)
        yield made


def received(devlog: socket.socket) -> list[bytes]:
    """Return the datagrams that are there."""
    found = []
    try:
        while True:
            found.append(devlog.recv(65536))
    except BlockingIOError:
        return found


def test_syslog_gets_a_datagram_a_line(tmp_path: Path, devlog: socket.socket) -> None:
    """Facility daemon, severity info, the time in local form, and the service as the tag."""
    with same_descriptors(), bench(tmp_path, devlog=str(tmp_path / "devlog")) as made:
        log = made.log(syslog=True, form="json")
        made.write(log, b"one\ntwo\nbegun")
        first, second = received(devlog)
        assert first.startswith(b"<30>Sep  ") and first.endswith(b" web: one")
        assert second.endswith(b" web: two")
        log.finish()
        assert [b"begun"] == [line.rpartition(b" ")[2] for line in received(devlog)]


def test_name_that_is_no_text_is_sent_as_it_is(tmp_path: Path, devlog: socket.socket) -> None:
    """A program's may be any bytes."""
    syslog = sinks.Syslog(lambda *report: None, str(tmp_path / "devlog"))
    syslog.put("web\udcff", [b"one"], "Sep")
    syslog.close()
    assert [b"<30>Sep web\xff: one"] == received(devlog)


def test_syslog_that_does_not_read_blocks_nothing(tmp_path: Path, devlog: socket.socket) -> None:
    """What it does not take is counted, and told when it begins and when it is over."""
    with bench(tmp_path, devlog=str(tmp_path / "devlog")) as made:
        log = made.log(syslog=True)
        for _ in range(20):
            made.write(log, b"line\n" * 1000)
        assert [
            ("", "dropped", "syslog does not take the output: it does not read")
        ] == made.reports
        taken = len(received(devlog))
        made.write(log, b"last\n")
        lost = 20_000 - taken
        assert f"syslog takes output again; lines lost: {lost}" == made.reports[-1][2]
        assert lost == made.logs.syslog().dropped
        assert b"line\n" * 20_000 + b"last\n" == written(tmp_path)


def test_syslog_may_come_later_and_be_restarted(tmp_path: Path) -> None:
    """Each line tries again, and a new socket of the same name is found."""
    path = tmp_path / "devlog"
    with same_descriptors(), bench(tmp_path, devlog=str(path)) as made:
        log = made.log(syslog=True)
        made.write(log, b"lost\n")
        for text in (b"one", b"two"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as devlog:
                devlog.bind(str(path))
                devlog.setblocking(False)
                made.write(log, text + b"\n")
                assert [text] == [line.rpartition(b" ")[2] for line in received(devlog)]
            path.unlink()
        texts = [text for *_, text in made.reports]
        assert "syslog does not take the output: No such file or directory" == texts[0]
        assert "syslog takes output again; lines lost: 1" == texts[1]


def test_kind_none_without_sinks_goes_nowhere(tmp_path: Path) -> None:
    """No FIFO, no descriptor, no reader."""
    with same_descriptors(), bench(tmp_path) as made:
        log = made.log(kind="none")
        with outputs(log) as (out, err):
            assert ("/dev/null", out) == (os.readlink(f"/proc/self/fd/{out}"), err)
        log.finish()
        assert ([], [], None) == (log.descriptors(), log.last_lines(5), log.until)
        assert [] == os.listdir(tmp_path)
