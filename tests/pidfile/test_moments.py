"""The pidfile between two steps: what others do, or see, at the worst moment.

The moment is an audit event of the interpreter (sys.addaudithook), which comes right before
the system call; a hook stays for good, so each test has an interpreter of its own.
"""

import errno
import os
import pty
import sys
from pathlib import Path

import pytest
from conftest import Run
from kit.children import python
from kit.leaks import listing
from kit.namespace import in_mounts
from kit.pidfiles import file
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

BEGIN = """
import os, sys
from ssd import pidfile; from ssd.pidfile import writing
path = sys.argv[1]
"""

# Reading -------------------------------------------------------------------------------

OPENS = f"""{BEGIN}
def note(event, arguments):
    if event == "open":
        print(os.fsdecode(arguments[0]))
sys.addaudithook(note)
pidfile.read(path)
"""


def test_plain_path_is_opened_once(tmp_path: Path) -> None:
    """Most paths have no link in them, and need no walk from the root."""
    file()(tmp_path / "pid")
    done = python(OPENS, tmp_path / "pid")
    assert f"{tmp_path}/pid\n" == done.stdout.decode(), done.stderr


PLANT_A_LINK = f"""{BEGIN}
def plant(event, arguments):
    if event == "open" and arguments[0] == "pid":
        os.rename(path + ".link", path)
sys.addaudithook(plant)
try:
    print(pidfile.read(path))
except pidfile.PidfileUnreadable as error:
    print(os.path.islink(path), error.reason)
"""


def test_link_planted_after_the_walk_is_not_followed(tmp_path: Path) -> None:
    """Row 2: the walk found no link, so none is followed afterwards."""
    file()(tmp_path / "pid")
    file("7\n")(tmp_path / "other")
    (tmp_path / "pid.link").symlink_to("other")
    done = python(PLANT_A_LINK, f"{tmp_path}/./pid")  # the dot requires a walk
    assert f"True {os.strerror(errno.ELOOP)}\n".encode() == done.stdout, done.stderr


TERMINAL = f"""{BEGIN}
try:
    pidfile.read(path)
finally:
    try:
        os.open("/dev/tty", os.O_RDWR)
    except OSError as error:
        os._exit(error.errno == 6)  # ENXIO: no terminal (tty(4))
"""


def test_terminal_as_pidfile_does_not_become_ours() -> None:
    """A session leader without a terminal would get it by open(2)."""
    try:
        master, slave = pty.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal: {error.strerror or error}")
    try:
        done = python(TERMINAL, os.ttyname(slave), start_new_session=True)
    finally:
        os.close(master)
        os.close(slave)
    assert 1 == done.returncode, done.stderr


READ = f"""{BEGIN}
try:
    print(pidfile.read(path))
except pidfile.PidfileUnsafe as error:
    print("unsafe")
"""
WITHOUT_PROC = """
mount -t tmpfs none /proc
for name in pid theirs/link/pid; do "$2" -c "$3" "$1/$name"; done
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_reading_without_proc_refuses_a_planted_link(tmp_path: Path, run: Run) -> None:
    """Row 2 holds even if the kernel does not tell the path of a descriptor."""
    file()(tmp_path / "pid")
    (tmp_path / "real").mkdir()
    file()(tmp_path / "real" / "pid")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    (tmp_path / "theirs" / "link").symlink_to(tmp_path / "real")
    done = run(*in_mounts(WITHOUT_PROC, tmp_path, sys.executable, READ))
    assert "123\nunsafe\n" == done.stdout, done.stderr


# Writing -------------------------------------------------------------------------------

MODE = f"""{BEGIN}
def note(event, arguments):
    if event == "os.chmod":
        print(oct(os.fstat(arguments[0]).st_mode))
os.umask(0)
sys.addaudithook(note)
writing.write(path, 7)
"""


@pytest.mark.parametrize("left", [[], [".pid.tmp"]], ids=["alone", "after a start was killed"])
def test_temporary_file_is_closed_to_other_users(left: list[str], tmp_path: Path) -> None:
    """No other user can open the temporary file before it has its mode."""
    for name in left:
        file(mode=0o666)(tmp_path / name)
    done = python(MODE, tmp_path / "pid")
    assert b"0o100600\n" == done.stdout, done.stderr


def test_directory_in_place_of_the_temporary_file_stays(tmp_path: Path) -> None:
    """Another name is used, and removed in the end."""
    (tmp_path / ".pid.tmp").mkdir()
    python(f"{BEGIN}writing.write(path, 7)", tmp_path / "pid", check=True)
    assert ([".pid.tmp", "pid"], "7\n") == (listing(tmp_path), (tmp_path / "pid").read_text())


def test_temporary_file_of_another_user_stays(tmp_path: Path) -> None:
    """Another user may have left it in a directory such as /tmp."""
    skip_without_nobody()
    file("theirs")(tmp_path / ".pid.tmp")
    with shared(tmp_path, 0o1777):
        done = python(f"{BEGIN}writing.write(path, 7)", tmp_path / "pid", **as_nobody())
    assert (b"", [".pid.tmp", "pid"]) == (done.stderr, listing(tmp_path))
    assert ("theirs", "7\n", NOBODY) == (
        (tmp_path / ".pid.tmp").read_text(),
        (tmp_path / "pid").read_text(),
        (tmp_path / "pid").stat().st_uid,
    )


OVERWRITE = f"""{BEGIN}
try:
    writing.write(path, 7)
except pidfile.PidfileUnwritable as error:
    print(error.reason)
"""


def test_hard_link_is_not_written_in_place(tmp_path: Path) -> None:
    """Writing in place would change the file under its other name, too."""
    skip_without_nobody()
    file("old\n", uid=NOBODY, gid=NOBODY)(tmp_path / "pid")
    os.link(tmp_path / "pid", tmp_path / "second")
    with shared(tmp_path, 0o755):
        done = python(OVERWRITE, tmp_path / "pid", **as_nobody())
    assert b"it has a second name (hard link)\n" == done.stdout, done.stderr
    assert "old\n" == (tmp_path / "second").read_text()
