"""The lock of a start among several users: no user can make another one wait."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kit.children import child, python
from kit.leaks import listing, nothing_left
from kit.locks import TRY, holder, line, lock_file, take
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd import Match, Schedule, pidfile_removal
from ssd.pidfile import lock_waiting
from ssd.stopping import Stop
from ssd.stopping import run as drive

SOMEBODY = 1  # a second ordinary user
GROUP = 4321  # a group of both users
USERS: dict[str, dict[str, Any]] = {
    "root": {},
    "nobody": {"user": NOBODY, "group": NOBODY, "extra_groups": [GROUP], "cwd": "/"},
    "somebody": {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": [GROUP], "cwd": "/"},
}
# mode, owner and group of the pidfile's directory
DIRECTORIES = {
    "a directory of root's": (0o755, 0, 0),
    "a directory of the daemon's": (0o755, NOBODY, NOBODY),
    "a directory of everybody's": (0o777, 0, 0),
    "a sticky directory": (0o1777, 0, 0),
    "a directory of a group": (0o775, 0, GROUP),
    "a directory that hands its group down": (0o2775, 0, GROUP),
}
OTHERS = [name for name in DIRECTORIES if name != "a directory of root's"]


# Starts of one user ------------------------------------------------------------------------


@pytest.mark.parametrize("where", DIRECTORIES)
@pytest.mark.parametrize("who", ["root", "nobody"])
def test_starts_of_one_user_exclude_each_other(who: str, where: str, tmp_path: Path) -> None:
    """Root has the same lock in cron and in a login, and so has every user."""
    skip_without_nobody()
    path = tmp_path / "x.pid"
    with shared(tmp_path, *DIRECTORIES[where]), holder(path, **USERS[who]) as process:
        assert b"held\n" == line(process)
        done = python(TRY, path, **{**USERS[who], "env": {"HOME": "/tmp", "TMPDIR": "/none"}})
        assert b"StartBlocked\n" == done.stdout, done.stderr
        # For a user without a home the pidfile's own directory may be the best one.
        assert who == "nobody" or [] == listing(tmp_path)


# Starts of several users -------------------------------------------------------------------


@pytest.mark.parametrize("where", DIRECTORIES)
@pytest.mark.parametrize(
    ("first", "second"),
    [("nobody", "somebody"), ("root", "nobody"), ("nobody", "root")],
)
def test_starts_of_two_users_do_not_wait(
    first: str, second: str, where: str, tmp_path: Path
) -> None:
    """If one waited for the other, the other could prevent its start."""
    skip_without_nobody()
    path = tmp_path / "x.pid"
    with shared(tmp_path, *DIRECTORIES[where]), holder(path, **USERS[first]) as process:
        assert b"held\n" == line(process)
        done = python(TRY, path, **USERS[second])
        assert (b"free\n", b"") == (done.stdout, done.stderr)


def test_other_user_cannot_open_roots_lock(tmp_path: Path) -> None:
    """Neither the file nor its directory can be opened, held or not."""
    skip_without_nobody()
    lock = take(tmp_path / "x.pid")
    try:
        code = "import os, sys\nfor path in sys.argv[1:]:\n    print(os.access(path, 4))"
        paths = lock.path, os.path.dirname(lock.path)
        done = python(code, *paths, **as_nobody())
    finally:
        lock.release()
    assert b"False\nFalse\n" == done.stdout


# Locks files beside the pidfile, under every name that older versions used, and stays.
STRANGER = """
import fcntl, os, sys
os.umask(0)
files = []
for name in sys.argv[1:]:
    files.append(os.open(name, os.O_CREAT | os.O_RDWR, 0o666))
    fcntl.flock(files[-1], fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def stranger(directory: Path, *names: str) -> Iterator[None]:
    """Let another user lock files in a directory."""
    words = [sys.executable, "-c", STRANGER, *(str(directory / name) for name in names)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, **as_nobody()) as process:
        try:
            assert b"held\n" == line(process)
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("where", OTHERS[:3])
def test_locks_of_another_user_block_no_start(where: str, tmp_path: Path) -> None:
    """Neither root's start nor stop waits, because root has no lock in such a directory."""
    skip_without_nobody()
    path = tmp_path / "x.pid"
    file = lock_file(path)
    with shared(tmp_path, *DIRECTORIES[where]), stranger(tmp_path, ".x.pid.lock", file.name):
        take(path, timeout=0).release()
        before = time.monotonic()
        with child() as process:
            path.write_text(f"{process.pid}\n")
            with Stop(Match(pidfile=path), Schedule.parse("KILL/60")) as stop:
                drive(stop)
            assert pidfile_removal.clear(str(path), stop) is None
        assert before + 60 > time.monotonic()
        assert not path.exists()


PLANTED = {
    "a directory": "os.mkdir(name)",
    "a pipe": "os.mkfifo(name)",
    "a link": "os.symlink('/etc/passwd', name)",
    "a hard link": "os.link(own, name)",
    "a file that no user may open": "os.close(os.open(name, os.O_CREAT, 0))",
}


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("where", OTHERS[:3])
def test_planted_file_does_not_prevent_the_lock(where: str, kind: str, tmp_path: Path) -> None:
    """Nor does a planted link give root's file to the other user."""
    skip_without_nobody()
    path = tmp_path / "x.pid"
    file = lock_file(path)
    code = f"""
import os, sys
own = {str(tmp_path / "own")!r}
open(own, "w").close()
for name in sys.argv[1:]:
    {PLANTED[kind]}
"""
    names = [tmp_path / name for name in (".x.pid.lock", file.name)]
    with shared(tmp_path, *DIRECTORIES[where]):
        done = python(code, *names, **as_nobody())
        assert b"" == done.stderr
        with nothing_left(), holder(path) as process:
            assert b"held\n" == line(process)
            assert b"StartBlocked\n" == python(TRY, path).stdout


# A stop ------------------------------------------------------------------------------------

# --retry -> seconds that a stop waits for a start that holds the lock
STOP_TIMEOUTS = {
    "TERM/30/KILL/5": 35,
    "0": 0.5,
    "TERM/0": 0.5,
    "TERM/4/KILL": 4,
    "TERM/forever/KILL/5": 60,
    "900": 60,
}


@pytest.mark.parametrize("retry", STOP_TIMEOUTS)
def test_stop_waits_no_longer_for_a_start_than_its_schedule(retry: str) -> None:
    """At least half a second, many times what a start takes; at most a minute."""
    assert STOP_TIMEOUTS[retry] == lock_waiting.stop_timeout(Schedule.parse(retry))


def test_stop_without_a_schedule_waits_half_a_second() -> None:
    """It has sent its signal before."""
    assert 0.5 == lock_waiting.stop_timeout(Schedule.once(15))
