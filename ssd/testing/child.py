"""A child that does as it is told: the real process behind ``ssd.testing.RealWorld``.

usage: child.py LIFELINE

It says ``ready``, then reads commands, one a line, and answers each with one line:
``name HEX`` (take a name; Linux), ``ignore N`` (a signal), ``fork HEX`` (make a child of
its own; answers its pid; HEX may be empty). It ends at the end of its input; its own
children end when nobody holds the write end of the pipe LIFELINE any more.
"""

import os
import signal
import sys


def rename(text: str) -> str:
    """Take a name, given in hexadecimal; none leaves it as it is."""
    if text:
        with open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(bytes.fromhex(text))
    return "ok"


def ignore(text: str) -> str:
    """Ignore a signal, given by its number."""
    signal.signal(int(text), signal.SIG_IGN)
    return "ok"


def fork(text: str) -> str:
    """Make a child with a name; return its pid once it has the name."""
    named, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        rename(text)
        os.write(say, b".")
        os.read(int(sys.argv[1]), 1)  # until all that hold the other end are gone
        os._exit(0)
    os.close(say)
    os.read(named, 1)
    os.close(named)
    return str(pid)


def main() -> None:
    """Obey until there are no more commands."""
    commands = {"name": rename, "ignore": ignore, "fork": fork}
    say("ready")
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        say(commands[word](rest))


def say(text: str) -> None:
    """Answer with one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
