"""The mark of a pidfile, which identifies its process."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run
from kit.children import python
from kit.namespace import in_mounts
from kit.pidfiles import file, mark, marked, needs_attributes, needs_boot
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

import ssd
from ssd import pidfile
from ssd.matching import UNKNOWN_START, Process
from ssd.pidfile import marks, writing
from ssd.pidfile.marks import Mark
from ssd.processes import default_table, table_named
from ssd.processes.linux import LinuxTable
from ssd.processes.origin import KernelOrigin, Origin
from ssd.testing import FakeProcesses

# Exclusion -----------------------------------------------------------------------------


class Table:
    """A process table with nothing but an origin."""

    def __init__(self, origin: Origin | None) -> None:
        self.origin = origin


MARK = Mark(7, 100, b"boot", b"time:[1]")
HERE = Origin(b"boot", b"time:[1]")
UNTOLD = Mark(7, 100, b"", b"time:[1]")

# mark, start time of the process with the pid, origin of start times -> is it excluded?
EXCLUDED = {
    "itself": (MARK, 100, HERE, False),
    "a later process": (MARK, 101, HERE, True),
    "an earlier process": (MARK, 99, HERE, True),
    "a declared process that was there before": (MARK, -1, HERE, True),
    "a process that shows nothing": (MARK, UNKNOWN_START, HERE, False),
    "after a reboot": (MARK, 101, Origin(b"other", b"time:[1]"), True),
    "after a reboot, at the same tick": (MARK, 100, Origin(b"other", b"time:[1]"), True),
    "after a reboot, with a lower id": (MARK, UNKNOWN_START, Origin(b"a", b"time:[1]"), True),
    "after a reboot, hidden": (MARK, UNKNOWN_START, Origin(b"other", b"time:[1]"), True),
    "in another time namespace": (MARK, 101, Origin(b"boot", b"time:[2]"), False),
    "if the table is another namespace's": (MARK, 101, Origin(b"boot", None), False),
    "if the boot is hidden": (MARK, 100, Origin(b"", b"time:[1]"), False),
    "later, if the boot is hidden": (MARK, 101, Origin(b"", b"time:[1]"), True),
    "marked while the boot was hidden": (UNTOLD, 100, HERE, False),
    "later, marked while the boot was hidden": (UNTOLD, 101, HERE, True),
    "a table without an origin": (MARK, 101, None, False),
}


@pytest.mark.parametrize("case", EXCLUDED)
def test_mark_excludes_a_process_only_if_certain(case: str) -> None:
    """A living daemon is not overlooked, even if facts are unknown."""
    meant, start_time, origin, excluded = EXCLUDED[case]
    assert excluded == meant.excludes(Process(7, start_time), Table(origin))  # type: ignore[arg-type]


def test_mark_is_parsed_as_it_was_written() -> None:
    """All fields, and the modification time of the file."""
    for meant in (MARK, UNTOLD, Mark(7, -5, b"!", b"-")):
        again = marks.parse(meant.text(5), 5)
        assert again is not None
        assert (7, meant.start_time, meant.boot, meant.clock) == (
            again.pid, again.start_time, again.boot, again.clock,
        )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [b"", b"7", b"7 100 boot clock 6", b"7 100 boot clock", b"x 100 boot clock 5",
     b"7 - boot clock 5", b"7 100 boot clock 5 6", b"\xff 100 boot clock 5"],
)  # fmt: skip
def test_invalid_mark_is_ignored(text: bytes) -> None:
    """So is a mark with another modification time: the file was written since."""
    assert marks.parse(text, 5) is None


# On the disk ---------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _attributes(tmp_path: Path) -> None:
    """Skip if the directory of the tests has no extended attributes."""
    needs_attributes(tmp_path)


def status(path: Path) -> int:
    """Return the LSB status of the process in a pidfile."""
    return ssd.status(ssd.Match(pidfile=path))


def test_marked_pidfile_contains_only_the_pid(tmp_path: Path) -> None:
    """``kill $(cat FILE)`` and int(read()) still work."""
    path = tmp_path / "pid"
    mark(path, os.getppid())
    assert (f"{os.getppid()}\n", True, 0) == (path.read_text(), marked(path), status(path))


def test_reused_pid_is_dead_with_a_pidfile(tmp_path: Path) -> None:
    """Row 28: status 1."""
    mark(tmp_path / "pid", os.getppid(), started=1)
    assert 1 == status(tmp_path / "pid")
    assert [] == ssd.find(ssd.Match(pidfile=tmp_path / "pid"))
    for table in ("kernel", "psutil"):
        assert 1 == ssd.status(ssd.Match(pidfile=tmp_path / "pid"), table=table_named(table))


def _written(path: Path) -> None:
    path.write_text(f"{os.getppid()}\n")


def _moved(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.with_name("moved").rename(path)


def _copied(path: Path) -> None:
    """Replace the file by one with the same text and no mark."""
    path.with_name("copy").write_text(path.read_text())
    path.with_name("copy").rename(path)


CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "written": (_written, False),
    "touched": (lambda path: os.utime(path), False),
    "replaced": (_copied, False),
    "moved": (_moved, True),
    "given a mode": (lambda path: path.chmod(0o600), True),
    "read": (lambda path: path.read_text(), True),
}


@pytest.mark.parametrize("case", CHANGES)
def test_mark_is_valid_until_the_file_is_written(case: str, tmp_path: Path) -> None:
    """The same pid in it proves nothing: in a container a daemon often gets the same one."""
    change, kept = CHANGES[case]
    mark(tmp_path / "pid", os.getppid(), started=1)
    change(tmp_path / "pid")
    assert (kept, 1 if kept else 0) == (marked(tmp_path / "pid"), status(tmp_path / "pid"))


@pytest.mark.parametrize("more", [-1, 1])
def test_mark_with_another_pid_is_ignored(more: int, tmp_path: Path) -> None:
    """However it was written."""
    table = default_table()
    path = tmp_path / "pid"
    path.write_text(f"{os.getppid()}\n")
    meant = writing.mark_of(Process(os.getppid() + more, 1), table)
    assert meant is not None
    os.setxattr(path, pidfile.MARK_ATTRIBUTES[0], meant.text(path.stat().st_mtime_ns))
    assert 0 == status(path)


WRITE = """
import os, sys
from ssd.pidfile import writing
from ssd.processes import default_table, own
table = default_table()
mark = writing.mark_of(own(table), table)
writing.write(sys.argv[1], os.getpid(), int(sys.argv[2], 8), mark)
print(os.getpid())
"""


def test_pidfile_written_in_place_gets_a_new_mark(tmp_path: Path) -> None:
    """The old one is invalid, because it has another modification time."""
    skip_without_nobody()
    path = tmp_path / "pid"
    file("1\n", uid=NOBODY, gid=NOBODY)(path)
    os.setxattr(
        path, pidfile.MARK_ATTRIBUTES[0], Mark(1, 1, b"x", b"x").text(path.stat().st_mtime_ns)
    )
    inode = path.stat().st_ino
    with shared(tmp_path, 0o755):
        done = python(WRITE, path, "022", **as_nobody())
    assert (done.stdout, inode, True) == (path.read_bytes(), path.stat().st_ino, marked(path))


def test_pidfile_that_is_read_only_has_a_mark(tmp_path: Path) -> None:
    """A umask may remove all permissions; the attribute is set before."""
    skip_without_nobody()
    with shared(tmp_path, 0o777):
        python(WRITE, tmp_path / "pid", "0777", check=True, **as_nobody())
    (tmp_path / "pid").chmod(0o600)
    assert marked(tmp_path / "pid")


@pytest.mark.requires_root
def test_mark_of_root_is_readable_by_everyone(tmp_path: Path) -> None:
    """Every reader of the pidfile can read the mark, so a status needs no privilege."""
    skip_without_nobody()
    mark(tmp_path / "pid", os.getppid(), started=1)
    code = "import ssd, sys; print(ssd.status(ssd.Match(pidfile=sys.argv[1])))"
    with shared(tmp_path, 0o755):
        assert b"1\n" == python(code, tmp_path / "pid", **as_nobody()).stdout


# Without attributes --------------------------------------------------------------------


def refuse(monkeypatch: pytest.MonkeyPatch, *prefixes: str) -> None:
    """Let the file system have no attributes with this prefix."""
    get, put = os.getxattr, os.setxattr

    def getxattr(path: int, name: str) -> bytes:
        if name.startswith(prefixes):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        return get(path, name)

    def setxattr(path: int, name: str, value: bytes) -> None:
        if name.startswith(prefixes):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        put(path, name, value)

    monkeypatch.setattr(os, "getxattr", getxattr)
    monkeypatch.setattr(os, "setxattr", setxattr)


@pytest.mark.requires_root
def test_root_may_mark_by_a_trusted_attribute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a tmpfs before Linux 6.6, such as /run with Debian 12's own kernel."""
    try:
        os.setxattr(tmp_path, "trusted.ssd.test", b"")
    except OSError as error:
        pytest.skip(f"trusted attributes need the machine's root: {error.strerror}")
    refuse(monkeypatch, "user.")
    mark(tmp_path / "pid", os.getppid(), started=1)
    assert (["trusted.ssd.process"], 1) == (
        os.listxattr(tmp_path / "pid"),
        status(tmp_path / "pid"),
    )


