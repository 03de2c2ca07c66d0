"""Boot a machine of namespaces: what makes it, and the pid of its first process when it is up."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from real.processes import ready
from real.programs import Ear

from kit.support import PATIENCE


@contextmanager
def first_process(
    words: Sequence[object], up: Ear, word: str, failed: Callable[[int | None, str], NoReturn]
) -> Iterator[int]:
    """Run a command that makes a machine, and end it in the end; its child is the first process.

    The machine is up when it says ``word``. ``failed`` is called where it is not: with the exit
    status of the command, None if it has not ended, and what it has said.
    """
    pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    holder = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, **pipes)
    try:
        _await(up, holder, failed)
        assert word == up.line()
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text()
        yield int(children)
    finally:
        holder.kill()
        holder.communicate()


def _await(
    up: Ear, holder: "subprocess.Popen[str]", failed: Callable[[int | None, str], NoReturn]
) -> None:
    """Wait until somebody says something, or the command has ended."""
    end = os.pidfd_open(holder.pid)
    try:
        heard = ready([up.fileno(), end], time.monotonic() + PATIENCE)
    finally:
        os.close(end)
    if holder.poll() is not None:
        failed(holder.returncode, holder.communicate()[1].strip())
    if not heard:
        failed(None, f"it is not up after {PATIENCE} seconds")
