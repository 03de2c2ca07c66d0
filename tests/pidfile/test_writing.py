"""Writing a pidfile: complete, or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run
from kit.children import python
from kit.leaks import listing, nothing_left
from kit.namespace import in_mounts
from kit.pidfiles import Make, endless_device, file, listener, write
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd import pidfile
from ssd.errors import PidfileUnwritable


@pytest.mark.parametrize(
    ("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0, 0o644), (0o777, 0)]
)
def test_mode_is_0644_less_the_umask(umask: int, mode: int, tmp_path: Path) -> None:
    """The umask of the process does not matter, and others may never write it."""
    before = os.umask(0o027)
    try:
        write(tmp_path / "pid", 123, umask=umask)
    finally:
        assert 0o027 == os.umask(before)
    assert mode == stat.S_IMODE((tmp_path / "pid").stat().st_mode)


def test_pidfile_is_writable_by_its_writer_only(tmp_path: Path) -> None:
    """The default mode is 0644."""
    write(tmp_path / "pid", 123)
    assert 0o644 == stat.S_IMODE((tmp_path / "pid").stat().st_mode)


@pytest.mark.requires_root
def test_pidfile_in_a_setgid_directory_is_trusted(tmp_path: Path) -> None:
    """The set-group-ID bit gives the directory's group to new files (inode(7))."""
    os.chown(tmp_path, NOBODY, NOBODY)
    tmp_path.chmod(0o2755)
    write(tmp_path / "pid", 123)
    assert (os.getgid(), 123) == (
        (tmp_path / "pid").stat().st_gid,
        pidfile.read(str(tmp_path / "pid")),
    )


def test_content_is_the_pid_and_a_newline(tmp_path: Path) -> None:
    """It contains nothing else, and nothing else is left in the directory."""
    with nothing_left():
        write(tmp_path / "pid", 123)
    assert (b"123\n", ["pid"]) == ((tmp_path / "pid").read_bytes(), listing(tmp_path))


def test_write_replaces_an_old_pidfile(tmp_path: Path) -> None:
    """A process that has the old file open still reads the old pid."""
    path = tmp_path / "pid"
    path.write_text("a very long old content\n")
    with open(path) as old:
        write(str(path), 7)
        assert "a very long old content\n" == old.read()
    assert ("7\n", ["pid"]) == (path.read_text(), listing(tmp_path))


def test_write_breaks_a_hard_link(tmp_path: Path) -> None:
    """The other name of the old pidfile keeps its content."""
    (tmp_path / "precious").write_text("precious\n")
    os.link(tmp_path / "precious", tmp_path / "pid")
    write(tmp_path / "pid", 7)
    assert ("precious\n", "7\n") == (
        (tmp_path / "precious").read_text(),
        (tmp_path / "pid").read_text(),
    )


