"""The lock of a start: one holder at a time, and none that has ended."""

import errno
import fcntl
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from math import inf
from pathlib import Path

import pytest
from conftest import Run
from kit.children import WAIT_TIMEOUT, python
from kit.leaks import listing, nothing_left
from kit.libc import Watch
from kit.locks import TRY, holder, line, lock_file, take
from kit.namespace import in_mounts

from ssd.errors import StartBlocked
from ssd.matching import Criteria, Match
from ssd.pidfile import locking
from ssd.pidfile.locking import NoLock, acquire


def test_lock_file_is_elsewhere_and_removed_on_release(tmp_path: Path) -> None:
    """Its name comes from the pidfile, but not its directory, which others may write."""
    with nothing_left():
        lock = take(tmp_path / "x.pid")
        here, file = tmp_path.stat(), Path(lock.path)
        assert f".pidfile-{here.st_dev:x}-{here.st_ino:x}-x.pid.lock" == file.name
        assert (os.geteuid(), 0o600) == (file.stat().st_uid, stat.S_IMODE(file.stat().st_mode))
        assert 0 == file.parent.stat().st_mode & 0o022
        # For a user without a home the pidfile's own directory may be the best one.
        assert file.parent == tmp_path or [] == listing(tmp_path)
        lock.release()
    assert not file.exists()


def test_second_start_waits_for_the_first(tmp_path: Path) -> None:
    """There is one holder at a time."""
    path = tmp_path / "x.pid"
    file = lock_file(path)
    with holder(path) as first:
        assert b"held\n" == line(first)
        with Watch(file.parent, Watch.OPEN) as watch, holder(path) as second:
            watch.until(file.name)
            assert first.stdin is not None
            first.stdin.close()
            assert b"held\n" == line(second)
        assert 0 == first.wait()


def test_held_lock_cannot_be_taken(tmp_path: Path) -> None:
    """Another process finds it held, and free after the release."""
    lock = take(tmp_path / "x.pid")
    taken = python(TRY, tmp_path / "x.pid").stdout
    lock.release()
    assert (b"StartBlocked\n", b"free\n") == (taken, python(TRY, tmp_path / "x.pid").stdout)


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_killed_start_never_blocks_the_next(signum: int, tmp_path: Path) -> None:
    """The kernel releases the lock; the next start takes over the file."""
    path = tmp_path / "x.pid"
    file = lock_file(path)
    with holder(path) as first:
        assert b"held\n" == line(first)
        first.send_signal(signum)
        assert -signum == first.wait()
    assert file.exists()
    take(path).release()
    assert (False, []) == (file.exists(), listing(tmp_path))


def test_start_killed_before_fchmod_never_blocks_the_next(
    tmp_path: Path,
) -> None:
    """A umask may have left a file that even its owner cannot open."""
    file = lock_file(tmp_path / "x.pid")
    file.touch()
    file.chmod(0)
    before = os.umask(0o777)
    try:
        take(tmp_path / "x.pid").release()
    finally:
        os.umask(before)
    assert not file.exists()


COUNT = """
import sys
from pathlib import Path
from ssd.pidfile import locking
from ssd.matching import Criteria, Match
path, counter = sys.argv[1], Path(sys.argv[1] + ".count")
for _ in range(150):
    lock = locking.acquire(Match(pidfile=path), Criteria())
    counter.write_text(str(int(counter.read_text()) + 1))
    lock.release()
"""


def test_many_concurrent_holders_exclude_each_other(tmp_path: Path) -> None:
    """Never two at a time, even if a lock file is removed while others wait for it."""
    (tmp_path / "x.count").write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path / "x")]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [0] * 4 == [process.wait() for process in processes]
    assert "600" == (tmp_path / "x.count").read_text()
    assert ["x.count"] == listing(tmp_path)


def test_threads_of_one_process_exclude_each_other(tmp_path: Path) -> None:
    """A lock belongs to a thread, not to the process: each opens the file."""
    counter = [0]

    def work() -> None:
        for _ in range(50):
            lock = take(tmp_path / "x.pid", timeout=inf)
            before = counter[0]
            os.sched_yield()
            counter[0] = before + 1
            lock.release()

    threads = [threading.Thread(target=work) for _ in range(4)]
    with nothing_left():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_TIMEOUT)
    assert ([200], []) == (counter, listing(tmp_path))


def test_lock_is_held_until_its_last_copy_is_closed(tmp_path: Path) -> None:
    """The future daemon still holds it if the process that took it is killed."""
    lock = take(tmp_path / "x.pid")
    copy = os.dup(lock.fileno())
    os.close(lock.fileno())
    with open(lock.path) as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(copy)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock._directory)


