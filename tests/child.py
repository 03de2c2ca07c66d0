"""A daemon for tests: says ``ready PID`` when it can be signalled, then each signal it gets.

usage: child.py [--ignore TERM]

It ends at TERM, unless that is ignored. Tests wait for a line of it and never sleep.
"""

import os
import signal
import sys

_TOLD = ("HUP", "INT", "QUIT", "USR1", "USR2", "TERM", "CONT")


def main(arguments: list[str]) -> int:
    """Tell of signals until TERM comes."""
    numbers = {getattr(signal, f"SIG{name}"): name for name in _TOLD}
    # Blocked and fetched one by one: a handler could lose one of two alike.
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    print("ready", os.getpid(), flush=True)
    while True:
        name = numbers[signal.sigwait(numbers)]
        print("got", name, flush=True)
        if name == "TERM" and arguments != ["--ignore", "TERM"]:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
