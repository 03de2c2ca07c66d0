"""A stream: its FIFO, its turns, and what it does when the disk is full."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from kit.leaks import same_descriptors
from kit.outputs import bench, dies_before, outputs, rotated, written

from ssd.logs import stream


def test_fifo_is_for_the_service_alone(tmp_path: Path) -> None:
    """Mode 0600 and owned by its user, who may so open /dev/stdout."""
    path = str(tmp_path / "fifo")
    owner = (4242, 4243) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    for _ in range(2):
        with same_descriptors():
            os.close(stream.open_fifo(path, *owner))
        facts = os.stat(path)
        assert stat.S_ISFIFO(facts.st_mode)
        assert (0o600, *owner) == (facts.st_mode & 0o7777, facts.st_uid, facts.st_gid)
        os.chmod(path, 0o644)


def test_fifo_that_is_something_else_is_refused(tmp_path: Path) -> None:
    """A file that somebody has put into the run directory is neither written nor removed."""
    (tmp_path / "file").write_text("precious\n")
    (tmp_path / "link").symlink_to("file")
    for name in ("file", "link"):
        with same_descriptors(), pytest.raises(FileExistsError):
            stream.open_fifo(str(tmp_path / name), os.geteuid(), os.getegid())
    assert "precious\n" == (tmp_path / "file").read_text()


def test_output_from_before_is_read(tmp_path: Path) -> None:
    """A service that lives on fills its FIFO, and the next supervisor reads it."""
    with bench(tmp_path) as first:
        log = first.log()
        with outputs(log) as (out, _):
            log.close()
            os.write(out, b"meanwhile\n")
            with bench(tmp_path) as second:
                second.log()
                second.loop.until_idle()
    assert b"meanwhile\n" == written(tmp_path)


def test_writer_sees_no_end_of_its_reader(tmp_path: Path) -> None:
    """Without a supervisor a write waits in the FIFO: no EPIPE, no SIGPIPE. Then it blocks."""
    with bench(tmp_path) as made:
        log = made.log()
        with outputs(log) as (out, _):
            assert os.get_blocking(out)
            log.close()
            os.set_blocking(out, False)
            sent = 0
            with pytest.raises(BlockingIOError):
                while True:
                    sent += os.write(out, bytes(4096))
    assert 65536 == sent


def test_no_wakeup_without_output(tmp_path: Path) -> None:
    """A FIFO without a writer has no hang-up, because the reader could write, too."""
    with bench(tmp_path) as made:
        log = made.log()
        assert 0 == made.loop.turn()
        made.write(log, b"one\n")
        assert 0 == made.loop.turn()
        assert made.logs.until is None


def test_turn_is_a_megabyte_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loud service does not keep others waiting: it goes on in the next turn."""
    monkeypatch.setattr(stream, "TURN", 8192)
    with bench(tmp_path) as made:
        log = made.log()
        with outputs(log) as (out, _):
            os.write(out, bytes(20000))
            (fd,) = log.descriptors()
            counts = []
            assert log.out is not None
            log.out.listener = lambda _, count: counts.append(count)
            monkeypatch.setattr(stream, "CHUNK", 4096)
            assert log.drain(fd)
            assert [4096, 4096] == counts
            assert log.drain(fd)
            assert not log.drain(fd)
            assert not log.drain(fd)
        assert 20000 == sum(counts) == len(written(tmp_path))


@pytest.mark.parametrize("size", [1, 5, 6, 7, 100])
def test_files_are_no_larger_than_declared(tmp_path: Path, size: int) -> None:
    """Lines stay whole, unless one is longer than the limit."""
    text = b"".join(b"%04d\n" % number for number in range(40))
    with bench(tmp_path) as made:
        log = made.log(max_size=size, keep=1000)
        made.write(log, text)
    files = rotated(tmp_path)
    assert text == written(tmp_path)
    assert size == max(file.stat().st_size for file in files) or size > 5
    assert all(file.stat().st_size <= size for file in files)
    if size >= 5:
        assert all(file.read_bytes().endswith(b"\n") for file in files)


