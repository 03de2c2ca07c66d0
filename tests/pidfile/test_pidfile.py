"""Reading and removing a pidfile."""

import errno
import os
import stat
import sys
from pathlib import Path

import pytest
from conftest import Run
from hypothesis import given
from hypothesis import strategies as st
from kit.children import python
from kit.leaks import listing, nothing_left
from kit.pidfiles import (
    MISSING,
    UNREADABLE,
    UNSAFE,
    Make,
    directory,
    endless_device,
    file,
    hard_link,
    link,
    listener,
    nothing,
    outcome,
    terabyte,
)
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd import pidfile
from ssd.errors import PidfileUnreadable, PidfileUnwritable

PID_MAX = 2**31 - 1

# Parsing -------------------------------------------------------------------------------

CONTENTS = {
    b"123\n": 123,
    b"123": 123,
    b" 123 \n": 123,
    b"\t\n\v\f\r7": 7,
    b"007\n": 7,
    b"1": 1,
    b"2147483647\n": PID_MAX,
    b"12 34\n": 12,
    b"1234\n/var/lib/postgresql\n5432\n": 1234,
    b"5 \xff\x00 and what not": 5,
    b"": None,
    b"\n": None,
    b" \t\n": None,
    b"0\n": None,
    b"-1\n": None,
    b"- 1\n": None,
    b"+1\n": None,
    b"12abc\n": None,
    b"abc12\n": None,
    b"text\n": None,
    b"x 5\n": None,
    b"1.5\n": None,
    b"1e3\n": None,
    b"1_000\n": None,
    b"0x10\n": None,
    b"12,34\n": None,
    b"12\x00\n": None,
    b"\x00\x00\x00": None,
    b"2147483648\n": None,
    b"4294967297\n": None,
    b"18446744073709551617\n": None,
    b"9" * 4096: None,
    b"7".zfill(20): 7,
    b"7".zfill(21): None,
    "٥\n".encode(): None,
    b"\xb2\n": None,  # a superscript two in Latin-1
}


@pytest.mark.parametrize("content", CONTENTS)
def test_parse_takes_a_positive_decimal_first_word(content: bytes) -> None:
    """Row 1: for anything else there is no pid, and nothing is signalled."""
    assert CONTENTS[content] == pidfile.parse(content)