@pytest.mark.parametrize("relative", [False, True])
def test_name_may_be_any_bytes(
    relative: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It need not be UTF-8, and may have 255 bytes."""
    monkeypatch.chdir(tmp_path)
    for name in (b"\xff\xfe.pid", b"x" * 255, b"-p", b" ", b".hidden"):
        path = name if relative else os.fsencode(tmp_path) + b"/" + name
        write(path, 7)
        assert ([os.fsdecode(name)], 7) == (listing(tmp_path), pidfile.read(path))
        pidfile.remove(path)
    assert [] == listing(tmp_path)


def _to_precious(path: Path) -> None:
    path.symlink_to("precious")


# what has the pidfile's name -> errno of the error
SPECIAL: dict[str, tuple[Make, int]] = {
    "a link": (_to_precious, errno.ELOOP),
    "a dangling link": (lambda path: path.symlink_to("none"), errno.ELOOP),
    "a directory": (lambda path: path.mkdir(), errno.EISDIR),
    "a pipe": (os.mkfifo, errno.EINVAL),
    "a socket": (listener, errno.EINVAL),
    "a device": (endless_device, errno.EINVAL),
}


@pytest.mark.timeout(60)  # a FIFO would block
@pytest.mark.parametrize("case", SPECIAL)
def test_write_replaces_only_a_regular_file(case: str, tmp_path: Path) -> None:
    """Any other kind of file stays as it is, and so does a link's target."""
    make, code = SPECIAL[case]
    (tmp_path / "precious").write_text("precious\n")
    make(tmp_path / "pid")
    before = (tmp_path / "pid").lstat()
    with nothing_left(), pytest.raises(PidfileUnwritable) as caught:
        write(tmp_path / "pid", 7)
    assert code == caught.value.errno
    assert ("precious\n", ["pid", "precious"]) == (
        (tmp_path / "precious").read_text(),
        listing(tmp_path),
    )
    assert before.st_ino == (tmp_path / "pid").lstat().st_ino


def test_write_to_the_null_device_does_nothing() -> None:
    """``--pidfile /dev/null`` means no pidfile."""
    before = os.stat("/dev/null")
    write("/dev/null", 7)
    assert (before.st_ino, before.st_mode) == (
        os.stat("/dev/null").st_ino,
        os.stat("/dev/null").st_mode,
    )


def test_temporary_file_of_a_killed_start_is_replaced(tmp_path: Path) -> None:
    """It does not block the next start, and a link instead of it is not followed."""
    (tmp_path / "precious").write_text("precious\n")
    write(tmp_path / "pid", 7)
    for leave in (lambda path: path.write_text("1234"), _to_precious):
        leave(tmp_path / ".pid.tmp")
        write(tmp_path / "pid", 8)
        assert ("8\n", ["pid", "precious"]) == (
            (tmp_path / "pid").read_text(),
            listing(tmp_path),
        )
    assert "precious\n" == (tmp_path / "precious").read_text()


WRITE = """
import sys
from ssd.pidfile import writing
from ssd.errors import PidfileUnwritable
try:
    writing.write(sys.argv[1], 7)
except PidfileUnwritable as error:
    print(error.errno)
"""
FULL = """
mount -t tmpfs -o size=4k none "$1"; echo old > "$1/pid"
"$2" -c "$3" "$1/pid"; cat "$1/pid"; ls -A "$1"
"""
READ_ONLY = 'mount -t tmpfs -o ro none "$1"; "$2" -c "$3" "$1/pid"'


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_full_disk_keeps_the_old_pidfile(tmp_path: Path, run: Run) -> None:
    """The temporary file is removed."""
    done = run(*in_mounts(FULL, tmp_path, sys.executable, WRITE))
    assert (f"{errno.ENOSPC}\nold\npid\n", 0) == (done.stdout, done.returncode), done.stderr


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_read_only_disk_is_reported(tmp_path: Path, run: Run) -> None:
    """PidfileUnwritable has EROFS."""
    done = run(*in_mounts(READ_ONLY, tmp_path, sys.executable, WRITE))
    assert (f"{errno.EROFS}\n", 0) == (done.stdout, done.returncode), done.stderr


def test_directory_of_another_user_is_not_permitted(tmp_path: Path) -> None:
    """An ordinary user cannot write into root's directory, and leaves nothing there."""
    skip_without_nobody()
    with shared(tmp_path, 0o755):
        done = python(WRITE, tmp_path / "pid", **as_nobody())
    assert (f"{errno.EACCES}\n".encode(), []) == (done.stdout, listing(tmp_path)), done.stderr


# Real and effective group, and the group that the directory gives.
GROUPS = {"it is a user's own": (NOBODY, NOBODY), "it is no longer the caller's": (5002, 5001)}


@pytest.mark.parametrize("who", GROUPS)
def test_pidfile_gets_the_callers_group_if_permitted(who: str, tmp_path: Path) -> None:
    """chown(2) needs a member of the group; the pidfile is written in any case."""
    skip_without_nobody()
    real, given = GROUPS[who]
    change = f"import os; os.setgroups([]); os.setresgid({real}, {NOBODY}, {NOBODY})"
    change += f"; os.setresuid({NOBODY}, {NOBODY}, {NOBODY})"
    with shared(tmp_path, 0o2755, NOBODY, 5001):
        done = python(change + WRITE, tmp_path / "pid", cwd="/")
    facts = (tmp_path / "pid").stat()
    assert (b"", 0, NOBODY, given) == (done.stdout, done.returncode, facts.st_uid, facts.st_gid)


def test_file_in_a_foreign_directory_is_written_in_place(
    tmp_path: Path,
) -> None:
    """No temporary file can be created there, so the old file is overwritten."""
    skip_without_nobody()
    path = tmp_path / "pid"
    file("a long old content\n", uid=NOBODY, gid=NOBODY)(path)
    before = path.stat().st_ino
    with shared(tmp_path, 0o755):
        done = python(WRITE, path, **as_nobody())
    assert (b"", "7\n", before) == (done.stdout, path.read_text(), path.stat().st_ino)


@pytest.mark.requires_root
@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_write_follows_no_planted_directory_link(mode: int, tmp_path: Path) -> None:
    """Row 2 holds for writing, too: the file behind the link does not change."""
    (tmp_path / "real").mkdir()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(mode)
    (tmp_path / "theirs" / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PidfileUnwritable) as caught:
        write(tmp_path / "theirs" / "link" / "pid", 7)
    assert (None, []) == (caught.value.errno, listing(tmp_path / "real"))
    assert "link" in str(caught.value.reason)


WRITE_OFTEN = """
import sys
from ssd.pidfile import writing
for pid in [1, 2**31 - 1] * 200:
    writing.write(sys.argv[1], pid).close()
print("done")
"""


def test_reader_never_sees_half_a_pidfile(tmp_path: Path) -> None:
    """While one process writes, another one reads one of the two pids at any moment."""
    path = tmp_path / "pid"
    path.write_text("1\n")
    seen = {path.read_bytes()}
    command = [sys.executable, "-c", WRITE_OFTEN, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        while writer.poll() is None:
            seen.add(path.read_bytes())
        assert writer.stdout is not None
        assert b"done\n" == writer.stdout.read()
    seen.add(path.read_bytes())  # with one CPU the writer may have finished before
    assert {b"1\n", b"2147483647\n"} == seen


# Writes a pidfile while the size of files is limited, so that write(2) writes only a part.
WRITE_LIMITED = """
import resource, sys
from ssd.pidfile import writing
from ssd.errors import PidfileUnwritable
path, pid, most = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    writing.write(path, pid)
except PidfileUnwritable as error:
    print(error.errno)
"""
TOO_BIG = b"%d\n" % errno.EFBIG


@pytest.mark.parametrize("most", [0, 1, 2, 5])
def test_short_write_keeps_the_old_pidfile(most: int, tmp_path: Path) -> None:
    """The old pidfile does not change, and nothing is left beside it."""
    path = tmp_path / "pid"
    path.write_text("old\n")
    done = python(WRITE_LIMITED, path, "23474", str(most))
    assert (TOO_BIG, "old\n", ["pid"]) == (done.stdout, path.read_text(), listing(tmp_path))


@pytest.mark.parametrize("most", [0, 1, 2, 5])
@pytest.mark.parametrize("old", ["1\n", "987654\n", "98765432\n"])
def test_short_write_in_place_leaves_no_half_pid(old: str, most: int, tmp_path: Path) -> None:
    """Over "987654", half of "23474" would give 237654; instead it has no pid, or the old one."""
    skip_without_nobody()
    path = tmp_path / "pid"
    file(old, uid=NOBODY, gid=NOBODY)(path)
    with shared(tmp_path, 0o755):
        done = python(WRITE_LIMITED, path, "23474", str(most), **as_nobody())
    assert TOO_BIG == done.stdout, done.stderr
    assert path.read_text() in ("", old)
    assert pidfile.parse(path.read_bytes()) in (None, int(old))
