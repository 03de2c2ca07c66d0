"""Where a supervisor has its files, and who may have a hand in that."""

import errno
import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.users import as_nobody, shared, skip_without_nobody

from ssd import homes
from ssd.service import SUPERVISORS
from ssd.supervision import places
from ssd.supervision.places import (
    UPSTART,
    Occupied,
    enter,
    home,
    key,
    log_directory,
    sockets,
    upstart_link,
)

PARTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1)
PATHS = st.lists(PARTS.filter(lambda part: part not in (".", "..")), max_size=4)


@pytest.fixture
def user(tmp_path: Path, monkeypatch) -> Path:
    """Give the caller the places of an ordinary user, in a home directory of its own."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "declared").mkdir()
    monkeypatch.setattr(places, "base", lambda uid: (home(uid), (".cache", "ssd", "supervise")))
    return tmp_path


@given(PATHS.map("/".join))
def test_key_can_be_read_and_is_no_other_ones(path: str) -> None:
    """It is a name in one directory; the path can be had back from it."""
    made = key(f"/no such place/{path}")
    if "%%" in made:
        return
    assert "/" not in made
    back = made.replace("-", "/").replace("%2d", "-").replace("%25", "%")
    assert os.path.normpath(f"no such place/{path}") == back


def test_key_follows_links(tmp_path: Path) -> None:
    """A directory has one supervisor, whatever path leads to it."""
    (tmp_path / "link").symlink_to(tmp_path)
    assert key(str(tmp_path)) == key(f"{tmp_path}/link") == key(f"{tmp_path}/")
    assert "etc-ssd" == key("/etc/ssd")
    assert "-" == key("/")
    assert key("/srv/a-b") != key("/srv/a/b")


def test_link_of_upstart_is_beside_all_run_directories(user: Path) -> None:
    """No directory of declarations has its name for a key."""
    link = upstart_link(os.geteuid())
    assert link == f"{user}/home/.cache/ssd/supervise/%upstart"
    assert key("/%upstart") != os.path.basename(link)
    assert [f"{link}/socket", f"{SUPERVISORS}/%upstart/socket"] == sockets(UPSTART, os.geteuid())


def test_key_of_a_long_path_fits(tmp_path: Path) -> None:
    """It names the directory itself, and has the end of the path."""
    deep = tmp_path.joinpath(*["d" * 60] * 5)
    deep.mkdir(parents=True)
    made, other = key(str(deep)), key(str(deep.parent))
    assert len(made) <= 255 and made != other
    assert made.endswith("-" + "d" * 60)


def test_home_is_the_variable_or_the_accounts(tmp_path: Path, monkeypatch) -> None:
    """One that others can write, or that is another user's, is none."""
    uid = os.geteuid()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert str(tmp_path) == home(uid)
    listed = pwd.getpwuid(uid).pw_dir
    assert (listed if homes._is_home(listed, uid) else None) == home(uid, "")
    tmp_path.chmod(0o777)
    assert (listed if homes._is_home(listed, uid) else None) == home(uid)
    monkeypatch.setenv("HOME", "/")
    assert (listed if homes._is_home(listed, uid) else None) == home(uid)
    assert home(4_000_000_000) is None
    tmp_path.chmod(0o700)


def test_client_looks_for_its_own_socket_and_for_roots(user: Path) -> None:
    """In this order."""
    declared = str(user / "declared")
    own = f"{user}/home/.cache/ssd/supervise/{key(declared)}/socket"
    assert [own, f"{SUPERVISORS}/{key(declared)}/socket"] == sockets(declared, os.geteuid())


def test_run_directory_is_for_its_user_alone(user: Path) -> None:
    """Under any umask; a group may pass if one is given."""
    before = os.umask(0)
    try:
        made = enter(str(user / "declared"))
        mode = stat.S_IMODE(os.stat(made.path).st_mode)
        assert (0o700, 0) == (mode, os.stat(user / "home" / ".cache").st_mode & 0o022)
        assert os.path.samestat(os.fstat(made.descriptor), os.stat(made.path))
        made.close()
        made = enter(str(user / "declared"), os.getegid())
        assert 0o710 == stat.S_IMODE(os.stat(made.path).st_mode)
        made.close()
    finally:
        os.umask(before)


