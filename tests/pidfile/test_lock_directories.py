"""The directories of locks: one for each account, which no other user can write."""

import fcntl
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run
from kit.children import python
from kit.leaks import listing, nothing_left
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd.matching import Criteria
from ssd.pidfile import lock_directories

KEYS = [
    Criteria(file=(1, 2)),
    Criteria(file=(1, 3)),
    Criteria(file=(11, 2)),
    Criteria(name=b"x"),
    Criteria(name=b"78"),
    Criteria(name=b"../x"),
    Criteria(pid=1),
    Criteria(ppid=1),
    Criteria(uid=1),
    Criteria(name=b"x", uid=1),
    Criteria(file=(1, 2), name=b"x", uid=1, ppid=1),
    Criteria(file=(2**64, 2**64), name=b"a name of a script" * 20, uid=2**32, ppid=2**22),
]


def test_different_criteria_have_different_locks() -> None:
    """The key contains every criterion, and no slash; it is the name of a file."""
    names = [lock_directories.key(criteria) for criteria in KEYS]
    assert max(map(len, names)) <= 255 - len("..lock")
    assert (len(KEYS), []) == (len(set(names)), [name for name in names if b"/" in name])


WITHOUT = """
import os, stat, sys
from ssd.pidfile import locking
from ssd.matching import Criteria, Match
try:
    lock = locking.acquire(Match(name="x"), Criteria(name=b"x"))
except locking.NoLock as error:
    print("NoLock", error.path)
else:
    print(lock.path, oct(stat.S_IMODE(os.stat(os.path.dirname(lock.path)).st_mode)))
    lock.release()
"""


# Prints the directory of a pidfile's lock.
BESIDE = """
import os, sys
from ssd.pidfile import locking
from ssd.matching import Criteria, Match
try:
    lock = locking.acquire(Match(pidfile=sys.argv[1]), Criteria())
except locking.NoLock:
    print("NoLock")
else:
    print(os.path.dirname(lock.path))
    lock.release()
"""


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_roots_locks_are_in_run(in_namespace: Run) -> None:
    """The first lock creates the directory, which only root can write."""
    done = in_namespace(sys.executable, "-c", WITHOUT)
    assert "/run/ssd/.name-78.lock 0o700\n" == done.stdout, done.stderr


def _own(path: Path, mode: int = 0o755) -> None:
    path.mkdir(exist_ok=True)
    os.chown(path, NOBODY, NOBODY)
    path.chmod(mode)


