"""The kernel's table: facts from /proc, and errors of /proc."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssd.errors import ProcessTableError
from ssd.matching import Criteria, Process
from ssd.processes.contract import ProcessTable
from ssd.processes.linux import LinuxTable, parse
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
from ssd.processes.linux import LinuxTable, parse
error = ssd.ProcessTableError
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
try:
    print(LinuxTable().process(1))
except error as error:
    print(type(error).__name__, error)
"""

Mirror = Callable[..., LinuxTable]


def stat(comm: bytes, state: bytes = b"S", threads: int = 1, exit_signal: int = 17) -> bytes:
    """Return a line of /proc/PID/stat: parent 7, started at 900 ticks."""
    # Numbered as in proc(5): state is field 3.
    fields = {3: state, 4: b"7", 20: b"%d" % threads, 22: b"900", 38: b"%d" % exit_signal}
    return b"42 (%b) %b\n" % (comm, b" ".join(fields.get(n, b"0") for n in range(3, 53)))


@pytest.mark.parametrize("comm", [b"sh", b"x) S 1 (y", b")", b"", b"a\nb", b"\xff", b") Z 1 1 1"])
def test_name_cannot_forge_the_facts_behind_it(comm: bytes) -> None:
    """The line is counted from its last closing parenthesis."""
    assert (900, 7) == parse(stat(comm))


@pytest.mark.parametrize(
    ("state", "threads", "exit_signal", "lives"),
    [
        (b"S", 1, 17, True),
        (b"R", 9, 17, True),
        (b"T", 1, 17, True),
        (b"D", 1, 0, True),  # a child of clone(2) that sends its parent no signal
        (b"Z", 1, 17, False),
        (b"Z", 2, 17, True),  # the main thread has ended, another one runs
        (b"X", 0, 17, False),
        (b"x", 0, 17, False),
        (b"S", 1, -1, False),  # a thread, not the main one
    ],
)
def test_state_and_threads_tell_a_living_process(
    state: bytes, threads: int, exit_signal: int, lives: bool
) -> None:
    """Zombies, dead ones and threads are no living processes; all others are."""
    start_time, _ = parse(stat(b"sh", state, threads, exit_signal))
    assert lives == (start_time is not None)


def test_process_without_its_main_thread_lives(table: ProcessTable) -> None:
    """It is selected and held; a thread's id is not a process."""
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
    """Without /proc there is no answer, and that is an error."""
    with pytest.raises(ProcessTableError, match="is it mounted"):
        LinuxTable(str(tmp_path)).select(criteria)
    with pytest.raises(ProcessTableError, match="No such file"):
        LinuxTable(str(tmp_path / "missing")).pids()


def test_another_namespaces_proc_opens_nothing(mirror: Mirror) -> None:
    """A pid from another PID namespace's /proc would mean another process."""
    table = mirror(os.getpid())
    own = table.process(os.getpid())
    assert own
    (Path(os.fsdecode(table._root)) / "self").unlink()
    (Path(os.fsdecode(table._root)) / "self").symlink_to("1234567")
    with pytest.raises(ProcessTableError, match="another PID namespace"):
        table.open(own)


def test_running_out_of_descriptors_is_an_error() -> None:
    """A lack of descriptors is not taken for a process that has ended."""
    ran = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    reason = os.strerror(errno.EMFILE)
    assert f"ProcessTableError unable to read /proc: {reason}\n" == ran.stdout


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


def test_name_is_the_main_threads(table: ProcessTable) -> None:
    """A thread that changes its name does not rename its process."""
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
    """Every look closes what it opened, also one that finds nothing."""
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
