"""The lock of a start: one holder, whoever it is, and nobody left waiting for the dead."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from math import inf
from pathlib import Path

import pytest
from conftest import Run
from locks import TRY, holder, line, take
from support import (
    PATIENCE,
    Watch,
    in_mounts,
    listing,
    nothing_left,
    python,
)

from ssd.locking import NoLock, acquire
from ssd.matching import Criteria, Match


def test_a_lock_lies_beside_the_pidfile_and_is_gone_when_released(tmp_path: Path) -> None:
    """Its name is made from the pidfile's, and nothing stays behind."""
    with nothing_left():
        lock = take(tmp_path / "x.pid")
        assert (str(tmp_path / ".x.pid.lock"), [".x.pid.lock"]) == (lock.path, listing(tmp_path))
        lock.release()
    assert [] == listing(tmp_path)


def test_a_second_start_waits_until_the_first_lets_go(tmp_path: Path) -> None:
    """There is one holder at a time."""
    path = tmp_path / "x.pid"
    with holder(path) as first:
        assert b"held\n" == line(first)
        with Watch(tmp_path, Watch.OPEN) as watch, holder(path) as second:
            watch.until(".x.pid.lock")
            assert first.stdin is not None
            first.stdin.close()
            assert b"held\n" == line(second)
        assert 0 == first.wait()


def test_a_lock_that_is_held_is_not_to_be_had(tmp_path: Path) -> None:
    """Another process finds it taken, and free again afterwards."""
    lock = take(tmp_path / "x.pid")
    taken = python(TRY, tmp_path / "x.pid").stdout
    lock.release()
    assert (b"StartBlocked\n", b"free\n") == (taken, python(TRY, tmp_path / "x.pid").stdout)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_start_never_blocks_the_next(signum: int, tmp_path: Path) -> None:
    """The kernel lets go for the dead; the file that stays is taken over."""
    path = tmp_path / "x.pid"
    with holder(path) as first:
        assert b"held\n" == line(first)
        first.send_signal(signum)
        assert -signum == first.wait()
    assert [".x.pid.lock"] == listing(tmp_path)
    take(path).release()
    assert [] == listing(tmp_path)


COUNT = """
import sys
from pathlib import Path
from ssd import locking
from ssd.matching import Criteria, Match
path, counter = sys.argv[1], Path(sys.argv[1] + ".count")
for _ in range(150):
    lock = locking.acquire(Match(pidfile=path), Criteria())
    counter.write_text(str(int(counter.read_text()) + 1))
    lock.release()
"""


def test_many_that_take_and_release_at_once_exclude_each_other(tmp_path: Path) -> None:
    """A lock file that is removed under those who wait for it lets no two in."""
    (tmp_path / "x.count").write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "x")]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [0] * 4 == [process.wait() for process in processes]
    assert "600" == (tmp_path / "x.count").read_text()
    assert ["x.count"] == listing(tmp_path)


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    """A lock belongs to who took it, not to the process: the file is opened for each."""
    counter = [0]

    def work() -> None:
        for _ in range(50):
            lock = take(tmp_path / "x.pid", seconds=inf)
            before = counter[0]
            os.sched_yield()
            counter[0] = before + 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    with nothing_left():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert ([200], []) == (counter, listing(tmp_path))


def test_a_lock_is_held_until_its_last_copy_is_closed(tmp_path: Path) -> None:
    """A daemon on its way holds it on, should the process that took it be killed."""
    lock = take(tmp_path / "x.pid")
    copy = os.dup(lock.fileno())
    os.close(lock.fileno())
    with open(tmp_path / ".x.pid.lock") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(copy)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock._directory)


def test_releasing_twice_is_harmless(tmp_path: Path) -> None:
    """The second time there is nothing to do."""
    lock = take(tmp_path / "x.pid")
    lock.release()
    with nothing_left():
        lock.release()


def test_releasing_does_not_mind_that_the_file_is_gone(tmp_path: Path) -> None:
    """Somebody may have cleaned the directory."""
    with nothing_left():
        lock = take(tmp_path / "x.pid")
        (tmp_path / ".x.pid.lock").unlink()
        lock.release()
    assert [] == listing(tmp_path)


def test_a_lock_is_close_on_exec(tmp_path: Path) -> None:
    """A program that is executed in the foreground lets go by that."""
    lock = take(tmp_path / "x.pid")
    assert not os.get_inheritable(lock.fileno())
    lock.release()


@pytest.mark.parametrize("name", ["/dev/null", ""])
def test_a_pidfile_that_is_none_asks_for_no_lock(name: str) -> None:
    """``--pidfile /dev/null`` starts no matter what runs, so there is nothing to exclude."""
    assert acquire(Match(pidfile=name), Criteria()) is None


# One pidfile, many names ----------------------------------------------------------------


def test_every_name_of_a_pidfile_has_one_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, with detours, or through a link that can be trusted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    (tmp_path / "run" / "alias").symlink_to("x.pid")
    names = ["run/x.pid", "link/x.pid", "run//./x.pid", "run/../run/x.pid", "run/alias"]
    for name in [*names, str(tmp_path / "run" / "x.pid"), b"run/x.pid"]:
        lock = take(name)  # type: ignore[arg-type]
        assert [".x.pid.lock"] == listing(tmp_path / "run")[:1]
        lock.release()


def test_a_long_or_odd_name_has_a_lock_too(tmp_path: Path) -> None:
    """The lock's name has to fit into 255 bytes, and need not be UTF-8."""
    for name in (b"x" * 255, b"\xff.pid"):
        lock = acquire(Match(pidfile=os.fsencode(tmp_path) + b"/" + name), Criteria())
        assert lock is not None
        lock.release()


# Where none can be had ------------------------------------------------------------------


def _planted(path: Path) -> Path:
    (path / "theirs").mkdir()
    (path / "theirs").chmod(0o777)
    (path / "theirs" / "link").symlink_to(path)
    return path / "theirs" / "link" / "x.pid"


def _taken_by_a_directory(path: Path) -> Path:
    (path / ".x.pid.lock").mkdir()
    return path / "x.pid"


def _taken_by_a_pipe(path: Path) -> Path:
    os.mkfifo(path / ".x.pid.lock")
    return path / "x.pid"


def _taken_by_a_link(path: Path) -> Path:
    (path / "precious").write_text("precious")
    (path / ".x.pid.lock").symlink_to("precious")
    return path / "x.pid"


NONE = {
    "no directory": lambda path: path / "none" / "x.pid",
    "a file for a directory": lambda path: Path("/etc/passwd/x.pid"),
    "a planted link on the way": _planted,
    "a directory in its place": _taken_by_a_directory,
    "a pipe in its place": _taken_by_a_pipe,
    "a link in its place": _taken_by_a_link,
}


@pytest.mark.timeout(60)  # a pipe would hang
@pytest.mark.parametrize("case", NONE)
def test_where_no_lock_can_be_had_the_reason_is_given(case: str, tmp_path: Path) -> None:
    """NoLock says where and why, quickly, and nothing stays open."""
    path = NONE[case](tmp_path)
    with nothing_left(), pytest.raises(NoLock) as caught:
        take(path)
    assert (True, True) == (caught.value.path.endswith(".x.pid.lock"), bool(caught.value.reason))


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_a_read_only_directory_gives_no_lock(tmp_path: Path, run: Run) -> None:
    """A start goes on without one there, as the original does."""
    script = 'mount -t tmpfs -o ro none "$1"; "$2" -c "$3" "$1/x.pid"'
    done = run(*in_mounts(script, tmp_path, sys.executable, TRY))
    assert "NoLock\n" == done.stdout, done.stderr
