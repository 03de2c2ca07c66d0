"""A service that knows when there are two of it, and numbers its lines.

usage: guarded.py NAME DIRECTORY steady|crash
"""

import fcntl
import os
import random
import signal
import sys
import time
from types import FrameType


def main(name: str, directory: str, manner: str) -> None:
    """Take the lock that only one may have, and do as is asked."""
    lock = os.open(f"{directory}/{name}.held", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _note(f"{directory}/doubled", name)
        sys.exit(1)
    _note(f"{directory}/{name}.starts", str(os.getpid()))
    signal.signal(signal.SIGTERM, _end)
    if manner == "crash":
        time.sleep(random.uniform(0, 0.08))
        sys.exit(3)
    number = 0
    while True:
        os.write(1, b"%d\n" % number)
        number += 1
        time.sleep(0.003)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(1, b"end\n")
    sys.exit(0)


def _note(path: str, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, line.encode() + b"\n")
    os.close(file)


if __name__ == "__main__":
    main(*sys.argv[1:])
