"""Small tools of the tests: children to practise on, another user, a look at what leaks."""

import contextlib
import ctypes
import functools
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534  # uid and gid of an account that owns nothing; it need not be in passwd(5)
PATIENCE = 300  # seconds after which something that should have come is given up
ORACLE = "/usr/sbin/start-stop-daemon"


def skip_without_oracle() -> None:
    """Skip where the original is not installed."""
    if not os.access(ORACLE, os.X_OK):
        pytest.skip(f"{ORACLE} is missing")


# The C library -------------------------------------------------------------------------

INT_MAX = 2**31 - 1


def strtol(text: str, base: int) -> int | None:
    """Read a number as the original does: strtol(3), all of the text, 0 to INT_MAX."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.strtol.restype = ctypes.c_long
    data = ctypes.create_string_buffer(text.encode("utf-8", "surrogateescape"))
    end = ctypes.c_void_p()
    ctypes.set_errno(0)
    value = libc.strtol(data, ctypes.byref(end), base)
    read = (end.value or 0) - ctypes.addressof(data)
    if read == 0 or read != len(data.value) or ctypes.get_errno():
        return None
    return value if 0 <= value <= INT_MAX else None


def atoi(text: str) -> int:
    """Read a number with atoi(3)."""
    number: int = ctypes.CDLL(None).atoi(text.encode("utf-8", "surrogateescape"))
    return number


# Other users ---------------------------------------------------------------------------


@functools.cache
def nobody_runs_python() -> bool:
    """Say whether another user may execute this interpreter and read the package."""
    try:
        done = subprocess.run([sys.executable, "-c", "import ssd"], **as_nobody())
    except PermissionError:
        return False
    return done.returncode == 0


def as_nobody() -> dict[str, Any]:
    """Return what makes subprocess run a command as a user who owns nothing."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}


def skip_without_nobody() -> None:
    """Skip where no other user can be had, or may not execute this interpreter."""
    if os.geteuid() != 0:
        pytest.skip("requires root")
    if not nobody_runs_python():
        pytest.skip(f"user {NOBODY} may not execute {sys.executable} or read the package")


def skip_unless_nobody_reads(path: Path) -> None:
    """Skip where no other user can be had, or where a folder above the path is closed to him."""
    if os.geteuid() != 0:
        pytest.skip("requires root, to become another user")
    if subprocess.run(["test", "-r", path], **as_nobody()).returncode != 0:
        pytest.skip(f"user {NOBODY} may not read {path}")


# Children ------------------------------------------------------------------------------


