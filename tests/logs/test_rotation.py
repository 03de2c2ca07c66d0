"""Rotation: at a line end, so many kept, and whole whenever it is interrupted."""

import os
from pathlib import Path

import pytest
from kit.leaks import listing, same_descriptors
from kit.outputs import dies_before, rotated, written

from ssd.logs import rotation


def turn(directory: Path, keep: int = 3, cut: int | None = None) -> None:
    """Rotate web.log at its last line end, or elsewhere."""
    fd = os.open(directory / "web.log", os.O_RDWR)
    place = os.open(directory, os.O_RDONLY)
    where = rotation.line_end(fd, os.fstat(fd).st_size) if cut is None else cut
    try:
        os.close(rotation.rotate(place, "web.log", fd, where, keep))
    finally:
        os.close(place)
        os.close(fd)


def mend(directory: Path, keep: int = 3) -> None:
    """Recover."""
    place = os.open(directory, os.O_RDONLY)
    try:
        rotation.recover(place, "web.log", keep)
    finally:
        os.close(place)


def contents(directory: Path) -> dict[str, str]:
    """Return all files of a directory."""
    return {name: (directory / name).read_text() for name in listing(directory)}


def test_begun_line_goes_along_to_the_new_file(tmp_path: Path) -> None:
    """No line is in two files."""
    (tmp_path / "web.log").write_text("one\ntwo\nthr")
    with same_descriptors():
        turn(tmp_path)
    assert {"web.log": "thr", "web.log.1": "one\ntwo\n"} == contents(tmp_path)


def test_old_files_move_on_by_one_and_the_last_one_goes(tmp_path: Path) -> None:
    """NAME.log.1 is always the newest of the old ones."""
    for text in "abcde":
        (tmp_path / "web.log").write_text(f"{text}\n")
        turn(tmp_path)
    expected = {"web.log": "", "web.log.1": "e\n", "web.log.2": "d\n", "web.log.3": "c\n"}
    assert expected == contents(tmp_path)


def test_gap_is_filled(tmp_path: Path) -> None:
    """What an interrupted shift left, or an administrator removed, costs no old file."""
    for name, text in {"": "a\n", ".1": "b\n", ".3": "d\n"}.items():
        (tmp_path / f"web.log{name}").write_text(text)
    turn(tmp_path)
    expected = {"web.log": "", "web.log.1": "a\n", "web.log.2": "b\n", "web.log.3": "d\n"}
    assert expected == contents(tmp_path)


def test_files_above_keep_are_removed(tmp_path: Path) -> None:
    """A declaration that keeps fewer takes effect with the next rotation."""
    for number in range(1, 6):
        (tmp_path / f"web.log.{number}").write_text(f"{number}\n")
    (tmp_path / "web.log").write_text("0\n")
    turn(tmp_path, keep=2)
    assert {"web.log": "", "web.log.1": "0\n", "web.log.2": "1\n"} == contents(tmp_path)


def test_keep_of_zero_keeps_only_the_begun_line(tmp_path: Path) -> None:
    """The old file is removed."""
    (tmp_path / "web.log").write_text("one\ntw")
    turn(tmp_path, keep=0)
    assert {"web.log": "tw"} == contents(tmp_path)


def test_new_file_has_the_mode_and_owner_of_the_old_one(tmp_path: Path) -> None:
    """An administrator lets a group read the log once."""
    file = tmp_path / "web.log"
    file.write_text("one\n")
    file.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(file, 4242, 4243)
    before = file.stat()
    turn(tmp_path)
    after = file.stat()
    assert before.st_ino != after.st_ino
    assert (0o664, before.st_uid, before.st_gid) == (
        after.st_mode & 0o7777, after.st_uid, after.st_gid
    )  # fmt: skip


def test_failed_rotation_leaves_all_as_it_was(tmp_path: Path) -> None:
    """A directory in the way of the last old file, for example."""
    (tmp_path / "web.log").write_text("one\ntw")
    (tmp_path / "web.log.1").write_text("old\n")
    (tmp_path / "web.log.2").mkdir()
    with same_descriptors(), pytest.raises(OSError):
        turn(tmp_path, keep=2)
    assert ["web.log", "web.log.1", "web.log.2"] == listing(tmp_path)
    assert "one\ntw" == (tmp_path / "web.log").read_text()


@pytest.mark.parametrize("rest", ["", "thr"])
@pytest.mark.parametrize("keep", [0, 1, 3])
def test_death_before_any_call_loses_and_doubles_nothing(
    tmp_path: Path, keep: int, rest: str
) -> None:
    """The next process ends the rotation or begins it anew, and each line is there once."""
    died = number = 0
    while died == number:
        number += 1
        place = tmp_path / str(number)
        place.mkdir()
        for name, text in {"": "three\nfour\n" + rest, ".1": "two\n", ".2": "one\n"}.items():
            (place / f"web.log{name}").write_text(text)
        died += dies_before(number, lambda place=place: turn(place, keep))  # type: ignore[misc]
        mend(place, keep)
        mend(place, keep)
        assert (place / "web.log").exists()
        assert not (place / "web.log.next").exists()
        new = (place / "web.log").read_text()
        if keep and new == rest:
            assert "three\nfour\n" == (place / "web.log.1").read_text()
        else:
            assert new in (("three\nfour\n" + rest), rest)
        if keep == 3:
            assert f"one\ntwo\nthree\nfour\n{rest}".encode() == written(place)
            assert all(file.read_text().endswith("\n") for file in rotated(place))
    assert number > 5


def test_half_written_rest_is_thrown_away(tmp_path: Path) -> None:
    """While there is a log, the rotation has not begun."""
    (tmp_path / "web.log").write_text("one\ntwo")
    (tmp_path / "web.log.next").write_text("tw")
    mend(tmp_path)
    assert {"web.log": "one\ntwo"} == contents(tmp_path)


def test_line_end_is_found_within_a_megabyte(tmp_path: Path) -> None:
    """A longer line is cut: 0 says that there is no end near."""
    file = tmp_path / "log"
    for before, after, expected in (
        (b"", b"", 0), (b"a\n", b"", 2), (b"a\nb\n", b"c", 4), (b"", b"c", 0),
        (b"a\n", b"c" * 300_000, 2), (b"a\n", b"c" * rotation.LONGEST, 0),
    ):  # fmt: skip
        file.write_bytes(before + after)
        with file.open("rb") as opened:
            assert expected == rotation.line_end(opened.fileno(), len(before + after))