def test_pidfile_without_attributes_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by the original, and as pidfiles of other programs."""
    refuse(monkeypatch, "user.", "trusted.")
    mark(tmp_path / "pid", os.getppid(), started=1)
    assert ([], 0) == (os.listxattr(tmp_path / "pid"), status(tmp_path / "pid"))


def test_system_without_attributes_trusts_the_pid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python has these functions only on Linux."""
    monkeypatch.delattr(os, "getxattr")
    monkeypatch.delattr(os, "setxattr")
    mark(tmp_path / "pid", os.getppid(), started=1)
    assert 0 == status(tmp_path / "pid")


RAMFS = """
mount -t ramfs none "$1"
"$2" --start --background --make-pidfile --pidfile "$1/pid" --startas /bin/sleep -- 1000
"$2" --status --pidfile "$1/pid"; ls -A "$1"
"$2" --stop --pidfile "$1/pid" --retry KILL/60 --remove-pidfile; ls -A "$1"
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_file_system_without_attributes_is_no_error(
    tmp_path: Path, ssd_path: Path, run: Run
) -> None:
    """A ramfs has no attributes."""
    done = run(*in_mounts(RAMFS, tmp_path, ssd_path))
    assert (0, "pid\n", "") == (done.returncode, done.stdout, done.stderr)


# The origin of start times -------------------------------------------------------------


def test_unknown_process_is_not_marked() -> None:
    """It could not be identified later."""
    table = default_table()
    assert writing.mark_of(None, table) is None
    assert writing.mark_of(Process(1, UNKNOWN_START), table) is None
    assert writing.mark_of(Process(1, 5), Table(None)) is None  # type: ignore[arg-type]
    assert writing.mark_of(Process(1, -5), table) is not None  # a declared process


def test_table_of_another_namespace_marks_nothing(tmp_path: Path) -> None:
    """The pid belongs to another process there."""
    (tmp_path / "self").symlink_to("1")
    assert KernelOrigin(os.fsencode(tmp_path)).clock() is None
    table = LinuxTable(str(tmp_path))
    assert writing.mark_of(Process(os.getpid(), 5), table) is None


def test_boot_id_and_clock_are_the_kernels() -> None:
    """The boot id is read again before a process counts as one of another boot."""
    needs_boot()
    origin = KernelOrigin()
    boot = Path("/proc/sys/kernel/random/boot_id").read_bytes().strip()
    assert (boot, True, False) == (origin.boot(), origin.is_boot(boot), origin.is_boot(b"x"))
    assert os.readlink(b"/proc/self/ns/time") == origin.clock()


def test_hidden_boot_id_is_unknown(tmp_path: Path) -> None:
    """/proc with subset=pid (proc(5)) has no sys, and an old kernel no time namespaces."""
    (tmp_path / "self").symlink_to(str(os.getpid()))
    origin = KernelOrigin(os.fsencode(tmp_path))
    assert (b"", False, b"-") == (origin.boot(), origin.is_boot(b"x"), origin.clock())


def test_fake_machine_marks_its_pidfiles(tmp_path: Path, fake_processes: FakeProcesses) -> None:
    """Its marks exclude another process with the pid, and a process of another machine."""
    path = tmp_path / "pid"
    match = ssd.Match(pidfile=path)
    fake_processes.allow_unregistered()
    command = ssd.Command(["/usr/sbin/webd"])
    daemon = ssd.start(match, command, make_pidfile=True, table=fake_processes)
    assert 0 == ssd.status(match, table=fake_processes)
    other = FakeProcesses()
    other.add("webd", pid=daemon.pid, start_time=daemon.start_time)
    assert 1 == ssd.status(match, table=other)
    fake_processes[daemon.pid].die()
    fake_processes.add("stranger", pid=daemon.pid)
    assert 1 == ssd.status(match, table=fake_processes)
    assert [] == ssd.stop(match, table=fake_processes)
    assert ssd.start(match, command, make_pidfile=True, table=fake_processes).pid != daemon.pid


def test_fake_pidlockfile_is_marked(pidfile: Path, fake_processes: FakeProcesses) -> None:
    """When another process gets the owner's pid, the lock is free."""
    owner = fake_processes.caller
    lock = ssd.PIDLockFile(str(pidfile), table=fake_processes)
    lock.acquire()
    assert (f"{owner.pid}\n", True) == (pidfile.read_text(), lock.is_locked())
    owner.die()
    fake_processes.add("stranger", pid=owner.pid)
    assert not lock.is_locked()
