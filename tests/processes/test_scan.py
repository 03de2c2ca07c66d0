"""The search of all of /proc: children without a list of them, and replaced executables."""

import fcntl
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ssd.matching import Criteria
from ssd.processes import scan
from ssd.processes.contract import ProcessTable
from ssd.processes.linux import DELETED, LinuxTable
from ssd.processes.scan import _born_of, file_now
from ssd.testing import RealWorld

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

Mirror = Callable[..., LinuxTable]

# Every second child ends and is reaped, one after the other, on a signal.
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


def test_replaced_executable_is_found_by_the_new_file(table: ProcessTable, tmp_path: Path) -> None:
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


def test_children_of_all_threads_are_children(world: RealWorld, table: ProcessTable) -> None:
    """A child of another thread than the main one is found."""
    from threading import Thread

    started: list[int] = []
    alive = Thread(target=lambda: started.append(world.start()))
    alive.start()
    alive.join()
    assert started[0] in [process.pid for process in table.children(os.getpid())]


def test_children_are_complete_while_others_end(table: LinuxTable) -> None:
    """The kernel may omit a child after one that is just reaped, so its list is read again."""
    command = [sys.executable, "-c", THINNING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        stays = {entry.encode() for entry in parent.stdout.readline().decode().split()}
        while not select.select([parent.stdout], [], [], 0)[0]:
            # One reading, without the looks that would give the others time to end.
            assert stays <= set(_born_of(parent.pid, b"/proc", table._entries))


@pytest.mark.parametrize("can_ask", [True, False])
def test_children_are_found_without_the_kernels_list(
    can_ask: bool, mirror: Mirror, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If /proc has no list of children, the parent of each process is read."""
    if not can_ask:
        monkeypatch.setattr(scan, "PIDFD_GET_INFO", 0)  # an old kernel does not know the number
    parent = world.start()
    born = [world.start(parent=parent) for _ in range(2)]
    table = mirror(os.getpid(), parent, *born)
    assert born == [process.pid for process in table.children(parent)]
    assert born == [process.pid for process in table.select(Criteria(ppid=parent))]


def test_kernel_tells_the_parent_of_each_process(table: ProcessTable) -> None:
    """PIDFD_GET_INFO and /proc/PID/stat agree."""
    if scan._parent(os.getpid(), fcntl.ioctl) is None:
        pytest.skip("the kernel has no PIDFD_GET_INFO (Linux 6.13)")
    known = {1, 2, os.getppid()} - {0}  # 0 is a parent outside this PID namespace
    before = {parent: set(table.children(parent)) for parent in known}
    entries = [b"%d" % pid for pid in table.pids()]
    for parent in known:
        kept = {int(entry) for entry in scan.born_of(parent, entries)}
        # Processes that began or ended meanwhile may be missing.
        stayed = before[parent].intersection(table.children(parent))
        assert {process.pid for process in stayed} <= kept
        for pid in kept:
            process = table.process(pid)
            assert process is None or table.holds(Criteria(ppid=parent), process)


@pytest.mark.parametrize("mark", ["%s", "%s (deleted)", " (deleted)%s"])
def test_replaced_executable_is_known_by_its_path(mark: str, tmp_path: Path) -> None:
    """The kernel's mark of a deleted file is removed from the link, at either end."""
    file = tmp_path / "daemon"
    file.touch()
    facts = file.stat()
    assert (facts.st_dev, facts.st_ino) == file_now(os.fsencode(mark % file), DELETED)


def test_deleted_executable_is_nobodys(tmp_path: Path) -> None:
    """If no file has the path any more, the criterion does not hold."""
    assert None is file_now(os.fsencode(f"{tmp_path}/gone (deleted)"), DELETED)


@pytest.mark.parametrize("planted", ["daemon", "directory/daemon"])
def test_link_that_others_could_have_planted_names_nothing(planted: str, tmp_path: Path) -> None:
    """A link of another user with the old name does not make that user's program match."""
    file = tmp_path / "file"
    file.touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    name = tmp_path / "open" / planted
    link, target = (name, file) if planted == "daemon" else (name.parent, tmp_path)
    link.symlink_to(target)
    (tmp_path / "daemon").touch()
    assert name.exists()
    assert None is file_now(os.fsencode(f"{name} (deleted)"), DELETED)
    (tmp_path / "open").chmod(0o755)
    facts = name.stat()
    assert (facts.st_dev, facts.st_ino) == file_now(os.fsencode(f"{name} (deleted)"), DELETED)


def test_command_line_is_split_at_its_nul_bytes(mirror: Mirror) -> None:
    """An empty word counts; without the file, as for an ended process, there are no words."""
    table = mirror(os.getpid(), files=())
    root = Path(os.fsdecode(table._root))
    (root / str(os.getpid()) / "cmdline").write_bytes(b"nginx: worker\0\0-f\0")
    assert [b"nginx: worker", b"", b"-f"] == table.command_line(os.getpid())
    assert [] == table.command_line(1)
