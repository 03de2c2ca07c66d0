"""Standard descriptors: present while ssd works, and what the program is to have."""

import os
import sys


class Stream:
    """A descriptor with the one method that python-daemon asks of a stream."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.fd


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


def prepare(output: int | None, close: bool) -> tuple[Stream, Stream, Stream]:
    """Return what standard input, output and error of a background program will be.

    ``output``: descriptor for output and error; None is /dev/null, or without ``close`` what
    they are. So is the input then. Raises OSError.
    """
    # DaemonContext redirects through sys.stdin and its like, which are None if they were
    # closed when the interpreter started.
    sys.stdin, sys.stdout, sys.stderr = Stream(0), Stream(1), Stream(2)
    source, out, error = Stream(0), Stream(1), Stream(2)
    if output is None and close:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        output = os.open("/dev/null", flags, 0o664)
    if output is not None:
        out = error = Stream(output)
    if close:
        source = Stream(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    return source, out, error


def open_descriptors() -> list[int]:
    """Return every open descriptor of this process, for ``--no-close``."""
    for directory in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(directory)]
        except OSError:
            continue
    return list(range(os.sysconf("SC_OPEN_MAX")))
