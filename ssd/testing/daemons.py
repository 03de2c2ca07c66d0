"""Real child daemons, for tests that need the kernel: ready when returned, and always reaped."""

import contextlib
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ssd.processes import reaping

LISTENER = Path(__file__).with_name("listener.py")


class NotSaidReady(RuntimeError):
    """A child ended, or the time was over, before it said that it was ready."""


class Daemons:
    """Starts real children and ends them all: a context manager, and a function that starts one.

    Each leads a process group, which is ended with it. So its own children end too, unless they
    leave that group.
    """

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[str]] = []
        self._pidfds: dict[int, list[int]] = {}

    def __call__(
        self,
        *arguments: str,
        argv: Sequence[str | os.PathLike[str]] | None = None,
        pattern: str = r"^ready\b",
        timeout: float = 60.0,
        **options: Any,
    ) -> subprocess.Popen[str]:
        """Start a daemon, wait until it is ready, and return its Popen, with text on ``stdout``.

        argv: the command; by default ``ssd.testing.listener``, which writes a line for each signal
        (``got HUP``) and ends at TERM, unless its arguments are ``--ignore``, ``TERM``.
        arguments: follow ``argv``.
        pattern: a regular expression; the first line with a match means that it is ready.
        timeout: seconds to wait for that line.
        options: for Popen, such as ``stderr=subprocess.STDOUT``, ``env``, ``cwd``, ``user``.

        Raises NotSaidReady, which has the lines that it wrote.
        """
        command = [*(argv or (sys.executable, "-IS", LISTENER)), *arguments]
        settings: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True}
        if not options.get("start_new_session"):  # a session has a process group already
            settings["process_group"] = 0
        child: subprocess.Popen[str] = subprocess.Popen(command, **{**settings, **options})
        self._children.append(child)
        if hasattr(os, "pidfd_open"):
            with contextlib.suppress(OSError):  # an old kernel, or the child was reaped already
                self._pidfds[id(child)] = [os.pidfd_open(child.pid)]
        self._until_ready(child, pattern, time.monotonic() + timeout)
        return child

    def close(self) -> None:
        """End and reap all."""
        for child in self._children:
            self._note_reaped(child)
            if child.returncode is None:  # not reaped, so pid and group are still its own
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.kill()
        for child in self._children:
            with child:  # closes its pipes and reaps it
                pass
        self._children.clear()

    def _note_reaped(self, child: subprocess.Popen[str]) -> None:
        """Set returncode if other code has reaped the child: its pid may be another process's."""
        held = self._pidfds.pop(id(child), [])
        if child.returncode is None and held and not reaping.is_ours(child.pid, held[0]):
            child.returncode = 0  # as Popen sets it if it cannot know the status
        reaping.close(held)

    def _until_ready(self, child: subprocess.Popen[str], pattern: str, until: float) -> None:
        """Read lines until one matches the pattern. Raises NotSaidReady."""
        said: list[str] = []
        while not (said and re.search(pattern, said[-1])):
            line = _line(child, until)
            if line is None:
                raise NotSaidReady(f"{child.args!r} was not ready in time; it said {said}")
            if not line:
                raise NotSaidReady(f"{child.args!r} ended with {child.wait()}; it said {said}")
            said.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _line(child: subprocess.Popen[str], until: float) -> str | None:
    """Read a line; "" at the end of the output, None if no line comes in time.

    Byte by byte and without a buffer, so that the test can read all that follows.
    """
    assert child.stdout is not None  # for type checkers
    fd = child.stdout.fileno()
    text = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while not text.endswith(b"\n"):
        if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
            return None
        byte = os.read(fd, 1)
        if not byte:
            break
        text += byte
    return os.fsdecode(text)
