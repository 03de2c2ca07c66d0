"""The files of logs: where their path leads, whoever has a hand in it, and at most so many open."""

import fcntl
import os
import resource
import signal
from pathlib import Path

import pytest
from kit.leaks import listing, open_descriptors, same_descriptors
from kit.outputs import Bench, bench, rotated, written

from ssd.logs import Log
from ssd.logs.files import OPEN_FILES, Files, LogFile


def test_log_is_made_for_its_owner_and_group_only(tmp_path: Path) -> None:
    """What services write is not for everybody."""
    with bench(tmp_path) as made:
        made.write(made.log(), b"one\n")
    assert 0o640 == (tmp_path / "web.log").stat().st_mode & 0o7777


@pytest.mark.parametrize("form", ["plain", "timestamp"])
def test_file_is_made_only_when_something_is_written(tmp_path: Path, form: str) -> None:
    """A silent service has a FIFO, and neither a file nor a descriptor for one."""
    with bench(tmp_path) as made:
        made.log(form=form)
        made.loop.until_idle()
        assert ["web.fifo"] == listing(tmp_path)


def test_log_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """By logrotate(8) or by hand: no signal is needed."""
    with bench(tmp_path) as made:
        log = made.log()
        made.write(log, b"one\n")
        (tmp_path / "web.log").rename(tmp_path / "old")
        made.write(log, b"two\n")
        (tmp_path / "web.log").unlink()
        made.write(log, b"three\n")
    assert "one\n" == (tmp_path / "old").read_text()
    assert "three\n" == (tmp_path / "web.log").read_text()


@pytest.mark.parametrize("form", ["plain", "json"])
def test_log_that_others_append_to_keeps_it_all(tmp_path: Path, form: str) -> None:
    """Between two pieces of output; and one that is emptied has no hole."""
    file = tmp_path / "web.log"
    with bench(tmp_path) as made:
        log = made.log(form=form)
        made.write(log, b"one\n")
        before = file.read_bytes()
        with file.open("a") as other:
            other.write("by hand\n")
        made.write(log, b"two\n")
        assert file.read_bytes().startswith(before + b"by hand\n")
        assert b"two" in file.read_bytes()
        os.truncate(file, 0)
        made.write(log, b"one\n")
        assert before == file.read_bytes()


def test_planted_link_is_not_followed(tmp_path: Path) -> None:
    """In a directory that others can write. The output waits, and this is told once."""
    victim = tmp_path / "victim"
    victim.write_text("precious\n")
    place = tmp_path / "open"
    place.mkdir()
    (place / "web.log").symlink_to(victim)
    place.chmod(0o777)
    with bench(tmp_path) as made:
        log = made.log(path=str(place / "web.log"))
        made.write(log, b"one\n")
        made.write(log, b"two\n")
        assert ["failed"] == [kind for _, kind, _ in made.reports]
        assert "others can write" in made.reports[0][2]
        (place / "web.log").unlink()
        made.time += 1
        made.logs.advance()
        assert ["failed", "resumed"] == [kind for _, kind, _ in made.reports]
        assert "one\ntwo\n" == (place / "web.log").read_text()
    assert "precious\n" == victim.read_text()


def test_own_directory_of_logs_is_made(tmp_path: Path) -> None:
    """That of a declared path is not: it is a mistake that is told."""
    with bench(tmp_path) as made:
        for declared in (None, str(tmp_path / "none" / "web.log")):
            path = str(tmp_path / "state" / "logs" / "web.log")
            fifo = str(tmp_path / f"{declared is None}")
            log = Log(made.logs, "web", {"path": declared}, fifo, path)
            made.opened.append(log)
            log.prepare()
            made.write(log, b"one\n")
    assert ["failed"] == [kind for _, kind, _ in made.reports]
    assert "one\n" == (tmp_path / "state" / "logs" / "web.log").read_text()
    assert 0o755 == (tmp_path / "state").stat().st_mode & 0o7777
    assert not (tmp_path / "none").exists()


def test_own_link_is_followed_and_rotated_at_its_target(tmp_path: Path) -> None:
    """An administrator may put the logs elsewhere."""
    (tmp_path / "big").mkdir()
    (tmp_path / "web.log").symlink_to("big/there.log")
    with bench(tmp_path) as made:
        log = made.log(max_size=8)
        for text in (b"one\n", b"two\n", b"three\n"):
            made.write(log, text)
    assert b"one\ntwo\nthree\n" == written(tmp_path / "big", "there.log")
    assert ["there.log", "there.log.1"] == listing(tmp_path / "big")


@pytest.mark.parametrize("kind", ["directory", "FIFO", "device"])
def test_log_that_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    """Writing to it could block the supervisor."""
    file = tmp_path / "web.log"
    if kind == "directory":
        file.mkdir()
    elif kind == "FIFO":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/null")
    with same_descriptors(), pytest.raises(OSError):
        LogFile(str(file), 5, None)


