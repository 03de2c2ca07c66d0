"""A program to be executed, in this process's place or as a child.

Children are for commands that go on: spawned, not forked, by posix_spawn(3).
"""

import errno
import os

from ssd.signals import IGNORED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Run:
    """A program about to be executed: its file, its words (argv[0] too), its environment."""

    __slots__ = ("file", "argv", "environment")

    def __init__(
        self, file: str, argv: "Sequence[str]", environment: "Mapping[bytes, bytes]"
    ) -> None:
        self.file = file
        self.argv = list(argv)
        self.environment = dict(environment)

    def by_shell(self) -> "Run":
        """Return the same for a script whose first line names no interpreter, as execvp(3)."""
        return Run("/bin/sh", ["/bin/sh", self.file, *self.argv[1:]], self.environment)


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
