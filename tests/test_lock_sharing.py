"""The lock of a start among users: who may open it, and who waits for whom."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from locks import TRY, holder, line, take
from support import NOBODY, as_nobody, listing, python, shared, skip_without_nobody

# mode, owner, group of the directory -> mode, owner, group of the lock that root makes
RIGHTS = {
    (0o755, 0, 0): (0o600, 0, 0),
    (0o700, 0, 0): (0o600, 0, 0),
    (0o755, NOBODY, NOBODY): (0o600, NOBODY, NOBODY),
    (0o775, 0, NOBODY): (0o660, 0, NOBODY),
    (0o2775, 0, NOBODY): (0o660, 0, NOBODY),
    (0o777, 0, 0): (0o666, 0, 0),
    (0o1777, 0, 0): (0o666, 0, 0),
    (0o757, 0, 0): (0o606, 0, 0),
}


@pytest.mark.requires_root
@pytest.mark.parametrize("rights", RIGHTS)
def test_whoever_may_write_the_directory_may_open_the_lock(
    rights: tuple[int, int, int], tmp_path: Path
) -> None:
    """And nobody else: a stranger can hold no lock that others wait for."""
    mode, uid, gid = rights
    os.chown(tmp_path, uid, gid)
    tmp_path.chmod(mode)
    lock = take(tmp_path / "x.pid")
    facts = os.fstat(lock.fileno())
    lock.release()
    assert RIGHTS[rights] == (stat.S_IMODE(facts.st_mode), facts.st_uid, facts.st_gid)


def test_a_stranger_cannot_open_roots_lock(tmp_path: Path) -> None:
    """In root's own directory he gets none, held or not, and leaves none there."""
    skip_without_nobody()
    with shared(tmp_path, 0o755):
        free = python(TRY, tmp_path / "x.pid", **as_nobody()).stdout
        lock = take(tmp_path / "x.pid")
        held = python(TRY, tmp_path / "x.pid", **as_nobody()).stdout
        lock.release()
    assert (b"NoLock\n", b"NoLock\n", []) == (free, held, listing(tmp_path))


@pytest.mark.requires_root
def test_what_the_directorys_owner_plants_is_not_given_to_him(tmp_path: Path) -> None:
    """A hard link in the place of a file that root is to make, and to hand over, is left alone."""
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "precious").chmod(0o600)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    for name in (f".x.pid.lock.{os.getpid()}", ".x.pid.tmp"):
        os.link(tmp_path / "precious", theirs / name)
    take(theirs / "x.pid").release()
    facts = (tmp_path / "precious").stat()
    assert (0, 0o600) == (facts.st_uid, stat.S_IMODE(facts.st_mode))


SOMEBODY = 1  # a second ordinary user
GROUP = 4321  # a group that both are in
USERS: dict[str, dict[str, Any]] = {
    "root": {},
    "nobody": {"user": NOBODY, "group": NOBODY, "extra_groups": [GROUP], "cwd": "/"},
    "somebody": {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": [GROUP], "cwd": "/"},
}
SHARED = {
    "a directory of everybody's": (0o777, 0, 0),
    "a sticky directory": (0o1777, 0, 0),
    "a directory of a group": (0o775, 0, GROUP),
    "a directory that hands its group down": (0o2775, 0, GROUP),
}


@pytest.mark.parametrize("where", SHARED)
@pytest.mark.parametrize(
    ("first", "second"),
    [("nobody", "somebody"), ("root", "nobody"), ("nobody", "root")],
)
def test_two_users_of_one_directory_exclude_each_other(
    first: str, second: str, where: str, tmp_path: Path
) -> None:
    """Whoever may write the pidfile waits for whoever else may."""
    skip_without_nobody()
    path = tmp_path / "x.pid"
    with shared(tmp_path, *SHARED[where]), holder(path, **USERS[first]) as process:
        assert b"held\n" == line(process)
        done = python(TRY, path, **USERS[second])
    assert b"StartBlocked\n" == done.stdout, done.stderr


@pytest.mark.parametrize("where", SHARED)
def test_the_lock_file_of_another_user_that_was_killed_is_taken_over(
    where: str, tmp_path: Path
) -> None:
    """Also where it may not be removed, as in a sticky directory."""
    skip_without_nobody()
    path = tmp_path / "x.pid"
    with shared(tmp_path, *SHARED[where]):
        with holder(path, **USERS["nobody"]) as process:
            assert b"held\n" == line(process)
        done = python(TRY, path, **USERS["somebody"])
    assert (b"free\n", b"") == (done.stdout, done.stderr)