def test_lease_of_another_process_blocks_nothing(tmp_path: Path) -> None:
    """Its holder could make an open(2) of the supervisor wait: the output waits instead."""
    file = tmp_path / "web.log"
    file.touch()
    with open(file) as held, bench(tmp_path) as made:
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        before = signal.signal(signal.SIGIO, signal.SIG_IGN)
        try:
            made.write(made.log(), b"one\n")
            assert ["failed"] == [kind for _, kind, _ in made.reports]
            fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        finally:
            signal.signal(signal.SIGIO, before)
        made.time += 1
        made.logs.advance()
        assert b"one\n" == written(tmp_path)


def test_log_with_a_second_name_is_refused_where_others_write(tmp_path: Path) -> None:
    """A hard link to a file of root's."""
    (tmp_path / "victim").write_text("precious\n")
    (tmp_path / "web.log").hardlink_to(tmp_path / "victim")
    tmp_path.chmod(0o777)
    with same_descriptors(), pytest.raises(OSError, match="second name"):
        LogFile(str(tmp_path / "web.log"), 5, None)


def test_file_that_is_closed_is_not_the_last_used(tmp_path: Path) -> None:
    """The descriptors of a thousand loud services are bounded."""
    files = Files(2)
    with same_descriptors():
        for name in "abac":
            files.get(name, lambda name=name: LogFile(str(tmp_path / name), 0, None))  # type: ignore[misc]
        held = {os.path.basename(path) for path in open_descriptors().values()}
        assert {"a", "c"} == held & set("abc")
        files.close()


def loud(made: Bench, count: int) -> None:
    """Have so many services write a line."""
    for number in range(count):
        made.write(made.log(f"s{number}"), b"%d\n" % number)


def test_logs_have_a_bound_of_open_files(tmp_path: Path) -> None:
    """Whoever writes again has its file opened again."""
    with same_descriptors(), bench(tmp_path) as made:
        loud(made, OPEN_FILES + 10)
        logs = [path for path in open_descriptors().values() if path.endswith(".log")]
        held = [path for path in logs if path.startswith(str(tmp_path))]
        assert OPEN_FILES == len(held)
        made.write(made.opened[0], b"again\n")
        assert b"0\nagain\n" == written(tmp_path, "s0.log")


def test_lack_of_descriptors_closes_the_files_of_others(tmp_path: Path) -> None:
    """And if there are none, the output waits for a descriptor; nothing is lost."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with same_descriptors(), bench(tmp_path) as made:
        loud(made, 10)
        log = made.log("late")
        fds = log.child_descriptors()
        os.write(fds[0], b"late\n")
        spare = [os.open("/dev/null", os.O_RDONLY)]
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (spare[0] + 1, hard))
            made.loop.until_idle()
            assert b"late\n" == written(tmp_path, "late.log")
            made.logs.files.close()
            while (fd := os.dup(0)) < spare[0]:
                spare.append(fd)
        except OSError:
            os.write(fds[0], b"later\n")
            made.loop.until_idle()
            assert ["failed"] == [kind for _, kind, _ in made.reports]
            assert "open files" in made.reports[0][2]
            assert 0 == made.loop.turn()
            assert made.logs.until == made.time + 1
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for fd in (*spare, fds[0]):
                os.close(fd)
        made.time += 1
        made.logs.advance()
        assert b"late\nlater\n" == written(tmp_path, "late.log")
        assert made.logs.until is None


@pytest.mark.parametrize("marks", [True, False])
def test_age_counts_from_the_first_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marks: bool
) -> None:
    """A file that is old enough is rotated by the next output, under a new supervisor too.

    Where no mark can be made, the age counts from when a supervisor first saw the file.
    """
    if not marks:
        monkeypatch.delattr(os, "setxattr")
        monkeypatch.delattr(os, "getxattr")
    files = []
    for begun in (0, 60):
        with bench(tmp_path) as made:
            made.time += begun
            log = made.log(max_age=100)
            for _ in range(3):
                made.write(log, b"one\n")
                files.append(len(rotated(tmp_path)))
                made.time += 50
    # Seconds: 0, 50, 100, then 60, 110, 160. The first rotation is at 100.
    assert files == [0, 0, 1, 1, 1, 1] if marks else [0, 0, 1, 1, 1, 2]
    assert b"one\n" * 6 == written(tmp_path)


def test_rotation_by_age_leaves_a_begun_line(tmp_path: Path) -> None:
    """It waits for the line's end, and the line goes into the new file."""
    with bench(tmp_path) as made:
        log = made.log(max_age=100)
        made.write(log, b"begun")
        made.time += 100
        made.write(log, b", ended\nnext")
        assert [] == rotated(tmp_path)
        made.write(log, b" line\n")
    assert ["begun, ended\n"] == [file.read_text() for file in rotated(tmp_path)]
    assert "next line\n" == (tmp_path / "web.log").read_text()