def _made(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Return a function that creates ``.cache/ssd`` in a home by ``make``."""

    def furnish(home: Path) -> None:
        _own(home / ".cache")
        make(home / ".cache" / "ssd")

    return furnish


def _elsewhere(home: Path) -> None:
    _own(home / "scratch")
    (home / ".cache").symlink_to("scratch")


IN_HOME = "{home}/.cache/ssd/.name-78.lock 0o700\n"
IN_TMP = f"/tmp/ssd-{NOBODY}/.name-78.lock 0o700\n"

# what was done to the home directory -> where the lock is
HOMES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda home: None, IN_HOME),
    "with a cache": (lambda home: _own(home / ".cache"), IN_HOME),
    "with a cache elsewhere": (_elsewhere, IN_HOME),
    "with a directory": (_made(lambda path: _own(path, 0o700)), IN_HOME),
    "with one for all": (_made(lambda path: _own(path, 0o777)), IN_TMP),
    "with one of root's": (_made(Path.mkdir), IN_TMP),
    "with a link": (_made(lambda path: path.symlink_to("/tmp")), IN_TMP),
    "with a file": (_made(lambda path: path.write_text("")), IN_TMP),
    "of root's": (lambda home: os.chown(home, 0, 0), IN_TMP),
    "of a group's": (lambda home: home.chmod(0o775), IN_TMP),
    "with a cache of a group's": (lambda home: _own(home / ".cache", 0o775), IN_TMP),
    "with a directory that no user may enter": (_made(lambda path: _own(path, 0)), IN_TMP),
    "of everybody's": (lambda home: home.chmod(0o777), IN_TMP),
    "gone": (Path.rmdir, IN_TMP),
}

# Runs $3 as a user with the home directory $1, with the namespace's own accounts.
AS_USER = f"""
printf '%s\\n' "user:x:{NOBODY}:{NOBODY}::$1:/bin/sh" > /run/passwd
mount --bind /run/passwd /etc/passwd
exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups "$2" -c "$3"
"""
# The variables of a login; cron has none of them.
LOGIN = {"XDG_RUNTIME_DIR": "/tmp", "XDG_CACHE_HOME": "/tmp", "HOME": "/tmp"}


@pytest.mark.requires_namespaces
@pytest.mark.parametrize("variables", [LOGIN, {}], ids=["login", "cron"])
@pytest.mark.parametrize("case", HOMES)
def test_locks_of_a_user_are_where_the_account_says(
    case: str, variables: dict[str, str], in_namespace: Run, tmp_path: Path
) -> None:
    """In a home that only the user can write, else in /tmp; the environment does not matter."""
    skip_without_nobody()
    home = tmp_path / "home"
    _own(tmp_path)
    _own(home)
    furnish, expected = HOMES[case]
    furnish(home)
    own = {name: value for name, value in os.environ.items() if name not in LOGIN}
    words = ["sh", "-ec", AS_USER, "sh", home, sys.executable, WITHOUT]
    done = in_namespace(*words, env={**own, **variables})
    assert expected.format(home=home) == done.stdout, done.stderr


@pytest.mark.requires_namespaces
def test_directory_of_another_user_in_tmp_is_not_used(in_namespace: Run, tmp_path: Path) -> None:
    """There is no lock then, because the owner of the directory could hold it for ever."""
    skip_without_nobody()
    planted = f"mkdir /tmp/ssd-{NOBODY}\n" + AS_USER
    done = in_namespace("sh", "-ec", planted, "sh", "/nonexistent", sys.executable, WITHOUT)
    assert f"NoLock /tmp/ssd-{NOBODY}/.name-78.lock\n" == done.stdout, done.stderr


# Leftovers of starts -------------------------------------------------------------------------

LONG_AGO = 1_000_000_000


def _left(directory: Path, name: str, made: float = LONG_AGO) -> Path:
    path = directory / name
    path.touch()
    os.utime(path, (made, made))
    return path


def _clear(directory: Path) -> list[str]:
    """Remove leftovers from a directory of locks; return what remains."""
    fd = os.open(directory, os.O_PATH)
    try:
        with nothing_left():
            lock_directories.remove_leftovers(fd, os.listdir(directory))
    finally:
        os.close(fd)
    return listing(directory)


def test_leftover_lock_file_is_removed(tmp_path: Path) -> None:
    """Each foreground start leaves one, and each start that is killed."""
    _left(tmp_path, ".exec-1-2.lock")
    _left(tmp_path, ".name-78.lock", time.time() + 3600)  # written while the clock was wrong
    _left(tmp_path, ".name-79.lock").chmod(0o400)
    _left(tmp_path, "notes")
    (tmp_path / ".pid-1.lock").symlink_to("notes")
    os.utime(tmp_path / ".pid-1.lock", (LONG_AGO, LONG_AGO), follow_symlinks=False)
    (tmp_path / ".pid-2.lock").mkdir()
    os.utime(tmp_path / ".pid-2.lock", (LONG_AGO, LONG_AGO))
    assert [".pid-1.lock", ".pid-2.lock", "notes"] == _clear(tmp_path)


def test_held_or_young_lock_file_is_not_removed(tmp_path: Path) -> None:
    """A start opens its file before it locks it."""
    _left(tmp_path, ".name-79.lock", time.time())
    with open(_left(tmp_path, ".name-78.lock")) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert [".name-78.lock", ".name-79.lock"] == _clear(tmp_path)


def test_new_lock_file_of_the_same_name_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last holder removes the opened file, and the next start creates another one."""
    old = _left(tmp_path, ".name-78.lock")
    flock, new = fcntl.flock, []

    def late(fd: int, how: int) -> None:
        if not new:
            old.unlink()
            new.append(os.open(old, os.O_CREAT | os.O_RDWR))
            flock(new[0], fcntl.LOCK_EX)
        flock(fd, how)

    monkeypatch.setattr(fcntl, "flock", late)
    fd = os.open(tmp_path, os.O_PATH)
    lock_directories.remove_leftovers(fd, [old.name])
    os.close(fd)
    assert os.path.samestat(os.fstat(new[0]), os.stat(old))
    os.close(new[0])


@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_foreground_starts_do_not_pile_up_lock_files(in_namespace: Run, ssd_path: Path) -> None:
    """Each leaves one, because it executes its program under the lock; the next removes it."""
    script = """
for each in 1 2 3; do
    mkdir /run/$each
    "$0" --start --make-pidfile --pidfile /run/$each/x.pid --exec /bin/true || exit
    touch -d @1000000000 /run/ssd/.* /run/$each
done
ls -A /run/ssd | grep -c lock
"""
    done = in_namespace("sh", "-c", script, ssd_path)
    assert (0, "1\n") == (done.returncode, done.stdout), done.stderr


def test_files_beside_a_pidfile_are_not_removed(tmp_path: Path) -> None:
    """The pidfile's directory has other files, too."""
    skip_without_nobody()
    other = _left(tmp_path, ".other.lock")
    os.chown(other, NOBODY, NOBODY)
    code = BESIDE.replace("    lock.release()", "    lock.remove_leftovers()\n    lock.release()")
    with shared(tmp_path, 0o755, NOBODY, NOBODY):
        done = python(code, tmp_path / "x.pid", **as_nobody())
    assert (f"{tmp_path}\n".encode(), [".other.lock"]) == (done.stdout, listing(tmp_path))


@pytest.mark.requires_root
def test_user_without_home_locks_beside_an_own_pidfile(in_namespace: Run, tmp_path: Path) -> None:
    """A planted directory in /tmp has no effect then; without the own directory it has."""
    skip_without_nobody()
    planted = (
        f"mkdir -m 777 /tmp/ssd-{NOBODY} /run/all; mkdir -m 750 /run/own /run/roots\n"
        f'chown {NOBODY}:{NOBODY} /run/own; chmod 755 /run/roots\n{AS_USER.rstrip()} "$4"'
    )
    found = {}
    for where in ("own", "all", "roots"):
        words = ["sh", "-ec", planted, "sh", "/nonexistent", sys.executable, BESIDE]
        found[where] = in_namespace(*words, f"/run/{where}/x.pid").stdout
    expected = {"own": "/run/own\n", "all": "NoLock\n", "roots": "NoLock\n"}
    assert expected == found


@pytest.mark.requires_namespaces
def test_root_without_a_writable_run_locks_in_tmp(in_namespace: Run) -> None:
    """In a user namespace the owner of the machine's /run is not mapped."""
    script = 'mount -t tmpfs -o ro none /run; exec "$@"'
    done = in_namespace("sh", "-ec", script, "sh", sys.executable, "-c", WITHOUT)
    assert "/tmp/ssd-0/.name-78.lock 0o700\n" == done.stdout, done.stderr


@pytest.mark.requires_namespaces
def test_unmapped_owner_does_not_prevent_a_lock(in_namespace: Run) -> None:
    """In a user namespace a directory's owner may be unmapped, which chown(2) refuses."""
    script = """
mkdir -m 1777 /tmp/theirs; [ "$(id -u)" = 0 ] && chown 4321:4321 /tmp/theirs 2> /dev/null
exec unshare --user --map-root-user "$0" -c "$1" /tmp/theirs/x.pid
"""
    done = in_namespace("sh", "-c", script, sys.executable, BESIDE)
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert done.stdout in ("/tmp/ssd-0\n", "/run/ssd\n"), done.stderr
