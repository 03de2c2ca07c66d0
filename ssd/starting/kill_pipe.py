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

    __slots__ = ("_starter_end", "_child_end", "_signals")

    def __init__(self) -> None:
        self._starter_end, self._child_end = os.pipe()
        try:  # here already, because each page that a forked process writes to is copied
            fcntl.fcntl(self._child_end, fcntl.F_SETSIG, SIGKILL)
            fcntl.fcntl(self._child_end, fcntl.F_SETFL, os.O_ASYNC)
            self._signals = True
        except (AttributeError, OSError):  # the name may be there, and the kernel lack it
            self._signals = False

    def fileno(self) -> int:
        """Return the descriptor that the started process must keep."""
        return self._child_end

    def close(self) -> None:
        """Close both ends, in the starter."""
        os.close(self._starter_end)
        os.close(self._child_end)

    def arm_in_child(self) -> None:
        """Have the kernel kill this process, a child of the starter's, if the starter ends.

        Raises BrokenPipeError if the starter has ended already.
        """
        os.close(self._starter_end)
        if self._signals:
            fcntl.fcntl(self._child_end, fcntl.F_SETOWN, os.getpid())
            os.write(self._child_end, b".")  # fails if the starter ended before that

    def disarm(self) -> None:
        """Undo ``arm_in_child``, right before execve(2): the program must outlive the starter."""
        if self._signals:
            fcntl.fcntl(self._child_end, fcntl.F_SETOWN, 0)
