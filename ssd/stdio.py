"""Standard descriptors: present while ssd works."""

import os


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
