"""Kill the process that is becoming the daemon, if the process that started it is killed.

It holds the lock of the start, and may hang for a long time in a name service or on a disk that
does not answer. So the kernel kills it when a pipe loses its other end (fcntl(2), F_SETSIG),
wherever it hangs. prctl(2) has such a signal, too, but not for a grandchild.
"""

import fcntl
import os

SIGKILL = 9


class KillPipe:
    """A pipe between a starter and the process that it starts. The starter must close it.

    It does nothing on systems without F_SETSIG (not Linux, some emulations of it).
    """

    __slots__ = ("_starter_end", "_child_end")

    def __init__(self) -> None:
        self._starter_end, self._child_end = os.pipe()

    def fileno(self) -> int:
        """Return the descriptor that the started process must keep."""
        return self._child_end

    def close(self) -> None:
        """Close both ends, in the starter."""
        os.close(self._starter_end)
        os.close(self._child_end)

    def arm_in_child(self) -> None:
        """Close the starter's end and arm, in a child of the starter."""
        os.close(self._starter_end)
        self.arm()

    def arm(self) -> None:
        """Have the kernel kill this process if the starter ends.

        Raises BrokenPipeError if the starter has ended already.
        """
        if not hasattr(fcntl, "F_SETSIG"):
            return
        try:
            fcntl.fcntl(self._child_end, fcntl.F_SETSIG, SIGKILL)
            fcntl.fcntl(self._child_end, fcntl.F_SETOWN, os.getpid())
            self._set(os.O_ASYNC)
        except OSError:
            return  # F_SETSIG has a name here, but the kernel does not implement it
        os.write(self._child_end, b".")  # fails if the starter ended before the signal was set

    def disarm(self) -> None:
        """Undo ``arm``, right before execve(2): the program must outlive the starter."""
        self._set(0)

    def _set(self, flag: int) -> None:
        flags = fcntl.fcntl(self._child_end, fcntl.F_GETFL)
        fcntl.fcntl(self._child_end, fcntl.F_SETFL, flags & ~os.O_ASYNC | flag)
