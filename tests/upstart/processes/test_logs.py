"""The logs of jobs: terminals whose output goes into files."""

import errno
import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Run

from ssd.supervision.watch import EpollWatch
from ssd.upstart.processes import logs
from ssd.upstart.processes.logs import KEPT, LAST, TURN, Log, Logs, path_of
from upstart.processes.scene import play


class Bench:
    """A log with a watch, and what it has told."""

    def __init__(self, directory: Path) -> None:
        self.told: list[tuple[str, str]] = []
        self.watch = EpollWatch()
        self.logs = Logs(str(directory), self.watch, lambda *said: self.told.append(said))
        self.path = directory / "foo.log"
        log = self.logs.log("foo", "", "foo")
        assert log is not None
        self.log: Log = log

    def write(self, text: bytes, stage: str = "main") -> int:
        """Have a stage write, and take a turn; return its terminal."""
        terminal = self.log.open_terminal(stage)
        self.put(terminal, text)
        return terminal

    def put(self, terminal: int, text: bytes) -> None:
        """Write more, and take a turn."""
        os.write(terminal, text)
        self.watch.wait(10)
        assert self.watch.poll()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a log in a directory of its own."""
    made = Bench(tmp_path / "logs")
    (tmp_path / "logs").mkdir()
    yield made
    made.log.close()
    made.logs.close()
    made.watch.close()


@pytest.mark.parametrize(
    "name, instance, base",
    [("foo", "", "foo.log"), ("foo", "a/b", "foo-a_b.log"), ("foo", "c d", "foo-c d.log"),
     ("net/x", "", "net_x.log"), ("a/b/c", "/d", "a_b_c-_d.log")],
)  # fmt: skip
def test_path_has_the_job_and_the_instance(name: str, instance: str, base: str) -> None:
    """No slash of them begins a directory."""
    assert f"/var/log/upstart/{base}" == path_of("/var/log/upstart", name, instance)


def test_output_is_written_at_once_with_cr_lf(bench: Bench) -> None:
    """Also what is no whole line, and bytes of all kinds."""
    os.close(bench.write(b"out\na\0b\xffc\tde\r\nno newline"))
    assert b"out\r\na\0b\xffc\tde\r\r\nno newline" == bench.path.read_bytes()
    assert 0o640 == bench.path.stat().st_mode & 0o7777


def test_mode_does_not_depend_on_the_umask(bench: Bench) -> None:
    """A supervisor may have any."""
    before = os.umask(0o077)
    try:
        os.close(bench.write(b"x"))
    finally:
        os.umask(before)
    assert 0o640 == bench.path.stat().st_mode & 0o7777


def test_only_output_makes_a_file(bench: Bench) -> None:
    """A stage that says nothing leaves none."""
    os.close(bench.log.open_terminal("main"))
    bench.watch.wait(10)
    assert bench.watch.poll()
    bench.log.finish("main")
    assert not bench.path.exists()


def test_all_stages_append_to_one_file(bench: Bench) -> None:
    """At the same time, too."""
    bench.path.write_bytes(b"before\n")
    main, post = bench.write(b"one"), bench.write(b"two", "post-start")
    bench.put(main, b"three")
    assert b"before\nonetwothree" == bench.path.read_bytes()
    os.close(main)
    os.close(post)


@pytest.mark.parametrize("how, old, new", [
    ("removed", None, b"two"),
    ("renamed", b"onetwo", None),
])  # fmt: skip
def test_file_is_begun_anew_once_it_is_removed(
    bench: Bench, how: str, old: "bytes | None", new: "bytes | None"
) -> None:
    """A rotation that only renames it goes on in it, as under Upstart."""
    terminal = bench.write(b"one")
    moved = bench.path.with_suffix(".1")
    bench.path.unlink() if how == "removed" else bench.path.rename(moved)
    bench.put(terminal, b"two")
    os.close(terminal)
    found = [path.read_bytes() if path.exists() else None for path in (moved, bench.path)]
    assert [old, new] == found


def test_rest_of_a_stage_is_written_at_its_end(bench: Bench) -> None:
    """Although no turn has come since."""
    terminal = bench.log.open_terminal("main")
    os.write(terminal, b"last words\n")
    bench.log.finish("main")
    assert b"last words\r\n" == bench.path.read_bytes()
    os.close(terminal)


def test_output_after_the_end_of_a_stage_is_lost(bench: Bench) -> None:
    """The terminal of its children is gone."""
    terminal = bench.write(b"one\n")
    bench.log.finish("main")
    with pytest.raises(OSError) as caught:
        os.write(terminal, b"two\n")
    assert errno.EIO == caught.value.errno
    assert b"one\r\n" == bench.path.read_bytes()
    os.close(terminal)


def test_child_that_writes_on_does_not_keep_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So much is read as the stage can have left, and no more."""
    terminal, reads = bench.log.open_terminal("main"), []
    monkeypatch.setattr(logs.os, "read", lambda *given: reads.append(1) or b"x" * 4096)
    bench.log.finish("main")
    monkeypatch.undo()
    assert LAST == 4096 * len(reads)
    os.close(terminal)


