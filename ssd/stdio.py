"""The process as a command: its name, its standard descriptors, and what it says on them."""

import errno
import os


def name_process(path: str) -> None:
    """Give this process the name that it was called by, as the kernel gives it to other scripts.

    For the scripts that start Python by its own path: a search for programs called python3 must
    not find them. Without /proc it does.
    """
    try:
        with open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(os.fsencode(os.path.basename(path)))
    except OSError:
        return


def settle() -> None:
    """Make this process behave as a C program does: descriptors 0 to 2, and SIGINT.

    For a process of our own only.
    """
    from ssd.signals import raw as signals

    fill()
    if signals.getsignal(signals.SIGINT) is signals.default_int_handler:
        signals.signal(signals.SIGINT, signals.SIG_DFL)


def fill() -> None:
    """Open /dev/null on each standard descriptor that the caller closed.

    Otherwise the next file that is opened, a lock or a pidfile, would be the standard
    output. What is opened here is close-on-exec: the program finds it closed again.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            # open(2) gives the lowest free number, which is this one.
            os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)


def write_all(fd: int, data: bytes) -> None:
    """Write all of it. Raises OSError; a part of it may be written then.

    write(2) may take less than it is given, at a limit for the size of a file (setrlimit(2))
    or at the end of a disk. The call for the rest says why.
    """
    while data:
        taken = os.write(fd, data)
        if not taken:
            raise OSError(errno.EIO, "nothing more is taken")
        data = data[taken:]


def write(fd: int, text: str) -> None:
    """Write all of a text. A closed pipe or a full disk does not stop the work.

    The originals ignore the result of printf(3) and echo too: callers read the exit status, not
    the text.
    """
    try:
        write_all(fd, os.fsencode(text))
    except OSError:
        return


class Voice:
    """Where the command speaks: standard output and standard error, never raising.

    The original writes through a buffer that execve(2) and _exit(2) throw away, so what a
    successful start says with ``--verbose`` is seen on a terminal only. ``say`` holds lines
    back in that way; ``flush`` lets them go.
    """

    def __init__(self, program: str, quietness: int = 0) -> None:
        self.program = program
        self.quietness = quietness
        self._held: list[str] = []

    def info(self, text: str) -> None:
        """Say what ``--quiet`` hides."""
        if self.quietness <= 0:
            self.say(text)

    def debug(self, text: str) -> None:
        """Say what only ``--verbose`` shows."""
        if self.quietness < 0:
            self.say(text)

    def say(self, text: str) -> None:
        """Put a text on standard output, at the latest by the next ``flush``."""
        self._held.append(text)

    def flush(self) -> None:
        """Write what was said."""
        text, self._held = "".join(self._held), []
        self.write(1, text)

    def flush_terminal(self) -> None:
        """Write what was said if a person reads it, before this process is no more."""
        if self.on_terminal():
            self.flush()

    def on_terminal(self) -> bool:
        """Tell whether standard output is a terminal."""
        return os.isatty(1)

    def leave(self) -> None:
        """End a start that succeeded: only a terminal has seen what was said on the way."""
        self.flush_terminal()
        self.drop()

    def drop(self) -> None:
        """Forget what was said and not written."""
        self._held = []

    def warn(self, text: str) -> None:
        """Write a warning to standard error, after what was said before it."""
        self.write(2, f"{self.program}: warning: {text}\n")

    def complain(self, text: str, hint: str = "") -> None:
        """Write an error to standard error, and below it a hint."""
        self.write(2, f"{self.program}: {text}\n{hint}")

    def write(self, fd: int, text: str) -> None:
        """Write all of a text to a descriptor; see ``ssd.stdio.write``."""
        write(fd, text)
