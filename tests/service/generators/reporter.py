"""A daemon for units: reports how it was started, then each signal.

usage: reporter.py PIPE [--fork PIDFILE] [--notify STATE] [--ignore TERM]

Each line that it writes into the named pipe is JSON. TERM ends it unless it ignores TERM.
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
    """Set up what the words say, report, and wait for signals."""
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
    """Detach as daemon(7) describes: the first process ends when the pidfile exists."""
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
    """Return every property of a process that a declaration can set."""
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
    """Send a state to the supervisor (sd_notify(3))."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
        speaker.sendto(state.encode(), os.environ["NOTIFY_SOCKET"])


def tell(told: int, what: object) -> None:
    """Write a line."""
    os.write(told, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
