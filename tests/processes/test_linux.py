"""The kernel's table: what /proc says, and what it says when there is trouble."""

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ssd.errors import ProcessTableError
from ssd.matching import Criteria, Process
from ssd.processes import scan
from ssd.processes.contract import ProcessTable
from ssd.processes.linux import LinuxTable
from ssd.processes.scan import _born_of
from ssd.testing import RealWorld

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

# The number of exit(2), which ends one thread, unlike exit_group(2).
SYS_EXIT = {"x86_64": 60, "aarch64": 93, "riscv64": 93, "i686": 1}

HEADLESS = """
import ctypes, os, sys, threading
def watch():
    while b") Z" not in open(f"/proc/{os.getpid()}/stat", "rb").read():
        pass
    print(threading.get_native_id(), flush=True)
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=watch).start()
ctypes.CDLL(None).syscall(%d, 0)
"""

FULL = """
import os, resource, ssd
from ssd.processes.linux import LinuxTable
error = ssd.ProcessTableError
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
try:
    print(LinuxTable().process(1))
except error as error:
    print(type(error).__name__, error)
"""


# Every other child ends and is reaped, one after the other, when told to.
THINNING = """
import os
def child():
    if not (pid := os.fork()):
        os.read(0, 1)
        os._exit(0)
    return pid
pairs = [(child(), child()) for _ in range(150)]
print(*[stays for _, stays in pairs], flush=True)
for goes, _ in pairs:
    os.kill(goes, 9)
    os.waitpid(goes, 0)
print("thinned", flush=True)
os.read(0, 1)
"""


@pytest.fixture
def table() -> LinuxTable:
    """Return the machine's own table."""
    return LinuxTable()


@pytest.fixture
def world(table: LinuxTable) -> Iterator[RealWorld]:
    """Return a world of real children."""
    world = RealWorld(table)
    yield world
    world.close()


Mirror = Callable[..., LinuxTable]


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """Return a function that makes a /proc of some files of some processes."""

    def mirror(*pids: int, files: tuple[str, ...] = ("stat", "comm", "exe")) -> LinuxTable:
        (tmp_path / "self").symlink_to(str(os.getpid()))
        for pid in pids:
            (tmp_path / str(pid)).mkdir()
            for file in files:
                (tmp_path / str(pid) / file).symlink_to(f"/proc/{pid}/{file}")
        return LinuxTable(str(tmp_path))

    return mirror


