"""What inotify(7) tells, as values."""

import os
from pathlib import Path

import pytest

from ssd.upstart.files.inotify import (
    IN_CLOSE_WRITE,
    IN_CREATE,
    IN_DELETE_SELF,
    IN_IGNORED,
    IN_Q_OVERFLOW,
    Inotify,
    notices,
)


def told(given: Inotify) -> list[tuple[int, str]]:
    """Return mask and name of what has come."""
    return [(notice.mask, notice.name) for notice in given.take()]


def test_notices_have_the_names_of_files(tmp_path: Path) -> None:
    """Of any bytes and length; nothing is told twice."""
    given = Inotify()
    wd = given.add(str(tmp_path))
    assert wd == given.add(f"{tmp_path}/../{tmp_path.name}")
    long = "x" * 255
    for name in ("a", os.fsdecode(b"\xff"), long):
        (tmp_path / name).touch()
    expected = [
        (mask, name)
        for name in ("a", os.fsdecode(b"\xff"), long)
        for mask in (IN_CREATE, IN_CLOSE_WRITE)
    ]
    assert expected == told(given)
    assert [] == told(given)
    given.close()


def test_removed_directory_is_told_and_ignored(tmp_path: Path) -> None:
    """The watch ends with it; removing that once more does no harm."""
    given = Inotify()
    (tmp_path / "sub").mkdir()
    wd = given.add(str(tmp_path / "sub"))
    assert wd is not None
    (tmp_path / "sub").rmdir()
    assert [IN_DELETE_SELF, IN_IGNORED] == [mask for mask, _ in told(given)]
    given.remove(wd)
    assert given.add(str(tmp_path / "sub")) is None
    given.close()


def test_overflow_belongs_to_no_watch() -> None:
    """Its number is -1."""
    head = (-1).to_bytes(4, "little", signed=True) + IN_Q_OVERFLOW.to_bytes(4, "little") + bytes(8)
    (notice,) = notices(head)
    assert (-1, IN_Q_OVERFLOW, "") == (notice.wd, notice.mask, notice.name)


def test_process_without_descriptors_gets_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel returns -1."""
    import _ctypes

    monkeypatch.setattr(_ctypes, "call_function", lambda *words: -1)
    with pytest.raises(OSError, match="no inotify instance is left"):
        Inotify()


def test_system_without_inotify_gets_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function is not in the C library."""
    import _ctypes

    def missing(*words: object) -> int:
        raise OSError("symbol not found")

    monkeypatch.setattr(_ctypes, "dlsym", missing)
    with pytest.raises(OSError, match="this system has no inotify"):
        Inotify()
