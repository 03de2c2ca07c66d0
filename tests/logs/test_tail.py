"""Reading a log: last lines and what is added, over rotations."""

import os
from pathlib import Path

import pytest
from kit.leaks import same_descriptors
from kit.outputs import bench

from ssd.logs.tail import Tail, last_lines

FILES = {"web.log": "five\nsix\nsev", "web.log.1": "three\nfour\n", "web.log.2": "one\ntwo\n"}


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, ["sev"]),
        (3, ["five", "six", "sev"]),
        (4, ["four", "five", "six", "sev"]),
        (6, ["two", "three", "four", "five", "six", "sev"]),
        (99, ["one", "two", "three", "four", "five", "six", "sev"]),
    ],
)
def test_last_lines_go_on_in_rotated_files(tmp_path: Path, count: int, expected: list[str]) -> None:
    """As far back as needed, or as there is anything."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with same_descriptors():
        assert expected == last_lines(str(tmp_path / "web.log"), count)


def test_last_lines_of_no_file_are_none(tmp_path: Path) -> None:
    """A service that has written nothing yet."""
    assert [] == last_lines(str(tmp_path / "web.log"), 5)
    assert [] == last_lines(str(tmp_path / "none" / "web.log"), 5)


def test_last_lines_are_at_most_a_megabyte(tmp_path: Path) -> None:
    """Of a longer line the end."""
    (tmp_path / "web.log").write_bytes(b"a\n" + b"x" * 3_000_000 + b"\xff\n")
    (line,) = last_lines(str(tmp_path / "web.log"), 1)
    assert 1 << 20 <= len(line) <= (1 << 20) + 3
    assert line.endswith("x\\xff")


def test_last_lines_follow_no_planted_link(tmp_path: Path) -> None:
    """The service's user must not have root show a file: a link in a directory of others."""
    (tmp_path / "secret").write_text("secret\n")
    (tmp_path / "web.log").symlink_to(tmp_path / "secret")
    assert ["secret"] == last_lines(str(tmp_path / "web.log"), 1)
    tmp_path.chmod(0o777)
    with pytest.raises(OSError, match="others can write"):
        last_lines(str(tmp_path / "web.log"), 1)


def test_tail_goes_on_over_rotations(tmp_path: Path) -> None:
    """Each byte once, whichever file the reader has got to."""
    with same_descriptors(), bench(tmp_path) as made:
        log = made.log(max_size=30)
        tail = Tail(str(tmp_path / "web.log"))
        read, sent = b"", b""
        for number in range(200):
            text = b"line %d\n" % number
            for piece in (text[:3], text[3:]):
                made.write(log, piece)
                sent += piece
                read += tail.read()
                read += tail.read()
        assert sent == read
        tail.close()


def test_slow_tail_reads_all_files_between(tmp_path: Path) -> None:
    """It finds its file among the rotated ones; only what was removed meanwhile is missed."""
    with same_descriptors(), bench(tmp_path) as made:
        log = made.log(max_size=8, keep=5)
        made.write(log, b"line 0\n")
        tail = Tail(str(tmp_path / "web.log"))
        lines = [b"line %d\n" % number for number in range(1, 6)]
        for line in lines:
            made.write(log, line)
        assert lines == list(iter(tail.read, b""))
        for line in lines * 3:
            made.write(log, line)
        assert lines[-1] == b"".join(iter(tail.read, b""))
        tail.close()


def test_tail_begins_at_the_end_and_waits_for_a_file(tmp_path: Path) -> None:
    """Nothing is there, then something, then it is emptied."""
    file = tmp_path / "web.log"
    late = Tail(str(file))
    assert b"" == late.read()
    file.write_text("old\n")
    tail = Tail(str(file))
    assert (b"old\n", b"") == (late.read(), tail.read())
    with file.open("a") as more:
        more.write("new\n")
    assert b"new\n" == tail.read()
    os.truncate(file, 0)
    assert b"" == tail.read()
    file.write_text("x\n")
    assert b"x\n" == tail.read()
    late.close()
    tail.close()