def test_executable_replaced_while_it_runs_is_found_by_the_new_file(
    table: ProcessTable, tmp_path: Path
) -> None:
    """After an upgrade the new executable finds the old daemon, as in the original."""
    file = tmp_path / os.fsdecode(b"d\xe9mon) \n")  # not UTF-8, and hostile
    shutil.copy(shutil.which("cat") or "cat", file)
    with subprocess.Popen([file], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdin and daemon.stdout
        daemon.stdin.write(b"runs\n")
        daemon.stdin.flush()
        assert b"runs\n" == daemon.stdout.readline()
        old = file.stat()
        file.unlink()
        file.touch()
        # The inode number may be given again, but not while the old file is open.
        new = file.stat()
        process = table.process(daemon.pid)
        assert [process] == table.select(Criteria(file=(new.st_dev, new.st_ino)))
        assert [] == table.select(Criteria(file=(old.st_dev, old.st_ino)))


def test_process_without_its_main_thread_lives(table: ProcessTable) -> None:
    """It is selected and can be held; no id of a thread is a process."""
    number = SYS_EXIT.get(os.uname().machine)
    if number is None:
        pytest.skip("the number of exit(2) on this machine is not known here")
    command = [sys.executable, "-c", HEADLESS % number]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as headless:
        assert headless.stdout
        thread = int(headless.stdout.readline())
        process = table.process(headless.pid)
        assert [process] == table.select(Criteria(pid=headless.pid))
        assert process and process in table.children(os.getpid())
        with table.open(process) as handle:
            assert not handle.ended()
        assert None is table.process(thread)
        assert [] == table.select(Criteria(pid=thread))
        assert [] == table.children(thread)
        with pytest.raises(ProcessLookupError):
            table.open(Process(thread, process.start_time))


def test_children_of_all_threads_are_children(world: RealWorld, table: ProcessTable) -> None:
    """A child that another thread than the main one started is found."""
    from threading import Thread

    started: list[int] = []
    alive = Thread(target=lambda: started.append(world.start()))
    alive.start()
    alive.join()
    assert started[0] in [process.pid for process in table.children(os.getpid())]


def test_no_child_is_missed_while_others_end(table: LinuxTable) -> None:
    """The kernel may skip one behind a child that is just reaped: its list is read again."""
    command = [sys.executable, "-c", THINNING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        stays = {entry.encode() for entry in parent.stdout.readline().decode().split()}
        while not select.select([parent.stdout], [], [], 0)[0]:
            # What one reading gives, without the looks that would let the others end.
            assert stays <= set(_born_of(parent.pid, b"/proc", table._entries))


def test_kernel_thread_has_a_name_and_no_executable(table: ProcessTable) -> None:
    """Kernel threads are processes; an executable never holds for them."""
    names = {pid: Path(f"/proc/{pid}/comm") for pid in table.pids()}
    threads = [pid for pid, comm in names.items() if pid == 2 and comm.read_text() == "kthreadd\n"]
    if not threads:
        pytest.skip("no kernel thread is visible here")
    assert [table.process(2)] == table.select(Criteria(name=b"kthreadd"))
    file = os.stat(sys.executable)
    assert not table.select(Criteria(pid=2, file=(file.st_dev, file.st_ino)))


@pytest.mark.parametrize(
    "criteria", [Criteria(name=b"x"), Criteria(pid=os.getpid() + 1), Criteria(uid=0)]
)
def test_missing_proc_is_an_error(criteria: Criteria, tmp_path: Path) -> None:
    """Without /proc the question cannot be answered, and that is not a no."""
    with pytest.raises(ProcessTableError, match="is it mounted"):
        LinuxTable(str(tmp_path)).select(criteria)
    with pytest.raises(ProcessTableError, match="No such file"):
        LinuxTable(str(tmp_path / "missing")).pids()


def test_another_namespaces_proc_opens_nothing(mirror: Mirror) -> None:
    """A pid read in another PID namespace's /proc would name somebody else."""
    table = mirror(os.getpid())
    own = table.process(os.getpid())
    assert own
    (Path(os.fsdecode(table._root)) / "self").unlink()
    (Path(os.fsdecode(table._root)) / "self").symlink_to("1234567")
    with pytest.raises(ProcessTableError, match="another PID namespace"):
        table.open(own)


def test_running_out_of_descriptors_is_an_error() -> None:
    """Our own trouble is not taken for a process that is gone."""
    ran = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    assert "ProcessTableError unable to read /proc: Too many open files\n" == ran.stdout


@pytest.mark.parametrize("file", ["stat", "comm", "exe"])
def test_fact_that_cannot_be_read_does_not_hold(
    file: str, mirror: Mirror, world: RealWorld
) -> None:
    """A process with one file missing fails the criterion that needs it, no other."""
    pid = world.start(b"worker")
    table = mirror(pid, files=tuple({"stat", "comm", "exe"} - {file}))
    asked = {"comm": Criteria(name=b"worker"), "exe": Criteria(file=world.file(pid))}
    answers = {kind: len(table.select(criteria)) for kind, criteria in asked.items()}
    expected = {kind: int(file not in (kind, "stat")) for kind in asked}
    assert expected == answers


@pytest.mark.parametrize("can_ask", [True, False])
def test_children_are_found_without_the_kernels_list(
    can_ask: bool, mirror: Mirror, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where /proc has no list of children, each process is asked for its parent."""
    if not can_ask:
        monkeypatch.setattr(scan, "PIDFD_GET_INFO", 0)  # what an old kernel does not know
    parent = world.start()
    born = [world.start(parent=parent) for _ in range(2)]
    table = mirror(os.getpid(), parent, *born)
    assert born == [process.pid for process in table.children(parent)]
    assert born == [process.pid for process in table.select(Criteria(ppid=parent))]


def test_kernel_tells_the_parent_of_each_process(table: ProcessTable) -> None:
    """What PIDFD_GET_INFO says is what /proc/PID/stat says."""
    if scan._parent(os.getpid()) is None:
        pytest.skip("the kernel has no PIDFD_GET_INFO (Linux 6.13)")
    known = {1, 2, os.getppid()} - {0}  # 0 is a parent outside this PID namespace
    before = {parent: set(table.children(parent)) for parent in known}
    entries = [b"%d" % pid for pid in table.pids()]
    for parent in known:
        kept = {int(entry) for entry in scan.born_of(parent, entries)}
        # Whoever was born or has ended meanwhile may be missing.
        stayed = before[parent].intersection(table.children(parent))
        assert {process.pid for process in stayed} <= kept
        for pid in kept:
            process = table.process(pid)
            assert process is None or table.holds(Criteria(ppid=parent), process)


def test_name_is_the_main_threads(table: ProcessTable) -> None:
    """A thread that names itself does not name its process."""
    code = """
import threading
named = threading.Thread(target=lambda: (
    open(f"/proc/self/task/{threading.get_native_id()}/comm", "w").write("a thread"),
    print("ready", flush=True), input()))
named.start()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"ready\n"
        comm = Path(f"/proc/{child.pid}/comm").read_bytes().removesuffix(b"\n")
        process = table.process(child.pid)
        assert process and table.holds(Criteria(name=comm), process)
        assert [] == table.select(Criteria(pid=child.pid, name=b"a thread"))
        child.stdin.close() if child.stdin else None


def test_looking_leaves_no_descriptor_open(table: ProcessTable, world: RealWorld) -> None:
    """Every look, also one that finds nothing, closes what it opened."""
    process = table.process(world.start())
    assert process
    before = os.listdir("/proc/self/fd")
    table.select(Criteria(None, os.getpid(), world.file(0), b"nobody", world.uid()))
    table.select(Criteria(uid=0, name=b"nobody"))
    table.holds(Criteria(file=(0, 0)), process)
    table.open(process).close()
    with pytest.raises(ProcessLookupError):
        table.open(Process(process.pid, 1))
    assert before == os.listdir("/proc/self/fd")