def python(
    code: str, *arguments: Any, flags: Sequence[str] = (), **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a piece of Python in a fresh interpreter and return how it went, in bytes."""
    command = [sys.executable, "-P", *flags, "-c", code, *map(os.fspath, arguments)]
    settings: dict[str, Any] = {"capture_output": True, "timeout": PATIENCE}
    return subprocess.run(command, **{**settings, **options})


@contextlib.contextmanager
def child(*argv: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child, ``sleep`` unless told, that is executed already; end and reap it."""
    process = subprocess.Popen(argv or ("sleep", "1000"), **options)
    try:
        until_executed(process.pid)
        yield process
    finally:
        process.kill()
        process.communicate()


def until_executed(pid: int) -> None:
    """Wait until a child whose execve(2) has succeeded has its new name and command line, too.

    The kernel closes what is close-on-exec, by which a parent knows of the success, before it
    sets these (fs/exec.c, begin_new_exec); the command line is the last of them.
    """
    end = time.monotonic() + PATIENCE
    while not Path(f"/proc/{pid}/cmdline").read_bytes():
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            return  # a zombie has none any more
        assert time.monotonic() < end, f"process {pid} is not executed in {PATIENCE} seconds"
        os.sched_yield()


@contextlib.contextmanager
def stubborn(**options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child that ignores SIGTERM; an ignored signal stays so across execve(2)."""
    with child("sleep", "1000", preexec_fn=_ignore_term, **options) as process:
        yield process


def _ignore_term() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextlib.contextmanager
def zombie() -> Iterator[int]:
    """Return the pid of a child that has ended and is not reaped; reap it at the end."""
    pid = os.posix_spawn("/bin/true", ["true"], os.environ)
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        yield pid
    finally:
        os.waitpid(pid, 0)


@contextlib.contextmanager
def ended(pid: int) -> Iterator[int]:
    """See to it that a daemon, which is nobody's child here, is gone in the end.

    It is killed by a pidfd, which is given, and waited for.
    """
    fd = os.pidfd_open(pid)
    try:
        yield fd
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(fd, signal.SIGKILL)
        until_readable(fd)
        os.close(fd)


def until_readable(fd: int) -> None:
    """Wait until a descriptor is readable; fail when PATIENCE is at its end."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(PATIENCE * 1000), f"nothing came in {PATIENCE} seconds"


def until_ended(pid: int) -> None:
    """Wait until a process has ended that may be nobody's child here."""
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        until_readable(fd)
        os.close(fd)


def unused_pid() -> int:
    """Return a pid that nobody has, nor is ever given: PID_MAX_LIMIT of linux/threads.h."""
    return 4 * 1024 * 1024


# What is left behind -------------------------------------------------------------------


def open_descriptors() -> dict[int, str]:
    """Return this process's descriptors and what they lead to."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one of listdir itself
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
    return found


def zombies() -> list[int]:
    """Return this process's children that have ended and were not reaped."""
    while True:
        try:
            return _zombies()
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread has ended meanwhile, and its children are another's


def _zombies() -> list[int]:
    found = []
    for task in os.listdir("/proc/self/task"):
        for pid in Path(f"/proc/self/task/{task}/children").read_text().split():
            stat = Path(f"/proc/{pid}/stat").read_bytes()  # a name may be any bytes
            if stat[stat.rindex(b")") + 2 :].startswith(b"Z"):
                found.append(int(pid))
    return found


@contextlib.contextmanager
def same_descriptors() -> Iterator[None]:
    """Fail if a descriptor stays open, or is closed that was open."""
    before = open_descriptors()
    yield
    assert before == open_descriptors()


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Fail if a descriptor stays open or a child unreaped.

    Zombies that were there before are another test's, and fail that one alone.
    """
    before = zombies()
    with same_descriptors():
        yield
        assert [] == [pid for pid in zombies() if pid not in before]


# The disk ------------------------------------------------------------------------------


def listing(directory: str | Path) -> list[str]:
    """Return the names in a directory, hidden ones too, in order."""
    return sorted(os.listdir(directory))


@contextlib.contextmanager
def shared(directory: Path, mode: int, uid: int = -1, gid: int = -1) -> Iterator[Path]:
    """Let other users reach a directory below pytest's private folder, with these rights."""
    os.chown(directory, uid, gid)
    directory.chmod(mode)
    # tmp_path's parents are 0700: let others pass, not look.
    closed = [each for each in directory.parents if not each.stat().st_mode & 0o001]
    for each in closed:
        each.chmod(each.stat().st_mode | 0o011)
    try:
        yield directory
    finally:
        for each in closed:
            each.chmod(each.stat().st_mode & ~0o011)


class Watch:
    """An inotify(7) watch on one directory: which files in it were opened, made or moved."""

    OPEN, MOVED, CREATE, DELETE = 0x20, 0x80, 0x100, 0x200

    def __init__(self, directory: str | Path, mask: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd = libc.inotify_init1(os.O_CLOEXEC)
        if libc.inotify_add_watch(self.fd, os.fsencode(directory), mask) < 0:
            raise OSError(ctypes.get_errno(), "inotify_add_watch")

    def until(self, name: str) -> None:
        """Wait for an event about the file ``name``."""
        while True:
            until_readable(self.fd)
            if name in self._names(os.read(self.fd, 65536)):
                return

    def _names(self, events: bytes) -> Iterator[str]:
        while events:
            _, _, _, length = struct.unpack_from("iIII", events)
            yield os.fsdecode(events[16 : 16 + length].rstrip(b"\0"))
            events = events[16 + length :]

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self.fd)


def in_mounts(script: str, *arguments: Any) -> Sequence[str]:
    """Return the words that run a shell script in a mount namespace of its own."""
    return ["unshare", "--mount", "sh", "-ec", script, "sh", *map(os.fspath, arguments)]
