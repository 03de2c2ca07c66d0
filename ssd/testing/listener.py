"""A daemon for tests: writes ``ready PID`` when it can be signalled, then each signal it gets.

usage: listener.py [--ignore TERM]

It ends at TERM, unless that is ignored. A test waits for one of its lines and never sleeps.
"""

import os
import signal
import sys
from collections.abc import Iterable

_TOLD = ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT")


def main(arguments: list[str]) -> int:
    """Write each signal, until TERM comes."""
    numbers = {getattr(signal, f"SIG{name}"): name for name in _TOLD}
    # They are blocked and fetched one by one: a handler could lose one of two equal signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    say("ready", os.getpid())
    ending = arguments != ["--ignore", "TERM"]
    while True:
        came = waiting(numbers)
        for signum in came:
            say("got", numbers[signum])
        if ending and signal.SIGTERM in came:
            return 0


def waiting(signums: Iterable[int]) -> list[int]:
    """Wait for a signal; return all that are pending then, TERM as the last.

    The kernel delivers the lowest number first, whichever was sent first (signal(7)). So a signal
    that was sent before a TERM could come after it, too late.
    """
    came = [signal.sigwait(signums)]
    while further := signal.sigtimedwait(signums, 0):
        came.append(further.si_signo)
    return sorted(came, key=lambda signum: signum == signal.SIGTERM)


def say(*words: object) -> None:
    """Write a line without a buffer."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
