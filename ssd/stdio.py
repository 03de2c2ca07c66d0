"""The process as a command: its name, its standard descriptors, and its output."""

import errno
import os


def name_process(path: str) -> None:
    """Give this process the name that it was called by, as the kernel gives it to other scripts.

    For the scripts that start Python by its own path: a search for programs called python3 must
    not find them. Without /proc it does.
    """
    try:
        with open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(os.fsencode(path.rpartition("/")[2]))
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
    output. These descriptors are close-on-exec: for the program they are closed again.
    """
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            # open(2) gives the lowest free number, which is this one.
            os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)


def write_all(fd: int, data: bytes) -> None:
    """Write all of the data. Raises OSError; a part of it may be written then.

    write(2) may write less than it is given, at a limit for the size of files (setrlimit(2)) or
    on a full disk. The next call, for the rest, reports why.
    """
    while data:
        taken = os.write(fd, data)
        if not taken:
            raise OSError(errno.EIO, "write(2) writes nothing more")
        data = data[taken:]


def write(fd: int, text: str) -> None:
    """Write all of a text. A closed pipe or a full disk does not stop the work.

    The originals also ignore the result of printf(3) and echo: callers rely on the exit status.
    """
    try:
        write_all(fd, os.fsencode(text))
    except OSError:
        return


class Voice:
    """What the command says, on standard output and standard error. It raises nothing.

    The original writes through a buffer that execve(2) and _exit(2) discard, so the output of a
    successful start with ``--verbose`` appears on a terminal only. ``say`` buffers lines in the
    same way; ``flush`` writes them.
    """

    def __init__(self, program: str, quietness: int = 0) -> None:
        self.program = program
        self.quietness = quietness
        self._held: list[str] = []

    def info(self, text: str) -> None:
        """Say a text, unless ``--quiet`` is given."""
        if self.quietness <= 0:
            self.say(text)

    def debug(self, text: str) -> None:
        """Say a text only with ``--verbose``."""
        if self.quietness < 0:
            self.say(text)

    def say(self, text: str) -> None:
        """Buffer a text for standard output until the next ``flush``."""
        self._held.append(text)

    def flush(self) -> None:
        """Write what is buffered."""
        text, self._held = "".join(self._held), []
        self.write(1, text)

    def flush_terminal(self) -> None:
        """Write what is buffered, if it goes to a terminal."""
        if self.on_terminal():
            self.flush()

    def on_terminal(self, fd: int = 1) -> bool:
        """Tell whether standard output, or standard error, is a terminal."""
        return os.isatty(fd)

    def note(self, event: str, *values: object) -> None:
        """Take note of a step of a start: only ``ssd.cli.answers`` does."""

    def leave(self) -> None:
        """End a successful start: only a terminal gets what is still buffered."""
        self.flush_terminal()
        self.drop()

    def drop(self) -> None:
        """Discard what is buffered."""
        self._held = []

    def warn(self, text: str) -> None:
        """Write a warning to standard error."""
        self.write(2, f"{self.program}: warning: {text}\n")

    def complain(self, text: str, hint: str = "") -> None:
        """Write an error to standard error, and a hint in the next line."""
        self.write(2, f"{self.program}: {text}\n{hint}")

    def write(self, fd: int, text: str) -> None:
        """Write all of a text to a descriptor; see ``ssd.stdio.write``."""
        write(fd, text)
