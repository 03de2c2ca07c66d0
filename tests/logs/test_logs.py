"""Logs of services: real output, under load, and whoever is killed."""

import os
import random
import select
import signal
import subprocess
from pathlib import Path

import pytest
from kit.children import python
from kit.leaks import listing, nothing_left, same_descriptors
from kit.loading import HEAVY, HOME
from kit.outputs import TIMEOUT, Bench, bench, outputs, rotated, written

from ssd.logs import Log, stream


def spawn(log: Log, *argv: str) -> "subprocess.Popen[bytes]":
    """Start a service whose output is a log."""
    with outputs(log) as (out, err):
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err)


def ended(made: Bench, log: Log, service: "subprocess.Popen[bytes]") -> None:
    """Drive the loop until a service has ended and all is read."""
    handle = os.pidfd_open(service.pid)
    gone: list[int] = []
    made.loop.add(handle, lambda: gone.append(service.wait(TIMEOUT)))
    made.loop.until(lambda: gone)
    made.loop.remove(handle)
    os.close(handle)
    log.finish()
    made.loop.until_idle()


def test_output_is_in_the_file_byte_for_byte(tmp_path: Path) -> None:
    """Rotated under load, whatever the pieces were; every file ends with a line."""
    with nothing_left(), bench(tmp_path) as made:
        log = made.log(max_size=300_000, keep=1000)
        ended(made, log, spawn(log, "seq", "500000"))
    expected = subprocess.run(["seq", "500000"], stdout=subprocess.PIPE).stdout
    assert expected == written(tmp_path)
    files = rotated(tmp_path)
    assert len(files) == len(expected) // 300_000
    assert all(file.read_bytes().endswith(b"\n") for file in files)
    assert all(299_990 < file.stat().st_size <= 300_000 for file in files)


def test_stderr_is_in_the_same_file_or_apart(tmp_path: Path) -> None:
    """In the same one in the order of the writes."""
    script = "echo one; echo two >&2; echo three"
    apart = str(tmp_path / "web.err")
    for declared in (None, apart, str(tmp_path / "web.log")):
        with nothing_left(), bench(tmp_path) as made:
            log = made.log(stderr_path=declared)
            ended(made, log, spawn(log, "sh", "-c", script))
            assert (2 if declared == apart else 1) == len(log.descriptors())
    assert b"one\ntwo\nthree\n" + b"one\nthree\n" + b"one\ntwo\nthree\n" == written(tmp_path)
    assert "two\n" == Path(apart).read_text()


def test_json_says_which_stream_it_was(tmp_path: Path) -> None:
    """If they are apart; else nobody can know."""
    with bench(tmp_path) as made:
        log = made.log(form="json", stderr_path=str(tmp_path / "web.err"))
        ended(made, log, spawn(log, "sh", "-c", "echo one; echo two >&2"))
        one = made.log("one", form="json")
        made.write(one, b"x\n")
    assert b'"stream":"stdout","text":"one"}\n' in written(tmp_path)
    assert b'"stream":"stderr","text":"two"}\n' in written(tmp_path, "web.err")
    assert b'"name":"one","stream":"output"' in written(tmp_path, "one.log")


def test_service_can_open_dev_stdout(tmp_path: Path) -> None:
    """As shell scripts do, again and again, also to truncate it."""
    with bench(tmp_path) as made:
        log = made.log()
        script = "echo one > /dev/stdout; echo two >> /dev/stderr; echo three > /dev/fd/1"
        ended(made, log, spawn(log, "sh", "-c", script))
    assert b"one\ntwo\nthree\n" == written(tmp_path)


@pytest.mark.parametrize(("form", "end"), [("plain", b"begun"), ("timestamp", b"begun\n")])
def test_begun_line_is_written_when_the_service_ends(tmp_path: Path, form: str, end: bytes) -> None:
    """Plain as it is; with times the line is ended, so that the next one has its own."""
    with bench(tmp_path) as made:
        log = made.log(form=form)
        ended(made, log, spawn(log, "printf", "one\\nbegun"))
        assert ["begun"] == [line[-5:] for line in log.last_lines(1)]
    assert written(tmp_path).endswith(end)


@pytest.mark.parametrize("form", ["plain", "json"])
def test_end_of_a_silent_service_touches_no_file(tmp_path: Path, form: str) -> None:
    """Its successor is not kept waiting by a log that is made for nothing."""
    with bench(tmp_path) as made:
        log = made.log(form=form)
        ended(made, log, spawn(log, "true"))
        assert ["web.fifo"] == listing(tmp_path)


def test_last_lines_are_those_of_the_output(tmp_path: Path) -> None:
    """For the message that a service was given up."""
    with bench(tmp_path) as made:
        log = made.log(max_size=20)
        ended(made, log, spawn(log, "seq", "20"))
        assert [str(number) for number in range(8, 21)] == log.last_lines(13)
        assert [] == made.log("none").last_lines(3)


def test_last_lines_are_of_the_stream_written_last(tmp_path: Path) -> None:
    """Where stderr is apart, it says mostly why a service has failed."""
    error = tmp_path / "web.err"
    with bench(tmp_path) as made:
        log = made.log(stderr_path=str(error))
        assert [] == log.last_lines(5)
        made.write(log, b"fine\n")
        made.write(log, b"bad\n", stderr=True)
        os.utime(error, (2e9, 2e9))
        assert ["bad"] == log.last_lines(5)
        os.utime(error, (1, 1))
        assert ["fine"] == log.last_lines(5)


