"""Processes that an ordinary user may not see or read, on a real kernel."""

import ctypes
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from lockfile import AlreadyLocked

from ssd import PIDLockFile
from ssd.errors import ProcessTableError
from ssd.matching import UNKNOWN_START, Criteria, Process
from ssd.processes import table_named
from ssd.processes.linux import LinuxTable
from ssd.testing import check_process_table

from .alone import alone, checked, libc, open_ways

USER = 54321  # of no account, so that no other process has it
PR_SET_DUMPABLE = 4  # prctl(2); a change of user takes it away
TABLES = ["kernel", "psutil"]


def as_user(body: Callable[[], None]) -> None:
    """Run the body in a child that belongs to an ordinary user; raise what it raises."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)
            checked(libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
            body()
        except BaseException:  # noqa: BLE001 - it is told to the parent
            os.write(tell, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(tell)
    with open(told, encoding="utf-8", errors="replace") as report:
        text = report.read()
    os.waitpid(pid, 0)
    if text:
        pytest.fail(text, pytrace=False)


def mount_proc(options: str) -> None:
    """Mount /proc anew; the namespace is the test's own."""
    subprocess.run(["mount", "-t", "proc", "-o", options, "proc", "/proc"], check=True)


@pytest.mark.parametrize("kind", TABLES)
@alone
def test_hidden_processes_do_not_hold(kind: str) -> None:
    """With hidepid=2 others' processes meet no criterion; it only shows that the pid is taken."""
    mount_proc("hidepid=2")
    table = table_named(kind)
    root = Process(os.getpid(), 1)

    def body() -> None:
        own = table.process(os.getpid())
        assert own is not None
        assert [os.getpid()] == table.pids()
        assert Process(1, UNKNOWN_START) == table.process(1)
        assert [Process(1, UNKNOWN_START)] == table.select(Criteria(pid=1))
        assert [] == table.select(Criteria(pid=1, uid=0))
        assert None is table.process(4_000_000)
        assert [] == table.select(Criteria(uid=0))
        assert [] == table.select(Criteria(name=b"sh"))
        assert [own] == table.children(os.getppid())  # its parent is hidden, it is not
        assert not table.holds(Criteria(), root)
        with pytest.raises(ProcessLookupError):
            table.open(root)

    as_user(body)


@pytest.mark.parametrize("kind", TABLES)
@alone
def test_unreadable_executable_does_not_hold(kind: str) -> None:
    """Another user's process is seen and named, but its executable is hidden."""
    table = table_named(kind)
    facts = os.stat(sys.executable)
    file = facts.st_dev, facts.st_ino
    (root,) = [table.process(os.getpid())]
    assert root and table.holds(Criteria(file=file), root)

    def body() -> None:
        assert table.holds(Criteria(uid=0), root)
        assert not table.holds(Criteria(file=file), root)
        assert root not in table.select(Criteria(file=file))
        with table.open(root) as handle, pytest.raises(PermissionError):
            handle.signal(signal.SIGTERM)

    as_user(body)


@alone
def test_owner_is_the_effective_user() -> None:
    """--user is the owner of /proc/PID, also where its files belong to root (proc(5))."""
    table = table_named("kernel")
    pid = os.fork()
    if pid == 0:
        os.setresuid(0, USER, 0)  # not dumpable any more
        signal.pause()
    try:
        while not (found := table.select(Criteria(pid=pid, uid=USER))):
            pass
        for kind in TABLES:
            assert found == table_named(kind).select(Criteria(pid=pid, uid=USER))
            assert [] == table_named(kind).select(Criteria(pid=pid, uid=0))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("options", ["hidepid=2", "hidepid=1"])
@alone
def test_contract_holds_with_a_hidden_proc(options: str, kind: str) -> None:
    """Every check of conformance, for an ordinary user that sees only its own processes."""
    open_ways()
    mount_proc(options)
    as_user(lambda: check_process_table(table_named(kind)))


@pytest.mark.parametrize("kind", TABLES)
@alone
def test_unreadable_process_is_told_from_another(kind: str) -> None:
    """The table says what the caller may not read, unless a readable fact rules the process out."""
    table = table_named(kind)
    facts = os.stat(sys.executable)
    file, own = (facts.st_dev, facts.st_ino), os.getpid()
    name = Path("/proc/self/comm").read_bytes().removesuffix(b"\n")

    def body() -> None:
        asked = [Criteria(own, file=file), Criteria(own, None, file, name, 0)]
        other = [Criteria(own, uid=0), Criteria(own, file=file, uid=USER), Criteria(own)]
        assert [True, True] == [table.unreadable(each) for each in asked]  # type: ignore[attr-defined]
        assert [False] * 3 == [table.unreadable(each) for each in other]  # type: ignore[attr-defined]

    as_user(body)


THREADED = """
import ctypes, threading
ctypes.CDLL(None).prctl(4, 0)
stays = threading.Thread(target=lambda: (print(threading.get_native_id(), flush=True), input()))
stays.start()
"""


@pytest.mark.parametrize("kind", TABLES)
@alone
def test_thread_of_a_hidden_process_is_no_process(kind: str) -> None:
    """What kill(2) takes for a process, a pidfd does not."""
    open_ways()
    mount_proc("hidepid=2")
    table = table_named(kind)

    def body() -> None:
        command = [sys.executable, "-c", THREADED]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as hidden:
            assert hidden.stdout
            thread = int(hidden.stdout.readline())
            os.kill(thread, 0)
            assert Process(hidden.pid, UNKNOWN_START) == table.process(hidden.pid)
            assert None is table.process(thread)
            assert [] == table.select(Criteria(pid=thread))

    as_user(body)


@alone
def test_owner_of_a_lock_may_hide_itself() -> None:
    """A PIDLockFile is held until its owner ends, seen or not."""
    path = Path("/run/own/pid")
    path.parent.mkdir()
    os.chown(path.parent, USER, USER)
    open_ways()
    mount_proc("hidepid=2")

    def body() -> None:
        told, tell = os.pipe()
        owner = os.fork()
        if owner == 0:
            try:
                PIDLockFile(str(path)).acquire(timeout=0)
                checked(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
                os.write(tell, b"held\n")
                signal.pause()
            finally:
                os._exit(1)
        os.close(tell)
        assert b"held\n" == os.read(told, 5)
        lock = PIDLockFile(str(path))
        assert (owner, True) == (lock.read_pid(), lock.is_locked())
        with pytest.raises(AlreadyLocked):
            lock.acquire(timeout=0)
        os.kill(owner, signal.SIGKILL)
        os.waitid(os.P_PID, owner, os.WEXITED | os.WNOWAIT)
        assert not lock.is_locked()
        lock.acquire(timeout=0)
        lock.release()
        os.waitpid(owner, 0)

    as_user(body)


@alone
def test_table_needs_proc() -> None:
    """An unmounted /proc is an error, in every question."""
    own = LinuxTable().process(os.getpid())
    assert own
    checked(libc.umount2(b"/proc", ctypes.c_int(2)))  # MNT_DETACH: it is in use
    # What namespace.py mounted lies over the machine's own.
    while os.path.exists("/proc/self"):
        checked(libc.umount2(b"/proc", ctypes.c_int(2)))
    for ask in (
        lambda table: table.pids(),
        lambda table: table.process(1),
        lambda table: table.select(Criteria(name=b"x")),
        lambda table: table.first(Criteria(ppid=os.getppid())),
        lambda table: table.holds(Criteria(), own),
        lambda table: table.open(own),
        lambda table: table.children(os.getpid()),
    ):
        with pytest.raises(ProcessTableError):
            ask(LinuxTable())
