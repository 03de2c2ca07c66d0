"""What init says of its jobs: in the kernel's log, where Upstart wrote it, and on standard error.

The kernel's log is for the system: only root's supervisor writes there, and not one that somebody
runs on a terminal. In most containers it cannot be written; then standard error is all there is.
"""

import os

from ssd.upstart.messages import LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KERNEL_LOG = "/dev/kmsg"
LONGEST = 900  # bytes; the kernel takes records of 976 and refuses longer ones


class InitLog:
    """Writes messages of init. ``say``: gets each as a line, with whether it is something wrong.

    only_kernel: whether ``say`` gets none as long as the kernel's log takes them.
    """

    __slots__ = ("_fd", "_say", "_only_kernel")

    def __init__(self, say: "Callable[[str, bool], object]", only_kernel: bool) -> None:
        self._say = say
        self._only_kernel = only_kernel
        self._fd = _open_kernel_log()

    def tell(self, level: str, text: str) -> None:
        """Write a message of a level: debug, info, message, warn, error or fatal."""
        number = LEVELS[level]
        if not (self._write(number, text) and self._only_kernel):
            self._say(f"init: {text}", number <= LEVELS["warn"])

    def close(self) -> None:
        """Close the kernel's log."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, number: int, text: str) -> bool:
        """Write a record to the kernel's log; tell whether it was taken."""
        if self._fd < 0:
            return False
        data = os.fsencode(f"<{number}>init: {text}".replace("\n", " "))
        try:
            os.write(self._fd, data[:LONGEST] + b"\n")
        except OSError:
            return False  # nobody reads it now, or the kernel takes no more: others are told
        return True


def _open_kernel_log() -> int:
    """Return a descriptor of the kernel's log; -1 if it is not for us."""
    if os.geteuid() != 0 or os.isatty(2):
        return -1
    try:
        return os.open(KERNEL_LOG, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return -1  # there is none, as in most containers
