"""Children for commands that go on: spawned, not forked, by posix_spawn(3)."""

import errno
import os

from ssd.service.initscripts.program import Run
from ssd.signals import IGNORED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def spawn(
    run: Run,
    actions: "Sequence[tuple[int | str, ...]]" = (),
    new_session: bool = False,
    default: "Sequence[int]" = (),
) -> int:
    """Run a program as a child and return its pid; the caller reaps it.

    ``actions``: what becomes of its descriptors, as os.posix_spawn takes it. ``default``:
    signals that this process ignores, and the child shall not. Raises OSError.
    """
    try:
        return _spawn(run, actions, new_session, default)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        return _spawn(run.by_shell(), actions, new_session, default)


def wait(pid: int) -> None:
    """Wait for the end of a child; its status is nobody's business."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # the caller ignores SIGCHLD, so the kernel has reaped it, after the same wait


def _spawn(
    run: Run,
    actions: "Sequence[tuple[int | str, ...]]",
    new_session: bool,
    default: "Sequence[int]",
) -> int:
    return os.posix_spawn(
        run.file,
        run.argv,
        run.environment,
        file_actions=actions,
        setsid=new_session,
        setsigdef=[*IGNORED, *default],
    )
