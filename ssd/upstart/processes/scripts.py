"""Feed scripts to the shells that read them from pipes, however large they are."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.watch import Watch


class Scripts:
    """The scripts that do not fit into their pipes, and wait for the shells to read."""

    __slots__ = ("_watch", "_left")

    def __init__(self, watch: "Watch") -> None:
        self._watch = watch
        self._left: dict[int, memoryview] = {}  # by the writing end

    def feed(self, fd: int, script: bytes) -> None:
        """Write a script to a pipe, and close it then. Never waits."""
        os.set_blocking(fd, False)
        self._left[fd] = memoryview(script)
        if self._write(fd):
            os.close(fd)
        else:
            self._watch.add(fd, lambda: self._go_on(fd), writing=True)

    def _go_on(self, fd: int) -> None:
        """Write on, as the shell has read some of it, or has ended."""
        if self._write(fd):
            self._watch.remove(fd)
            os.close(fd)

    def _write(self, fd: int) -> bool:
        """Write what fits; tell whether nothing is left to write."""
        try:
            while text := self._left[fd]:
                self._left[fd] = text[os.write(fd, text) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            pass  # nobody reads any more
        del self._left[fd]
        return True

    def close(self) -> None:
        """Close the pipes; the shells read what is there, and end then."""
        for fd in self._left:
            self._watch.remove(fd)
            os.close(fd)
        self._left.clear()
