"""Children for tests: started by hand or by the library, and waited for."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ssd
from ssd import Command, Match

WAIT_TIMEOUT = 300  # seconds; a wait that takes longer has failed
SLEEP = Command(["/bin/sleep", "1000"])
NOBODY = Match(name="no such process")

# Prints the environment of a child.
ENVIRONMENT = """
import ssd, sys
match = ssd.Match(pidfile=sys.argv[1] + "/none")
command = ssd.Command(["/usr/bin/env", "-0"], user="root" if "chuid" in sys.argv else None)
with ssd.start(match, command, background=False) as process:
    sys.exit(process.wait())
"""


def python(
    code: str, *arguments: Any, flags: Sequence[str] = (), **options: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a piece of Python in a fresh interpreter and return how it went, in bytes."""
    command = [sys.executable, "-P", *flags, "-c", code, *map(os.fspath, arguments)]
    settings: dict[str, Any] = {"capture_output": True, "timeout": WAIT_TIMEOUT}
    return subprocess.run(command, **{**settings, **options})


@contextlib.contextmanager
def child(*argv: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child, ``sleep`` by default, wait until it is executed, and end and reap it."""
    process = subprocess.Popen(argv or ("sleep", "1000"), **options)
    try:
        until_executed(process.pid)
        yield process
    finally:
        process.kill()
        process.communicate()


def library_child(command: Command = SLEEP) -> ssd.Child:
    """Start a child with ``ssd.start``."""
    process = ssd.start(NOBODY, command, background=False)
    assert isinstance(process, ssd.Child)
    return process


def until_executed(pid: int) -> None:
    """Wait until a process has its new name and command line after its execve(2).

    The kernel first closes the close-on-exec descriptors, which tells a parent of the success,
    and then sets these (fs/exec.c, begin_new_exec); the command line is the last.
    """
    end = time.monotonic() + WAIT_TIMEOUT
    while not Path(f"/proc/{pid}/cmdline").read_bytes():
        if Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] in b"ZX":
            return  # a zombie has no command line
        assert time.monotonic() < end, f"process {pid} is not executed in {WAIT_TIMEOUT} seconds"
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
    """End a daemon, which is not our child, at the end of the block.

    Yields its pidfd, by which it is killed and waited for.
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
    """Wait until a descriptor is readable; fail when WAIT_TIMEOUT is at its end."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    assert poll.poll(WAIT_TIMEOUT * 1000), f"nothing came in {WAIT_TIMEOUT} seconds"


def until_ended(pid: int) -> None:
    """Wait until a process has ended that need not be our child."""
    with contextlib.suppress(ProcessLookupError):
        fd = os.pidfd_open(pid)
        until_readable(fd)
        os.close(fd)


def unused_pid() -> int:
    """Return a pid that no process ever has: PID_MAX_LIMIT of linux/threads.h."""
    return 4 * 1024 * 1024


@contextlib.contextmanager
def let_go() -> Iterator[int]:
    """Yield a descriptor for children to inherit; fail if a process has it at the end.

    So the test knows that all have ended, also those with unknown pids.
    """
    reading, writing = os.pipe()
    try:
        os.set_inheritable(writing, True)
        try:
            yield writing
        finally:
            os.close(writing)
        until_readable(reading)
        assert b"" == os.read(reading, 1)
    finally:
        os.close(reading)


def shown(terminal: int) -> bytes:
    """Return all output of a terminal, until its other side is closed everywhere.

    One read(2) is not enough, not even then: the output comes in pieces.
    """
    said = b""
    with contextlib.suppress(OSError):  # EIO, at the end (pty(7))
        while chunk := os.read(terminal, 4096):
            said += chunk
    return said


@contextlib.contextmanager
def output(path: Path) -> Iterator[tuple[int, int, int]]:
    """Give descriptors for a child: no input, both outputs to a file."""
    with open(os.devnull) as nothing, open(path, "wb") as file:
        yield nothing.fileno(), file.fileno(), file.fileno()


def told(command: Command, directory: Path, **options: Any) -> bytes:
    """Start a child that ends by itself; return its output."""
    with output(directory / "told") as stdio:
        process = ssd.start(
            Match(pidfile=directory / "none"), command, background=False, stdio=stdio, **options
        )
    with process as started:
        assert 0 == started.wait()
    return (directory / "told").read_bytes()


def shell(script: str, *arguments: str | bytes, **options: Any) -> Command:
    """Make a Command of a shell script."""
    return Command(["/bin/sh", "-c", script, "sh", *arguments], **options)
