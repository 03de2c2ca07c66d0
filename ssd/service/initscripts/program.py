"""A program to execute, in place of this process or as a child.

posix_spawn(3) makes the children, for commands that do more afterwards.
"""

import errno
import os

from ssd.signals import IGNORED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Run:
    """A program to execute: its file, its argv (with argv[0]), its environment."""

    __slots__ = ("file", "argv", "environment")

    def __init__(
        self, file: str, argv: "Sequence[str]", environment: "Mapping[bytes, bytes]"
    ) -> None:
        self.file = file
        self.argv = list(argv)
        self.environment = dict(environment)

    def by_shell(self) -> "Run":
        """Return the run through sh of a script without an interpreter line, as execvp(3) does."""
        return Run("/bin/sh", ["/bin/sh", self.file, *self.argv[1:]], self.environment)


def spawn(
    run: Run,
    actions: "Sequence[tuple[int | str, ...]]" = (),
    new_session: bool = False,
    default: "Sequence[int]" = (),
) -> int:
    """Run a program as a child and return its pid; the caller reaps it.

    ``actions``: changes of its descriptors, as os.posix_spawn takes them. ``default``: signals
    that this process ignores and the child must not ignore. Raises OSError.
    """
    try:
        return _spawn(run, actions, new_session, default)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        return _spawn(run.by_shell(), actions, new_session, default)


def wait(pid: int) -> None:
    """Wait for the end of a child and ignore its exit status."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass  # with SIGCHLD ignored waitpid(2) waits too, then the kernel reaps it


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
