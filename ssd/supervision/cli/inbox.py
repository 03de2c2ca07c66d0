"""Signals for a supervisor, told by a pipe that stands among the things it waits for.

The handler in C writes into the pipe at the moment a signal arrives (Python's
``set_wakeup_fd``), so none is lost between a look and a wait. No signal is ever blocked: the
programs that are started would inherit that.
"""

import os

from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssd.supervision.watch import Watch


class Inbox:
    """Gets signals for a process of our own: this changes how the process takes them.

    numbers: those to get. call: is called with the number of each, the first one first. A signal
    that comes many times before that counts once, as it does for the kernel.
    """

    __slots__ = ("_call", "_reading", "_pending")

    def __init__(self, numbers: "Iterable[int]", call: "Callable[[int], object]") -> None:
        self._call = call
        self._pending: dict[int, None] = {}
        self._reading, writing = os.pipe()
        for fd in (self._reading, writing):
            os.set_blocking(fd, False)
        # A full pipe is a bell that rings already.
        signals.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in numbers:
            signals.signal(number, self._take)
        signals.pthread_sigmask(signals.SIG_SETMASK, ())

    def join(self, watch: "Watch") -> None:
        """Have ``call`` called while this watch is polled."""
        watch.add(self._reading, self._read)

    def _take(self, number: int, frame: object) -> None:
        self._pending[number] = None

    def _read(self) -> None:
        """Empty the pipe, and pass on what has come."""
        os.read(self._reading, 65536)
        pending, self._pending = self._pending, {}
        for number in pending:
            self._call(number)


def is_ignored(number: int) -> bool:
    """Tell whether the caller wants a signal ignored, as a shell does INT for ``command &``."""
    return bool(signals.getsignal(number) == signals.SIG_IGN)
