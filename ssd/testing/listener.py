"""A daemon for tests: says ``ready PID`` when it can be signalled, then each signal it gets.

usage: listener.py [--ignore TERM]

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
    say("ready", os.getpid())
    while True:
        name = numbers[signal.sigwait(numbers)]
        say("got", name)
        if name == "TERM" and arguments != ["--ignore", "TERM"]:
            return 0


def say(*words: object) -> None:
    """Write a line, at once."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
