"""A daemon for units: tells how it was started, then each signal that it gets.

usage: reporter.py PIPE [--fork PIDFILE] [--notify STATE] [--ignore TERM]

Each line that it writes into the named pipe is JSON. It ends at TERM, unless it ignores that.
"""

import json
import os
import resource
import signal
import socket
import sys
from typing import NoReturn

TOLD = (signal.SIGHUP, signal.SIGINT, signal.SIGUSR1, signal.SIGTERM)


def main(pipe: str, *words: str) -> NoReturn:
    """Go where the words say, tell of it, and wait for signals."""
    options = dict(zip(words[::2], words[1::2], strict=True))
    told = os.open(pipe, os.O_WRONLY)
    signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)
    if "--fork" in options:
        go_to_background(options["--fork"])
    tell(told, {"pid": os.getpid(), **surroundings()})
    if "--notify" in options:
        notify(options["--notify"])
    while True:
        name = signal.Signals(signal.sigwait(TOLD)).name[3:]
        tell(told, name)
        if name == "TERM" != options.get("--ignore"):
            os._exit(0)


def go_to_background(pidfile: str) -> None:
    """Detach, as daemon(7) has it: the first process ends when the pidfile is there."""
    reading, writing = os.pipe()
    if os.fork():
        os._exit(0 if os.read(reading, 1) == b"." else 1)
    os.setsid()
    if os.fork():
        os._exit(0)
    with open(f"{pidfile}.new", "w") as file:
        print(os.getpid(), file=file)
    os.rename(f"{pidfile}.new", pidfile)
    os.write(writing, b".")


def surroundings() -> dict[str, object]:
    """Return everything that a declaration can say about a process."""
    mask = os.umask(0)
    os.umask(mask)
    return {
        "uid": os.getuid(),
        "gid": os.getgid(),
        "umask": f"{mask:03o}",
        "nofile": resource.getrlimit(resource.RLIMIT_NOFILE),
        "nice": os.nice(0),
        "directory": os.getcwd(),
        "root": sorted(os.listdir("/")),
        "environment": dict(os.environ),
    }


def notify(state: str) -> None:
    """Say it to the supervisor (sd_notify(3))."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])


def tell(told: int, what: object) -> None:
    """Write a line."""
    os.write(told, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
