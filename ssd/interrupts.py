"""End by a signal, but not before what was made is cleared away.

For a process of our own only: it changes the disposition of signals.
"""

import os

from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

NAMES = ("SIGHUP", "SIGINT", "SIGTERM")


class Interrupted(BaseException):
    """One of the signals that ask a process to end has come."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class Interruptible:
    """While this context lasts, HUP, INT and TERM unwind the stack; then they do their work.

    A signal that the caller has ignored stays ignored.
    """

    def __enter__(self) -> "Interruptible":
        self._caught = []
        for name in NAMES:
            signum = getattr(signals, name)
            if signals.getsignal(signum) == signals.SIG_DFL:
                signals.signal(signum, _raise)
                self._caught.append(signum)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        for signum in self._caught:
            signals.signal(signum, signals.SIG_DFL)
        if isinstance(error, Interrupted):
            os.kill(os.getpid(), error.signum)


def _raise(signum: int, frame: "FrameType | None") -> None:
    raise Interrupted(signum)
