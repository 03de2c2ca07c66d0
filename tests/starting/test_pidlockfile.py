"""PIDLockFile: lockfile's interface with a safe lock."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from typing import Any

import lockfile
import pytest
from kit import locks
from kit.children import child, ended, python, until_readable, unused_pid
from kit.leaks import listing, nothing_left
from kit.pidfiles import mark
from lockfile.pidlockfile import PIDLockFile as Original

import ssd
from ssd import PIDLockFile

# Holds the lock, reports it, and releases it when standard input ends.
HOLD = """
import sys, ssd
lock = ssd.PIDLockFile(sys.argv[1])
try:
    lock.acquire(timeout=float(sys.argv[2]))
except Exception as error:
    print(type(error).__name__, flush=True)
else:
    print("held", flush=True)
    sys.stdin.read()
    lock.release()
"""


@contextmanager
def holder(
    path: Path, timeout: float = 0, program: str = HOLD
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process that tries to hold the lock."""
    command = [sys.executable, "-c", program, str(path), str(timeout)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        try:
            yield process
        finally:
            process.kill()


def says(process: "subprocess.Popen[bytes]") -> bytes:
    """Return what a holder prints."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a pidfile that does not exist yet."""
    return tmp_path / "pid"


def test_class_is_a_subclass_of_lockfiles(path: Path) -> None:
    """It can be used where a PIDLockFile of lockfile's is expected."""
    lock = PIDLockFile(str(path))
    assert isinstance(lock, Original)
    assert (str(path), None, False) == (lock.path, lock.read_pid(), lock.is_locked())


def test_lock_is_taken_and_released(path: Path) -> None:
    """The file contains only the pid, and is removed by the release."""
    lock = PIDLockFile(str(path))
    with nothing_left():
        lock.acquire(timeout=0)
        assert f"{os.getpid()}\n" == path.read_text()
        assert (os.getpid(), True, True) == (
            lock.read_pid(), lock.is_locked(), lock.i_am_locking(),
        )  # fmt: skip
        lock.release()
    assert (False, False, []) == (lock.is_locked(), lock.i_am_locking(), listing(path.parent))


def test_with_statement_holds_the_lock(path: Path) -> None:
    """DaemonContext uses it so."""
    with PIDLockFile(str(path)) as lock:
        assert lock.i_am_locking()
    assert not path.exists()


def test_lock_of_another_process_cannot_be_taken(path: Path) -> None:
    """AlreadyLocked at once, LockTimeout after a time, and NotMyLock for a release."""
    lock = PIDLockFile(str(path))
    with holder(path) as other:
        assert b"held" == says(other)
        assert (True, False, other.pid) == (lock.is_locked(), lock.i_am_locking(), lock.read_pid())
        with nothing_left():
            for timeout in (0, -1, None):
                with pytest.raises(lockfile.AlreadyLocked, match=f"process {other.pid}$"):
                    lock.acquire(timeout=timeout)
            with pytest.raises(lockfile.LockTimeout, match=f"process {other.pid}$"):
                lock.acquire(timeout=0.02)
            with pytest.raises(lockfile.NotMyLock, match=f"process {other.pid}$"):
                lock.release()
        assert other.pid == lock.read_pid()


@pytest.mark.timeout(120)
def test_hanging_start_is_waited_for_until_the_timeout(path: Path) -> None:
    """A process that is stopped, for example, holds the kernel lock and writes nothing."""
    with locks.holder(path) as other:
        assert b"held" == says(other)
        with nothing_left():
            with pytest.raises(lockfile.LockTimeout):
                PIDLockFile(str(path)).acquire(timeout=0.02)
            with pytest.raises(lockfile.AlreadyLocked):
                PIDLockFile(str(path)).acquire(timeout=0)
    with PIDLockFile(str(path)) as lock:
        assert lock.i_am_locking()


def test_timeout_of_the_constructor_is_the_default(path: Path) -> None:
    """The argument of ``acquire`` overrides it."""
    with holder(path) as other:
        assert b"held" == says(other)
        with pytest.raises(lockfile.AlreadyLocked):
            PIDLockFile(str(path), timeout=0).acquire()
        with pytest.raises(lockfile.AlreadyLocked):
            PIDLockFile(str(path), timeout=1000).acquire(timeout=0)


@pytest.mark.timeout(120)  # it would wait for ever
def test_acquire_without_a_timeout_does_not_wait(path: Path) -> None:
    """As in lockfile: a DaemonContext reports a running daemon and its owner at once."""
    with holder(path) as other:
        assert b"held" == says(other)
        original = Original(str(path))
        for lock in (original, PIDLockFile(path), PIDLockFile(path, timeout=-1)):
            with pytest.raises(lockfile.AlreadyLocked), lock:
                pytest.fail("two of them hold it")
        done = python(SECOND, path)
    assert 1 == done.returncode
    said = done.stderr.decode().splitlines()[-1]
    assert said.endswith(f"AlreadyLocked: {path} is already locked, by process {other.pid}")


SECOND = """
import sys, daemon, ssd
with daemon.DaemonContext(
    pidfile=ssd.PIDLockFile(sys.argv[1]), detach_process=False, stderr=sys.stderr
):
    pass
"""


def test_free_lock_cannot_be_released(path: Path) -> None:
    """NotLocked is raised, and a stale file stays for the next owner."""
    with pytest.raises(lockfile.NotLocked):
        PIDLockFile(str(path)).release()
    path.write_text(f"{unused_pid()}\n1\n")
    with pytest.raises(lockfile.NotLocked):
        PIDLockFile(str(path)).release()


# Holds the lock, releases it on request, and lives on.
RELEASE = """
import sys, ssd
lock = ssd.PIDLockFile(sys.argv[1])
lock.acquire(timeout=0)
print("held", flush=True)
sys.stdin.readline()
lock.release()
print("released", flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(120)  # it would wait for the owner's end
def test_release_lets_a_waiter_in(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner lives on."""
    table = ssd.default_table()
    wait = table.wait

    def release(*arguments: Any) -> None:
        if path.exists():
            assert other.stdin is not None
            other.stdin.write(b"\n")
            other.stdin.flush()
            assert b"released" == says(other)
        wait(*arguments)

    monkeypatch.setattr(table, "wait", release)
    with holder(path, program=RELEASE) as other:
        assert b"held" == says(other)
        with PIDLockFile(str(path), timeout=inf, table=table) as lock:
            assert (True, None) == (lock.i_am_locking(), other.poll())


def test_owners_death_frees_the_lock_at_once(path: Path) -> None:
    """The kernel wakes the waiter, though the file still exists."""
    with holder(path) as first:
        assert b"held" == says(first)
        with holder(path, timeout=1000) as second:
            first.kill()
            assert b"held" == says(second)
            assert second.pid == PIDLockFile(str(path)).read_pid()


def _stale_file(path: Path) -> None:
    path.write_text(f"{unused_pid()}\n1\n")


def _reused_pid(path: Path) -> None:
    mark(path, os.getpid(), started=1)  # a living process, but another one


def _reused_pid_in_an_old_file(path: Path) -> None:
    here = ssd.default_table().process(os.getpid())
    assert here is not None
    path.write_text(f"{here.pid}\n{here.start_time + 1}\n")  # a living process, but another one


STALE = {
    "an owner that has ended": _stale_file,
    "an owner whose pid is another's now": _reused_pid,
    "such an owner, as older versions wrote him": _reused_pid_in_an_old_file,
    "an empty file": lambda path: path.write_text(""),
    "text": lambda path: path.write_text("running\n"),
    "minus one": lambda path: path.write_text("-1\n"),
}


@pytest.mark.parametrize("case", STALE)
def test_stale_file_does_not_lock(case: str, path: Path) -> None:
    """The next owner replaces it."""
    STALE[case](path)
    lock = PIDLockFile(str(path))
    assert not lock.is_locked()
    lock.acquire(timeout=0)
    assert lock.i_am_locking()
    lock.release()


def test_lock_of_a_killed_owner_is_stale(path: Path) -> None:
    """SIGKILL leaves the file, but not the lock."""
    with holder(path) as other:
        assert b"held" == says(other)
        other.kill()
        other.wait()
        assert (True, False) == (path.exists(), PIDLockFile(str(path)).is_locked())


def test_file_of_an_older_version_locks(path: Path) -> None:
    """The second line was the owner's start time."""
    with child() as process:
        owner = ssd.default_table().process(process.pid)
        assert owner is not None
        path.write_text(f"{owner.pid}\n{owner.start_time}\n")
        with pytest.raises(lockfile.AlreadyLocked):
            PIDLockFile(str(path)).acquire(timeout=0)
    assert not PIDLockFile(str(path)).is_locked()


def test_file_without_a_start_time_locks_while_its_pid_runs(path: Path) -> None:
    """The pidfile of another tool is respected."""
    with child() as process:
        path.write_text(f"{process.pid}\n")
        with pytest.raises(lockfile.AlreadyLocked):
            PIDLockFile(str(path)).acquire(timeout=0)
    assert not PIDLockFile(str(path)).is_locked()


def test_break_lock_takes_it_from_its_owner(path: Path) -> None:
    """The file is removed."""
    with child() as process:
        path.write_text(f"{process.pid}\n")
        PIDLockFile(str(path)).break_lock()
    assert not path.exists()
    PIDLockFile(str(path)).break_lock()  # no error without a file


def test_only_one_of_two_concurrent_attempts_wins(path: Path) -> None:
    """The other gets AlreadyLocked."""
    with holder(path) as first, holder(path) as second:
        assert [b"AlreadyLocked", b"held"] == sorted([says(first), says(second)])


OFTEN = """
import sys, ssd
for _ in range(150):
    with ssd.PIDLockFile(sys.argv[1]):
        pass
print("done")
"""


def test_reader_never_sees_an_empty_file(path: Path) -> None:
    """The file has a pid in it, or does not exist."""
    seen = set()
    with subprocess.Popen([sys.executable, "-c", OFTEN, path], stdout=subprocess.PIPE) as writer:
        while writer.poll() is None:
            try:
                seen.add(path.read_bytes().split(b"\n")[0])
            except FileNotFoundError:
                seen.add(b"none")
        assert b"done" == says(writer)
    assert {b"none", str(writer.pid).encode()} >= seen


DAEMON = """
import os, sys, time, daemon, ssd
keep = os.open(sys.argv[2], os.O_WRONLY)
with daemon.DaemonContext(pidfile=ssd.PIDLockFile(sys.argv[1]), files_preserve=[keep]):
    os.write(keep, b"%d\\n" % os.getpid())
    os.read(os.open(sys.argv[3], os.O_RDONLY), 1)
"""


def test_daemon_context_holds_the_lock(path: Path, tmp_path: Path) -> None:
    """From detaching to the end, and the daemon can be found by it."""
    for name in ("ready", "end"):
        os.mkfifo(tmp_path / name)
    ready = os.open(tmp_path / "ready", os.O_RDWR)
    assert b"" == python(DAEMON, path, tmp_path / "ready", tmp_path / "end").stderr
    pid = int(os.read(ready, 100))
    os.close(ready)
    lock = PIDLockFile(str(path))
    with ended(pid):
        fd = os.pidfd_open(pid)
        assert (pid, True) == (lock.read_pid(), lock.is_locked())
        assert 0 == ssd.status(ssd.Match(pidfile=path))
        with pytest.raises(lockfile.AlreadyLocked):
            lock.acquire(timeout=0)
        with open(tmp_path / "end", "w"):
            pass  # this ends its read
        until_readable(fd)
        os.close(fd)
    assert not path.exists()