def test_parse_rejects_a_number_too_long_for_python() -> None:
    """Python's limit for digits may be lower than the size of a pidfile."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert pidfile.parse(b"9" * 4096) is None
    finally:
        sys.set_int_max_str_digits(before)


@given(st.binary(max_size=30) | st.text("0123456789 -+\n").map(str.encode))
def test_parse_never_returns_zero_or_a_negative_pid(content: bytes) -> None:
    """For any content, the pid is in the range of pids and in the content."""
    pid = pidfile.parse(content)
    assert pid is None or (0 < pid <= PID_MAX and pid == int(content.split()[0]))


@pytest.mark.parametrize(
    ("content", "started"),
    [(b"5\n6\n", 6), (b"5\n", None), (b"5\nx\n", None), (b"5 6 7\n", None), (b"", None)],
)
def test_start_time_is_a_single_second_word(content: bytes, started: int | None) -> None:
    """An older PIDLockFile wrote it; other pidfiles have no such line."""
    assert started == pidfile.Entry(content).started


# Distrust ------------------------------------------------------------------------------

REG, DIR, FIFO, CHR = stat.S_IFREG, stat.S_IFDIR, stat.S_IFIFO, stat.S_IFCHR

# mode, uid, gid, links, sole criterion -> trusted; the caller is root
BELIEVED = {
    (REG | 0o644, 0, 0, 1, True): True,
    (REG | 0o644, 0, 0, 1, False): True,
    (REG | 0o600, 0, 0, 1, True): True,
    (REG | 0o664, 0, 0, 1, True): True,  # group-writable by root's group
    (REG | 0o644, NOBODY, 0, 1, True): False,
    (REG | 0o644, NOBODY, 0, 1, False): True,
    (REG | 0o644, 0, NOBODY, 1, True): False,
    (REG | 0o644, 0, NOBODY, 1, False): True,
    (REG | 0o664, 0, NOBODY, 1, True): False,
    (REG | 0o664, 0, NOBODY, 1, False): False,
    (REG | 0o644, NOBODY, NOBODY, 1, True): False,
    (REG | 0o644, NOBODY, NOBODY, 1, False): True,
    (REG | 0o646, 0, 0, 1, True): False,
    (REG | 0o602, 0, 0, 1, False): False,
    (REG | 0o666, NOBODY, NOBODY, 1, False): False,
    (REG | 0o644, 0, 0, 2, True): False,
    (REG | 0o644, 0, 0, 2, False): False,
    (REG | 0o644, 0, 0, 0, True): True,  # replaced after it was opened
    (DIR | 0o755, 0, 0, 5, True): True,  # a directory has several links, and no pid
    (FIFO | 0o644, 0, 0, 1, True): True,
    (CHR | 0o666, 0, 0, 1, True): False,
}


def facts(mode: int, uid: int, gid: int, links: int) -> os.stat_result:
    """Return what fstat(2) would return for such a file."""
    return os.stat_result((mode, 1, 1, links, uid, gid, 5, 0, 0, 0))


@pytest.mark.requires_root
@pytest.mark.parametrize("case", BELIEVED)
def test_trust_depends_on_owner_mode_and_links(case: tuple) -> None:
    """Row 2: only root or the caller may have chosen the pid, unless two criteria are given."""
    *given, alone = case
    fault = pidfile.distrust(facts(*given), alone)
    assert BELIEVED[case] == (fault is None)
    assert fault is None or fault


def test_pidfile_of_the_caller_is_trusted() -> None:
    """Owner and group may be the caller's or root's."""
    assert pidfile.distrust(facts(REG | 0o664, os.getuid(), os.getgid(), 1), True) is None


# Reading -------------------------------------------------------------------------------

# what is created -> what reading it gives, as the sole criterion and with another one
HOSTILE: dict[str, tuple[Make, object, object]] = {
    "a pid": (file(), 123, 123),
    "minus one": (file("-1\n"), None, None),
    "nought": (file("0\n"), None, None),
    "empty": (file(""), None, None),
    "text": (file("running\n"), None, None),
    "a huge number": (file("9" * 40), None, None),
    "4096 bytes": (file("123\n".ljust(4096, "x")), 123, 123),
    "4097 bytes": (file("123\n".ljust(4097, "x")), None, None),
    "a terabyte": (terabyte, None, None),
    "a pipe": (lambda path: os.mkfifo(path, 0o644), None, None),
    "a directory": (directory, None, None),
    "an endless device": (endless_device, None, None),
    "a socket": (listener, UNREADABLE, UNREADABLE),
    "nothing": (nothing, MISSING, MISSING),
    "a link": (link("real"), 123, 123),
    "a dangling link": (link("none"), MISSING, MISSING),
    "a link to itself": (link("pid"), UNREADABLE, UNREADABLE),
    "a hard link": (hard_link, UNSAFE, UNSAFE),
    "world-writable": (file(mode=0o646), UNSAFE, UNSAFE),
    "another's": (file(uid=NOBODY), UNSAFE, 123),
    "another group's": (file(gid=NOBODY), UNSAFE, 123),
    "another group's to write": (file(mode=0o664, gid=NOBODY), UNSAFE, UNSAFE),
    "closed": (file(mode=0), 123, 123),  # root can read it
}


@pytest.mark.requires_root
@pytest.mark.timeout(60)  # a FIFO would block
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pidfile_gives_no_pid(case: str, tmp_path: Path) -> None:
    """Rows 1 to 3: there is no pid, or an error; it never blocks and leaves nothing open."""
    make, alone, second = HOSTILE[case]
    path = tmp_path / "pid"
    make(path)
    with nothing_left():
        assert (alone, second) == (
            outcome(pidfile.read, str(path), True),
            outcome(pidfile.read, str(path), False),
        )


LINKED = {"a link to a pidfile": "pid", "a link to its directory": "directory/pid"}


@pytest.mark.requires_root
@pytest.mark.parametrize("case", LINKED)
@pytest.mark.parametrize("real", ["a", "z"])  # before and after "theirs"
@pytest.mark.parametrize(("mode", "uid"), [(0o755, 0), (0o777, 0), (0o755, NOBODY)])
def test_planted_link_is_refused_and_a_trusted_one_followed(
    case: str, mode: int, uid: int, real: str, tmp_path: Path
) -> None:
    """Row 2: a link is trusted if no other user can write its directory."""
    (tmp_path / real).mkdir()
    (tmp_path / real / "pid").write_text("123\n")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    link = theirs / LINKED[case].split("/")[0]
    link.symlink_to(tmp_path / (f"{real}/pid" if link.name == "pid" else real))
    os.chown(theirs, uid, -1)
    theirs.chmod(mode)
    expected = 123 if (mode, uid) == (0o755, 0) else UNSAFE
    assert expected == outcome(pidfile.read, str(theirs / LINKED[case]), False)


@pytest.mark.parametrize("spelling", ["{0}/pid", "{0}//pid", "{0}/./pid", "{0}/../{1}/pid", "pid"])
def test_pidfile_path_may_have_any_form(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path with detours gives the same pid as a plain one."""
    (tmp_path / "pid").write_text("5\n")
    monkeypatch.chdir(tmp_path)
    assert 5 == pidfile.read(spelling.format(tmp_path, tmp_path.name))


