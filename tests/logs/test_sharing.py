"""A log that several loggers write: the lock, and rotations by one of them."""

import fcntl
import os
from pathlib import Path

import pytest

from ssd.logs import sharing
from ssd.logs.rotation import NEXT
from ssd.logs.sharing import SharedFile


def is_free(path: Path) -> bool:
    """Tell whether nobody has locked a file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_shared_file_is_locked_for_a_turn(tmp_path: Path) -> None:
    """From the opening, and each time that it is found current, to ``unlock``."""
    log = tmp_path / "log"
    file = SharedFile(str(log), 5, None)
    assert not is_free(log)
    file.unlock()
    assert is_free(log)
    assert (True, False) == (file.current(), is_free(log))
    file.close()
    file.unlock()  # harmless
    assert is_free(log)


def test_shared_file_follows_a_rotation_by_another(tmp_path: Path) -> None:
    """The old file is not current any more, and the new one has its name and its lock."""
    log = tmp_path / "log"
    log.write_bytes(b"one\ntwo")
    first = SharedFile(str(log), 5, None)
    first.unlock()
    second = SharedFile(str(log), 5, None)
    second.rotate(whole=False)
    assert (b"one\n", b"two") == ((tmp_path / "log.1").read_bytes(), log.read_bytes())
    assert not is_free(log)
    second.unlock()
    assert not first.current()
    for file in (first, second):
        file.close()


def test_shared_file_has_the_name_once_it_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another may have rotated the log while this one has waited."""
    log = tmp_path / "log"
    log.write_bytes(b"one\n")
    locked = sharing.lock

    def lock(fd: int) -> None:
        if not (tmp_path / "log.1").exists():
            log.rename(tmp_path / "log.1")
            log.write_bytes(b"two")
        locked(fd)

    monkeypatch.setattr(sharing, "lock", lock)
    file = SharedFile(str(log), 5, None)
    assert b"two" == file.tail()
    file.close()


def test_shared_file_ends_the_rotation_of_a_killed_logger(tmp_path: Path) -> None:
    """The log has lost its name, and the new file has not got it yet."""
    (tmp_path / "log.1").write_bytes(b"one\ntwo")
    (tmp_path / f"log{NEXT}").write_bytes(b"two")
    file = SharedFile(str(tmp_path / "log"), 5, None)
    assert (b"one\n", b"two") == ((tmp_path / "log.1").read_bytes(), file.tail())
    assert ["log", "log.1"] == sorted(os.listdir(tmp_path))
    file.close()


def test_shared_file_leaves_a_rotation_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its new file is locked: whoever opens the log waits, and here the other ends it meanwhile."""
    log, following = tmp_path / "log", tmp_path / f"log{NEXT}"
    following.write_bytes(b"two")
    other = os.open(following, os.O_RDWR)
    fcntl.flock(other, fcntl.LOCK_EX)

    def meanwhile(seconds: float) -> None:
        if following.exists():
            following.rename(log)
            os.close(other)

    monkeypatch.setattr(sharing, "sleep", meanwhile)
    file = SharedFile(str(log), 5, None)
    assert (b"two", ["log"]) == (file.tail(), os.listdir(tmp_path))
    file.close()


def test_lock_of_a_stranger_does_not_stop_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may read the log can lock it: after some time it is written all the same."""
    log = tmp_path / "log"
    log.touch()
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(sharing, "sleep", sleep)
    monkeypatch.setattr(sharing, "monotonic", lambda: now[0])
    with log.open() as stranger:
        fcntl.flock(stranger, fcntl.LOCK_EX)
        file = SharedFile(str(log), 5, None)
        file.write(b"line\n", 0)
        file.close()
    assert b"line\n" == log.read_bytes()
    assert pytest.approx(sharing.PATIENCE, abs=0.1) == sum(slept)