def test_listener_is_told_of_each_write(tmp_path: Path) -> None:
    """With the count of bytes of output, after they are in the file."""
    with bench(tmp_path) as made:
        log = made.log()
        told: list[tuple[int, int]] = []
        assert log.out is not None
        log.out.listener = lambda _, count: told.append((count, len(written(tmp_path))))
        made.write(log, b"one\n")
        made.write(log, b"three\n")
        log.out.listener = None
        made.write(log, b"x")
    assert [(4, 4), (6, 10)] == told


def test_logs_declared_alike_share_their_settings(tmp_path: Path) -> None:
    """A thousand of them cost little memory."""
    with bench(tmp_path) as made:
        first, second, other = made.log("a"), made.log("b"), made.log("c", keep=1)
        assert first.out and second.out and other.out
        assert first.out.settings is second.out.settings
        assert first.out.settings is not other.out.settings


def test_closed_log_is_prepared_again(tmp_path: Path) -> None:
    """As after a declaration has changed; to prepare twice changes nothing."""
    with same_descriptors(), bench(tmp_path) as made:
        log = made.log()
        log.prepare()
        made.write(log, b"one\n")
        log.close()
        log.close()
        assert [] == log.descriptors()
        log.prepare()
        made.write(log, b"two\n")
    assert b"one\ntwo\n" == written(tmp_path)
    assert ["web.fifo", "web.log"] == listing(tmp_path)


def test_removed_log_leaves_only_its_files(tmp_path: Path) -> None:
    """The FIFOs of a service that is no longer declared go; what it wrote stays."""
    with same_descriptors(), bench(tmp_path) as made:
        log = made.log(form="json", stderr_path=str(tmp_path / "web.err"))
        with outputs(log) as (out, err):
            os.write(out, b"one\n")
            os.write(err, b"two\n")
        made.loop.until_idle()
        log.remove()
        log.remove()
    assert ["web.err", "web.log"] == listing(tmp_path)


def test_log_that_was_not_prepared_does_nothing(tmp_path: Path) -> None:
    """A service that was never started is stopped, asked and forgotten."""
    with same_descriptors(), bench(tmp_path) as made:
        log = Log(made.logs, "web", {"form": "json"}, f"{tmp_path}/fifo", f"{tmp_path}/log")
        log.finish()
        log.advance(made.time)
        assert ([], [], None) == (log.descriptors(), log.last_lines(5), log.until)
        log.close()
        log.remove()
    assert [] == listing(tmp_path)


def test_logs_load_nothing_heavy() -> None:
    """Modules that a supervisor of a thousand services would pay for in memory."""
    code = "import sys; sys.path[:0] = sys.argv[1:]; import ssd.logs"
    modules = set(
        python(f"{code}; print(*sys.modules)", HOME, flags=("-I", "-S")).stdout.decode().split()
    )
    assert "ssd.logs" in modules
    assert set() == modules & (HEAVY | {"_socket", "json", "struct"})


def test_loop_without_a_watch_drains_by_itself(tmp_path: Path) -> None:
    """``descriptors`` says what to wait for, ``drain`` is then due."""
    with bench(tmp_path) as made:
        made.logs._watch = None
        log = made.log(stderr_path=str(tmp_path / "err"))
        with outputs(log) as (out, err):
            os.write(out, b"one\n")
            os.write(err, b"two\n")
        assert [False, False] == [log.drain(fd) for fd in log.descriptors()]
        assert not log.drain(10_000)
    assert (b"one\n", b"two\n") == (written(tmp_path), written(tmp_path, "err"))


def read_until_killed(directory: Path, form: str, ready: int) -> None:
    """Be a supervisor that is killed: read some of the output, after a word that it begins.

    With all of it, a reader on a busy machine would make thousands of files, and each rotation
    renames them all.
    """
    stream.TURN = stream.CHUNK
    made = Bench(directory)
    log = made.log(form=form, max_size=50_000, keep=1000)
    left = [100_000]

    def count(_: object, moved: int) -> None:
        left[0] -= moved
        if left[0] < 0:
            signal.pause()

    assert log.out is not None
    log.out.listener = count
    os.write(ready, b".")
    while True:
        made.loop.turn(-1)


def killed_reader(directory: Path, form: str, seconds: float) -> None:
    """Let a reader live for so long after its first word, and kill it."""
    ready, word = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            read_until_killed(directory, form, word)
        finally:
            os._exit(1)
    handle = os.pidfd_open(pid)
    os.read(ready, 1)
    assert [] == select.select([handle], [], [], seconds)[0]
    os.kill(pid, signal.SIGKILL)
    assert -signal.SIGKILL == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for fd in (ready, word, handle):
        os.close(fd)


@pytest.mark.parametrize("form", ["plain", "timestamp", "json"])
def test_killed_readers_lose_and_double_nothing(tmp_path: Path, form: str) -> None:
    """At 50 random moments under load and rotation; the writer never notices."""
    numbers = random.Random(form)
    with nothing_left():
        with bench(tmp_path) as first:
            log = first.log(form=form)
            service = spawn(log, "seq", "1000000", "9999999")
            log.close()
        for _ in range(50):
            killed_reader(tmp_path, form, numbers.uniform(0, 0.003))
        assert service.poll() is None
        service.terminate()
        with bench(tmp_path) as last:
            log = last.log(form=form, max_size=50_000, keep=1000)
            with outputs(log):  # what is in the FIFO must outlive the writer
                ended(last, log, service)
    lines = [line for line in written(tmp_path).split(b"\n") if line]
    if form == "json":
        lines = [line.rpartition(b'":"')[2][:-2] for line in lines]
    if form == "timestamp":
        lines = [line[30:] for line in lines]
    lines.pop()  # seq was ended within it
    assert rotated(tmp_path)
    assert [b"%d" % (1_000_000 + number) for number in range(len(lines))] == lines