@pytest.mark.parametrize("form", ["timestamp", "json"])
def test_other_forms_are_rotated_at_line_ends(tmp_path: Path, form: str) -> None:
    """A file exceeds the limit by what came at once."""
    with bench(tmp_path) as made:
        log = made.log(max_size=300, keep=1000, form=form)
        for number in range(100):
            made.write(log, b"%d\n%d" % (number, number))
    assert all(file.read_bytes().endswith(b"\n") for file in rotated(tmp_path))
    assert len(rotated(tmp_path)) > 10
    assert 100 == written(tmp_path).count(b"\n")


def test_rotation_that_fails_lets_the_file_grow(tmp_path: Path) -> None:
    """It is told once, tried again later, and the output is written meanwhile."""
    (tmp_path / "web.log.1").mkdir()
    with bench(tmp_path) as made:
        log = made.log(max_size=8, keep=1)
        for _ in range(10):
            made.write(log, b"1234567\n")
        assert b"1234567\n" * 10 == (tmp_path / "web.log").read_bytes()
        assert [("web", "failed")] == [report[:2] for report in made.reports]
        assert "cannot rotate" in made.reports[0][2]


@pytest.mark.parametrize("form", ["plain", "timestamp", "json"])
def test_death_before_any_call_of_a_life_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """Pieces, files and rotations in a row: each line is there once, in its order."""
    monkeypatch.setattr(stream, "CHUNK", 64)
    monkeypatch.setattr(stream, "FEW", 1)
    text = b"".join(b"line number %d\n" % number for number in range(14)) + b"begun"
    whole = b""
    died, number = True, 0
    while died:
        place = tmp_path / str(number)
        place.mkdir()
        with bench(place) as first:
            log = first.log(form=form, max_size=150, keep=100)
            with outputs(log) as (out, _):
                os.write(out, text)
                died = dies_before(number, first.loop.until_idle) if whole else True
                with bench(place) as second:
                    second.log(form=form, max_size=150, keep=100)
                    second.loop.until_idle()
        whole = whole or written(place)
        assert whole == written(place)
        assert not (place / "web.log.next").exists()
        number += 1
    assert number > 30
    assert (whole == text) == (form == "plain")


FULL = """
import os, subprocess, sys
from pathlib import Path
from kit.outputs import bench, outputs, written
place, form = Path(sys.argv[1]), sys.argv[2]
filler = place / "small" / "filler"
filler.write_bytes(bytes(8 << 20))
with bench(place / "run") as made:
    log = made.log(path=str(place / "small" / "web.log"), form=form, keep=1000, max_size=30000)
    with outputs(log) as (out, _):
        seq = subprocess.Popen(["seq", "1000000", "1099999"], stdout=out)
        made.loop.until(lambda: made.reports)
        assert made.logs.until == made.time + 1
        assert made.loop.turn() == 0  # no busy loop
        for seconds in (1, 2, 4):
            made.time += seconds
            made.logs.advance()
        assert made.logs.until == made.time + 8
        assert [r[:2] for r in made.reports] == [("web", "failed")], made.reports
        assert "No space left" in made.reports[0][2], made.reports
        assert seq.poll() is None  # it waits
        filler.unlink()
        made.time += 8
        made.logs.advance()
        assert made.reports[1][:2] == ("web", "resumed"), made.reports
        while seq.poll() is None:
            made.loop.turn()
        log.finish()
        made.loop.until_idle()
text = written(place / "small")
found = [line[-7:] if form == "plain" else line.split()[-1] for line in text.splitlines()]
assert found == [b"%d" % n for n in range(1000000, 1100000)], (len(found), found[:3])
print("whole")
"""


@pytest.mark.parametrize("form", ["plain", "timestamp"])
def test_full_disk_makes_the_service_wait(tmp_path: Path, in_namespace: Any, form: str) -> None:
    """It is told once, tried again after a time that doubles, and no line is lost."""
    (tmp_path / "small").mkdir()
    (tmp_path / "run").mkdir()
    script = 'mount -t tmpfs -o size=8448k tmpfs "$1/small"; shift; exec "$@"'
    tests = str(Path(__file__).resolve().parent.parent)
    code = f"import sys; sys.path.insert(0, {tests!r})\n{FULL}"
    done = in_namespace(
        "sh", "-ec", script, "sh", tmp_path, sys.executable, "-c", code, tmp_path, form
    )  # fmt: skip
    assert ("whole\n", "") == (done.stdout, done.stderr)