def test_null_device_is_read_as_no_pid() -> None:
    """/dev/null is exempt from the checks, although it is world-writable."""
    assert pidfile.read("/dev/null") is None


@pytest.mark.parametrize(
    ("path", "code"),
    [("/etc/passwd/pid", errno.ENOTDIR), ("/tmp/" + "x" * 300, errno.ENAMETOOLONG)],
)
def test_unreadable_pidfile_carries_its_reason(path: str, code: int) -> None:
    """PidfileUnreadable has path, errno and the system's text for it."""
    with pytest.raises(PidfileUnreadable) as caught:
        pidfile.read(path)
    expected = (path, code, os.strerror(code))
    assert expected == (caught.value.path, caught.value.errno, caught.value.reason)


def test_missing_directory_is_a_missing_pidfile(tmp_path: Path) -> None:
    """Without the directory there is no pidfile: the daemon does not run (status 3)."""
    with pytest.raises(FileNotFoundError):
        pidfile.read(str(tmp_path / "none" / "pid"))


READ_AS_NOBODY = """
import sys
from ssd import pidfile
for path in sys.argv[1:]:
    try:
        print(pidfile.read(path))
    except Exception as error:
        print(type(error).__name__)
"""


def test_ordinary_user_trusts_own_and_roots_pidfiles(tmp_path: Path) -> None:
    """As the only criterion; a third user's pidfile is not trusted."""
    skip_without_nobody()
    for name, uid, mode in (("root", 0, 0o644), ("own", NOBODY, 0o600), ("third", 1, 0o644)):
        file(uid=uid, gid=uid, mode=mode)(tmp_path / name)
    file(mode=0o600)(tmp_path / "closed")
    paths = [tmp_path / name for name in ("root", "own", "third", "closed")]
    with shared(tmp_path, 0o755):
        done = python(READ_AS_NOBODY, *paths, **as_nobody())
    assert b"123\n123\nPidfileUnsafe\nPidfileUnreadable\n" == done.stdout, done.stderr


# Removing ------------------------------------------------------------------------------

# what is created -> the return value, and whether it is removed
REMOVED: dict[str, tuple[Make, bool, bool]] = {
    "a pidfile": (file(), True, True),
    "another's pidfile": (file(mode=0), True, True),
    "a link to a pidfile": (link("real"), True, True),
    "nothing": (nothing, True, True),
    "a dangling link": (link("none"), True, False),
    "a pipe": (os.mkfifo, False, False),
    "a directory": (directory, False, False),
    "a socket": (listener, False, False),
    "a device": (endless_device, False, False),
    "a link to a directory": (link("."), False, False),
}


@pytest.mark.parametrize("case", REMOVED)
def test_remove_takes_a_regular_file_or_a_link_to_one(case: str, tmp_path: Path) -> None:
    """Row 10: anything else stays, such as the null device, and so does a link's target."""
    make, answer, gone = REMOVED[case]
    path = tmp_path / "pid"
    make(path)
    with nothing_left():
        assert (answer, gone) == (pidfile.remove(str(path)), not os.path.lexists(path))
    assert not (tmp_path / "real").exists() or "123\n" == (tmp_path / "real").read_text()


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_null_device_is_never_removed(in_namespace: Run) -> None:
    """Row 10, in a namespace with a /dev of its own."""
    code = "from ssd import pidfile; print(pidfile.remove('/dev/null'))"
    done = in_namespace(sys.executable, "-c", code)
    assert "False\n" == done.stdout, done.stderr
    assert os.path.exists("/dev/null")


@pytest.mark.requires_root
def test_remove_follows_no_planted_directory_link(tmp_path: Path) -> None:
    """The file behind the link stays."""
    (tmp_path / "real").mkdir()
    file()(tmp_path / "real" / "pid")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs").chmod(0o777)
    (tmp_path / "theirs" / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PidfileUnwritable):
        pidfile.remove(str(tmp_path / "theirs" / "link" / "pid"))
    assert ["pid"] == listing(tmp_path / "real")


REMOVE = """
import sys
from ssd import pidfile
from ssd.errors import PidfileUnwritable
try:
    pidfile.remove(sys.argv[1])
except PidfileUnwritable as error:
    print(error.errno)
"""


def test_remove_reports_a_missing_permission(tmp_path: Path) -> None:
    """An ordinary user gets PidfileUnwritable in root's directory, and the file stays."""
    skip_without_nobody()
    file()(tmp_path / "pid")
    with shared(tmp_path, 0o755):
        done = python(REMOVE, tmp_path / "pid", **as_nobody())
    assert (f"{errno.EACCES}\n".encode(), ["pid"]) == (done.stdout, listing(tmp_path)), done.stderr