@pytest.mark.parametrize("trouble", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_shortage_does_not_choose_another_directory(
    trouble: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a short shortage the next start would lock in the better directory."""
    asked = []

    def lack(shown: str, directory: int, *rest: object) -> None:
        asked.append(shown)
        os.close(directory)
        raise OSError(trouble, os.strerror(trouble))

    monkeypatch.setattr(locking, "_take", lack)
    with nothing_left(), pytest.raises(locking.NoLock) as caught:
        take(tmp_path / "x.pid")
    cause = caught.value.__cause__
    assert isinstance(cause, OSError)
    assert ([caught.value.path], trouble) == (asked, cause.errno)


def test_release_twice_is_harmless(tmp_path: Path) -> None:
    """The second call does nothing."""
    lock = take(tmp_path / "x.pid")
    lock.release()
    with nothing_left():
        lock.release()


def test_release_works_without_the_lock_file(tmp_path: Path) -> None:
    """The directory may have been cleaned."""
    with nothing_left():
        lock = take(tmp_path / "x.pid")
        Path(lock.path).unlink()
        lock.release()
    assert [] == listing(tmp_path)


def test_lock_is_close_on_exec(tmp_path: Path) -> None:
    """A foreground start releases the lock by execve(2)."""
    lock = take(tmp_path / "x.pid")
    assert not os.get_inheritable(lock.fileno())
    lock.release()


@pytest.mark.parametrize("name", ["/dev/null", ""])
def test_null_and_empty_pidfile_need_no_lock(name: str) -> None:
    """``--pidfile /dev/null`` starts in any case, so there is nothing to exclude."""
    assert acquire(Match(pidfile=name), Criteria()) is None


# One pidfile, several paths -------------------------------------------------------------


def test_every_path_of_a_pidfile_has_the_same_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path, one with detours, or one through a trusted link."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to("run")
    (tmp_path / "run" / "alias").symlink_to("x.pid")
    names = ["run/x.pid", "link/x.pid", "run//./x.pid", "run/../run/x.pid", "run/alias"]
    files = set()
    for name in [*names, str(tmp_path / "run" / "x.pid"), b"run/x.pid"]:
        lock = take(name)  # type: ignore[arg-type]
        files.add(Path(lock.path).name)
        lock.release()
    assert 1 == len(files)


def test_same_name_in_another_directory_has_another_lock(
    tmp_path: Path,
) -> None:
    """The directory itself counts, not its name."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    with holder(tmp_path / "a" / "x.pid") as first:
        assert b"held\n" == line(first)
        take(tmp_path / "b" / "x.pid", timeout=0).release()
        (tmp_path / "a").rename(tmp_path / "c")
        with pytest.raises(StartBlocked):
            take(tmp_path / "c" / "x.pid", timeout=0)


def test_long_or_odd_name_has_a_lock(tmp_path: Path) -> None:
    """The lock's name must fit into 255 bytes, and need not be UTF-8."""
    for name in (b"x" * 255, b"\xff.pid"):
        lock = acquire(Match(pidfile=os.fsencode(tmp_path) + b"/" + name), Criteria())
        assert lock is not None
        lock.release()


def test_pidfile_in_a_missing_directory_has_a_lock(tmp_path: Path) -> None:
    """Its key is the path, because some daemons create the directory themselves."""
    with nothing_left():
        lock = take(tmp_path / "none" / ("x" * 250))
        with pytest.raises(StartBlocked):
            take(tmp_path / "none" / ("x" * 250), timeout=0)
        take(tmp_path / "other" / "x.pid", timeout=0).release()
        lock.release()


# No lock --------------------------------------------------------------------------------


def _planted(path: Path) -> Path:
    (path / "theirs").mkdir()
    (path / "theirs").chmod(0o777)
    (path / "theirs" / "link").symlink_to(path)
    return path / "theirs" / "link" / "x.pid"


NONE = {
    "a file for a directory": lambda path: Path("/etc/passwd/x.pid"),
    "a planted link on the way": _planted,
}


@pytest.mark.parametrize("case", NONE)
def test_no_lock_gives_its_reason(case: str, tmp_path: Path) -> None:
    """NoLock says where and why, at once, and nothing stays open."""
    path = NONE[case](tmp_path)
    with nothing_left(), pytest.raises(NoLock) as caught:
        take(path)
    assert (str(path), True) == (caught.value.path, bool(caught.value.reason))


IN_THE_WAY: dict[str, Callable[[Path], object]] = {
    "a directory": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link": lambda path: path.symlink_to("/etc/passwd"),
    "a link to nothing": lambda path: path.symlink_to("/run/none"),
}


@pytest.mark.timeout(60)  # a FIFO would block
@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_obstacle_moves_the_lock_elsewhere(kind: str, tmp_path: Path) -> None:
    """Only the caller or root can have created it; the next directory is as good."""
    file = lock_file(tmp_path / "x.pid")
    IN_THE_WAY[kind](file)
    try:
        with nothing_left():
            lock = take(tmp_path / "x.pid")
            assert (True, file.name) == (Path(lock.path) != file, Path(lock.path).name)
            lock.release()
    finally:
        file.rmdir() if kind == "a directory" else file.unlink()


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_pidfile_in_a_read_only_directory_has_a_lock(tmp_path: Path, run: Run) -> None:
    """The lock is in another directory."""
    script = 'mount -t tmpfs -o ro none "$1"; "$2" -c "$3" "$1/x.pid"'
    done = run(*in_mounts(script, tmp_path, sys.executable, TRY))
    assert "free\n" == done.stdout, done.stderr


def test_no_lock_names_the_last_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NoLock has the path and the reason of the last one."""

    def candidates(uid: int, beside: object) -> Iterator[tuple[bytes, Callable[[], int]]]:
        for name in (b"/none/first", b"/none/last"):
            yield name, partial(locking._enter, name)

    monkeypatch.setattr(locking, "candidates", candidates)
    with nothing_left(), pytest.raises(NoLock) as caught:
        take(tmp_path / "x.pid")
    assert caught.value.path.startswith("/none/last/.pidfile-")
    assert "No such file or directory" == caught.value.reason