def test_turn_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that writes without end lets others have their turns."""
    terminal, reads = bench.log.open_terminal("main"), []
    os.write(terminal, b"x")
    bench.watch.wait(10)
    monkeypatch.setattr(logs.os, "read", lambda *given: reads.append(1) or b"x" * 4096)
    assert bench.watch.poll()
    monkeypatch.undo()
    assert TURN == 4096 * len(reads)
    os.close(terminal)


def test_missing_directory_keeps_output_until_the_end(bench: Bench) -> None:
    """It is told once, and not as a warning: the directory may come while the machine starts."""
    bench.path.parent.rmdir()
    terminal = bench.write(b"one\n")
    bench.put(terminal, b"two\n")
    bench.path.parent.mkdir()
    bench.logs.write_kept()
    assert not bench.path.exists()  # as the job runs: its log is its own
    os.close(terminal)
    bench.log.finish("main")
    assert b"one\r\ntwo\r\n" == bench.path.read_bytes()
    failed = f"Failed to write to log file {bench.path}: No such file or directory"
    assert [("info", failed)] == bench.told


def test_missing_directory_keeps_output_of_ended_jobs(bench: Bench) -> None:
    """Until somebody says that the disk is writable."""
    bench.path.parent.rmdir()
    os.close(bench.write(b"one\n"))
    bench.log.finish("main")
    bench.logs.write_kept()
    bench.path.parent.mkdir()
    assert not bench.path.exists()
    bench.logs.write_kept()
    assert b"one\r\n" == bench.path.read_bytes()


def test_job_that_starts_again_has_its_kept_output_first(bench: Bench) -> None:
    """The instance is another one, the log the same."""
    bench.path.parent.rmdir()
    os.close(bench.write(b"one\n"))
    bench.log.finish("main")
    bench.path.parent.mkdir()
    again = bench.logs.log("foo", "", "foo")
    assert again is bench.log
    os.close(bench.write(b"two\n"))
    assert b"one\r\ntwo\r\n" == bench.path.read_bytes()


def test_kept_output_is_bounded(bench: Bench) -> None:
    """What comes first is kept; that more is lost is told once."""
    bench.path.parent.rmdir()
    bench.log.write(b"first")
    for _ in range(3):
        bench.log.write(b"x" * KEPT)
    bench.path.parent.mkdir()
    assert bench.log.write(b"!")
    kept = bench.path.read_bytes()
    assert (KEPT + 1, b"first", b"x!") == (len(kept), kept[:5], kept[-2:])
    levels = [level for level, _ in bench.told]
    assert (["info", "warn"], f"Output is lost: {bench.path} cannot be written") == (
        levels, bench.told[-1][1],
    )  # fmt: skip


def test_log_that_is_a_link_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    """Whoever may write in the directory cannot have root write elsewhere."""
    bench.path.symlink_to(tmp_path / "victim")
    os.close(bench.write(b"one\n"))
    assert not (tmp_path / "victim").exists()
    assert "Too many levels of symbolic links" in bench.told[0][1]


def test_terminal_belongs_to_nobody(bench: Bench) -> None:
    """It echoes nothing and is no controlling one; it is in the mode that login has."""
    terminal = bench.log.open_terminal("main")
    attributes = tty.tcgetattr(terminal)
    assert attributes[1] & tty.OPOST
    assert not os.get_inheritable(terminal)
    os.close(terminal)


def test_second_terminal_of_a_stage_ends_the_first(bench: Bench) -> None:
    """A stage that is started again before its end was seen."""
    first = bench.log.open_terminal("main")
    os.write(first, b"one\n")
    second = bench.write(b"two\n")
    assert b"one\r\ntwo\r\n" == bench.path.read_bytes()
    assert 1 == len(bench.log.held())
    os.close(first)
    os.close(second)


def test_listener_hears_of_what_was_written(bench: Bench) -> None:
    """For who follows the log."""
    heard: list[tuple[str, int]] = []
    bench.log.out.listener = lambda log, count: heard.append((log.name, count))
    os.close(bench.write(b"one\n"))
    assert [("foo", 5)] == heard


def test_last_lines_have_no_ends(bench: Bench) -> None:
    """Neither CR nor LF."""
    os.close(bench.write(b"one\ntwo\nthree\n"))
    assert ["two", "three"] == bench.log.last_lines(2)


def test_no_directory_means_no_log() -> None:
    """Then the output of jobs goes nowhere."""
    assert Logs(None, EpollWatch(), print).log("foo", "", "foo") is None


FULL = """
subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/var/log/upstart'], check=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="requires root")
def test_full_disk_stops_no_job(in_namespace: Run) -> None:
    """It is told once; what was kept is there when the disk has space again."""
    program = f"""
s = Scene()
{FULL}
fill = Path('/var/log/upstart/fill')
fill.write_bytes(b'x' * 60000)
j = Job(script='seq 1 20000; read line < /run/go; echo end')
os.mkfifo('/run/go')
c = s.start(j)
s.until(lambda: s.told)
go = os.open('/run/go', os.O_RDWR)
s.watch.wait(0.1)
while s.watch.poll(): s.watch.wait(0.1)
fill.unlink()
subprocess.run(['mount', '-o', 'remount,size=1m', '/var/log/upstart'], check=True)
os.write(go, b'\\n')
status = s.end(j, c)
lines = s.log().split('\\r\\n')
show([status, s.told, lines[:2], lines[-2:], len(lines)])
"""
    status, told, first, last, count = play(in_namespace, program)
    failed = "Failed to write to log file /var/log/upstart/foo.log: No space left on device"
    assert (0, [["warn", failed]]) == (status, told)
    assert (["1", "2"], ["end", ""], 20002) == (first, last, count)


@pytest.mark.skipif(os.geteuid() != 0, reason="requires root")
def test_much_output_is_complete(in_namespace: Run) -> None:
    """Of a task that ends right after it; root's file."""
    program = """
s = Scene()
status = s.run(Job('net/x', 'c d', exec='seq 1 60000'))
path = Path('/var/log/upstart/net_x-c d.log')
show([status, path.read_bytes() == b''.join(b'%d\\r\\n' % n for n in range(1, 60001)),
      path.stat().st_uid, s.told])
"""
    assert [0, True, 0, []] == play(in_namespace, program)
