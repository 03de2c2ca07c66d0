"""Play a piece of a test as if it were alone on a machine.

The namespaces are those of namespace.py. A copy of the test process moves into them
(setns(2)) and continues there, so that a test keeps its arguments, and its result, skip or
exception comes out again. Orphans become its children: it can reap them or leave them as
zombies.
"""

import ctypes
import functools
import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
from kit import namespace as namespaces

MS_BIND, MS_REC = 0x1000, 0x4000  # mount(2)
CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000  # sched.h
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)

libc = ctypes.CDLL(None, use_errno=True)


def alone(test: Callable[..., None]) -> Callable[..., None]:
    """Make the body of a test run in namespaces of its own, as root there.

    Directories among the test's arguments stay visible.
    """

    @functools.wraps(test)
    def outside(*arguments: Any, **named: Any) -> None:
        directories = [each for each in named.values() if isinstance(each, Path) and each.is_dir()]
        Visit(lambda: test(*arguments, **named), directories).result()

    return pytest.mark.requires_root(pytest.mark.requires_namespaces(outside))


def checked(result: int) -> int:
    """Return the result of a call into the C library; raise OSError if it has failed."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


class Visit:
    """A function that runs in namespaces of its own; a context manager, or call ``result``."""

    def __init__(self, body: Callable[[], Any], keep: Iterable[Path] = ()) -> None:
        """Begin. ``keep``: directories that stay visible."""
        self._body = body
        self._report = tempfile.TemporaryFile()
        words = namespaces.command(["cat"], keep=keep)
        pipe = subprocess.PIPE
        self._holder = subprocess.Popen(words, stdin=pipe, stdout=pipe, start_new_session=True)
        self._guide = os.fork()
        if self._guide == 0:
            self._lead()

    def result(self) -> Any:
        """Wait for the end; return, skip or fail as the body did."""
        with self:
            self._await()
            self._report.seek(0)
            said = self._report.read()
        kind, value = pickle.loads(said) if said else ("failed", "the visitor was killed")
        if kind == "skipped":
            pytest.skip(value)
        if kind == "failed":
            pytest.fail(value, pytrace=False)
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """End it if it has not ended."""
        if not self._report.closed:
            # The kernel then ends all its processes: unshare --kill-child.
            self._holder.kill()
            self._holder.communicate()
            self._await()
            self._report.close()

    def _await(self) -> None:
        """Wait for the end of the body."""
        if self._guide:
            os.waitpid(self._guide, 0)
            self._guide = 0

    def _lead(self) -> NoReturn:
        """Enter and wait there for the visitor, which must be a child in the namespace."""
        try:
            self._enter()
            visitor = os.fork()  # only children are in the new namespace: pid_namespaces(7)
            if visitor == 0:
                self._play()
            os.waitpid(visitor, 0)
        finally:
            self._leave()

    def _enter(self) -> None:
        """Join the namespaces once they are set up."""
        holder = self._holder
        assert holder.stdin is not None and holder.stdout is not None
        holder.stdin.write(b"in\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == b"in\n", "the namespaces could not be made"
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text()
        pidfd = os.pidfd_open(int(children))
        checked(libc.setns(pidfd, CLONE_NEWPID | CLONE_NEWNS))
        os.close(pidfd)

    def _play(self) -> NoReturn:
        """Run the body, record its outcome and end."""
        try:
            checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
            try:
                self._write("passed", self._body())
            except pytest.skip.Exception as reason:
                self._write("skipped", str(reason))
        finally:
            self._leave()

    def _leave(self) -> NoReturn:
        """End this copy of the test process, and record an error if there was one."""
        if sys.exception() is not None:
            self._write("failed", traceback.format_exc())
        os._exit(0)

    def _write(self, kind: str, value: object) -> None:
        self._report.write(pickle.dumps((kind, value)))
        self._report.flush()


def open_ways(*directories: str | Path) -> None:
    """Let every user reach some directories: closed ones on the way are covered, only here.

    The interpreter and the project are always included.
    """
    own = [sys.prefix, sys.base_prefix, Path(__file__).parents[2]]
    goals = {os.path.realpath(directory) for directory in (*own, *directories)}
    closed = {top for goal in goals if (top := _closed(goal))}
    handles = {goal: os.open(goal, os.O_PATH) for goal in goals if _closed(goal)}
    for top in closed:
        mount("tmpfs", top, "tmpfs", data="mode=755")
    for goal, handle in sorted(handles.items()):
        os.makedirs(goal, exist_ok=True)
        mount(f"/proc/self/fd/{handle}", goal, flags=MS_BIND | MS_REC)
        os.close(handle)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount, as mount(2)."""
    words = source.encode(), target.encode(), kind.encode()
    checked(libc.mount(*words, ctypes.c_ulong(flags), data.encode()))


def _closed(path: str) -> str | None:
    """Return the first directory on the way to ``path`` that only its owner may search."""
    ways = [*reversed(Path(path).parents)]
    return next((str(way) for way in ways if not way.stat().st_mode & 0o001), None)
