"""Let a process of ssd clear up before HUP, INT or TERM ends it.

For a process of our own only: this changes the disposition of signals.
"""

import os

from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

ENDING_SIGNALS = ("SIGHUP", "SIGINT", "SIGTERM")


class Interrupted(BaseException):
    """A signal that asks a process to end has arrived."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class Interruptible:
    """While this context lasts, HUP, INT and TERM unwind the stack; at its end they take effect.

    A signal that the caller has ignored stays ignored.
    """

    def __enter__(self) -> "Interruptible":
        self._caught = []
        for name in ENDING_SIGNALS:
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