def test_places_are_in_the_run_directory(user: Path) -> None:
    """But for the logs."""
    made = enter(str(user / "declared"))
    found = [made.socket, made.journal, made.fifo("web")]
    assert [f"{made.path}/{name}" for name in ("socket", "journal", "web.fifo")] == found
    assert f"{log_directory(os.geteuid())}/web.log" == made.log("web")
    assert str(user / "declared") == made.directory
    made.close()


def test_directory_that_others_can_write_is_refused(user: Path) -> None:
    """At any place of the way; so is a link."""
    made = enter(str(user / "declared"))
    made.close()
    run, above = Path(made.path), Path(made.path).parent
    for place in (run, above, above.parent):
        mode = place.stat().st_mode
        place.chmod(0o777)
        with pytest.raises(PermissionError) as raised:
            enter(str(user / "declared"))
        assert str(place) == raised.value.filename
        place.chmod(mode)
    run.rmdir()
    run.symlink_to(user)
    with pytest.raises(OSError):
        enter(str(user / "declared"))


def test_second_supervisor_is_refused(user: Path) -> None:
    """It is told which process the first one is; when that ends, the next may."""
    first, second = enter(str(user / "declared")), enter(str(user / "declared"))
    fd = first.lock()
    assert fd == first.lock()
    with pytest.raises(Occupied) as raised:
        second.lock()
    assert (os.getpid(), first.directory) == (raised.value.pid, raised.value.directory)
    first.close()
    second.lock()
    second.close()


@pytest.mark.parametrize("call", ["fchmod", "pwrite"])
def test_failed_call_names_its_path(user: Path, monkeypatch, call: str) -> None:
    """Also where the kernel was given a descriptor: a read-only file system."""

    def fail(*given: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    made = enter(str(user / "declared"))
    monkeypatch.setattr(places.os, call, fail)
    with pytest.raises(OSError) as raised:
        enter(str(user / "declared")).lock()
    assert raised.value.filename in (made.path, f"{made.path}/lock")


def test_full_disk_prevents_no_lock(user: Path, monkeypatch) -> None:
    """The pid in it is only for a message."""

    def fail(*given: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(places.os, "pwrite", fail)
    made = enter(str(user / "declared"))
    made.lock()
    assert made.is_first
    made.close()
    again = enter(str(user / "declared"))
    again.lock()
    assert not again.is_first
    again.close()


def test_places_of_root_are_the_systems() -> None:
    """Those of other users are in their homes, or in /tmp without one."""
    if os.access("/run", os.W_OK):
        assert ("/run", ("ssd-supervise",)) == places.base(0)
    assert "/var/log/ssd" == log_directory(0)
    assert ("/tmp", ("ssd-4000000000", "supervise")) == places.base(4_000_000_000)
    assert "/tmp/ssd-4000000000/log" == log_directory(4_000_000_000)


HOMELESS = 65533  # a user without an account
ENTER = """
import sys
from ssd.supervision.places import enter
try:
    print(enter(sys.argv[1]).path)
except OSError as error:
    sys.exit(error.filename)
"""


def test_user_without_a_home_is_in_tmp(tmp_path: Path) -> None:
    """A directory there that somebody else has made is refused."""
    skip_without_nobody()
    planted = Path(f"/tmp/ssd-{HOMELESS}")
    with shared(tmp_path, 0o755):
        planted.mkdir(mode=0o755)
        try:
            argv = [sys.executable, "-c", ENTER, str(tmp_path)]
            options = {"capture_output": True, "text": True, "env": {}}
            done = subprocess.run(argv, **options, **{**as_nobody(), "user": HOMELESS})
            assert (1, f"{planted}\n") == (done.returncode, done.stderr)
        finally:
            planted.rmdir()


def test_default_directory_is_the_users(monkeypatch) -> None:
    """XDG_CONFIG_HOME counts if it is absolute; root's is /etc/ssd."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setattr(places.os, "geteuid", lambda: 1000)
    for value, wanted in (("", "/home/me/.config"), ("x", "/home/me/.config"), ("/c", "/c")):
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
        assert f"{wanted}/ssd" == places.default_directory()
    monkeypatch.setattr(places.os, "geteuid", lambda: 0)
    assert "/etc/ssd" == places.default_directory()
