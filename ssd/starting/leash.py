"""End whoever is on the way to the program when the one that started him is killed.

He may hang there for long, in a name service or on a disk that does not answer, and he holds the
lock of the start. The end of a pipe has the kernel kill him (fcntl(2), F_SETSIG), wherever he
hangs, which no look of his own could do; and unlike prctl(2)'s it holds for a grandchild.
"""

import fcntl
import os

SIGKILL = 9


class Leash:
    """A pipe between a starter and the process that he has started. Close it in the end.

    Where the system has no such signal (not Linux, some emulations of it) it does nothing.
    """

    __slots__ = ("_hand", "_collar")

    def __init__(self) -> None:
        self._hand, self._collar = os.pipe()

    def fileno(self) -> int:
        """Return the descriptor that the started process must keep."""
        return self._collar

    def close(self) -> None:
        """Let go, in the starter."""
        os.close(self._hand)
        os.close(self._collar)

    def put_on(self) -> None:
        """Begin, in a child of the starter."""
        os.close(self._hand)
        self.tie()

    def tie(self) -> None:
        """Have this process end with the starter. Raises BrokenPipeError if he has ended."""
        if not hasattr(fcntl, "F_SETSIG"):
            return
        try:
            fcntl.fcntl(self._collar, fcntl.F_SETSIG, SIGKILL)
            fcntl.fcntl(self._collar, fcntl.F_SETOWN, os.getpid())
            self._set(os.O_ASYNC)
        except OSError:
            return  # a kernel that knows the words only
        os.write(self._collar, b".")  # what ended before has sent no signal

    def loose(self) -> None:
        """End it, right before execve(2): the program is nobody's any more."""
        self._set(0)

    def _set(self, flag: int) -> None:
        flags = fcntl.fcntl(self._collar, fcntl.F_GETFL)
        fcntl.fcntl(self._collar, fcntl.F_SETFL, flags & ~os.O_ASYNC | flag)
