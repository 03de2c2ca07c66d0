"""A child that obeys commands: the real process behind ``ssd.testing.RealWorld``.

usage: child.py

It writes ``ready``, then reads commands, one a line, and answers each with a line:

name HEX: take a name (Linux). lead: make a session of its own. put KEY=VALUE: set a variable, which
its next programs have. ignore N, catch N: a signal. become UID: belong to that user.
hide: be no longer dumpable (Linux). execute HEX: run this program again by another path, and
say ``ready`` again. fork HEX NAME: make a child, which obeys by a socket at the path HEX; the
answer is its pid; NAME is in hexadecimal and may be empty. stopped PID, ended PID, reap PID: wait
for that state of its own child. It ends at the end of its input.
"""

import os
import signal
import sys


def rename(text: str) -> str:
    """Take a name, given in hexadecimal, unless it is empty."""
    if text:
        with open("/proc/self/comm", "wb", buffering=0) as comm:
            comm.write(bytes.fromhex(text))
    return "ok"


def lead(text: str) -> str:
    """Make a session of its own."""
    os.setsid()
    return "ok"


def put(text: str) -> str:
    """Set a variable for the programs that it executes."""
    key, _, value = text.partition("=")
    os.environ[key] = value
    return "ok"


def ignore(text: str) -> str:
    """Ignore a signal, given by its number."""
    signal.signal(int(text), signal.SIG_IGN)
    return "ok"


def catch(text: str) -> str:
    """Catch a signal, given by its number, and go on."""
    signal.signal(int(text), lambda *taken: None)
    return "ok"


def become(text: str) -> str:
    """Belong to another user, given by its number, as if that user had started it."""
    import ctypes

    os.setuid(int(text))
    ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE; else /proc/PID/exe is root's: proc(5)
    return "ok"


def hide(text: str) -> str:
    """Be no longer dumpable: only root may trace it or, with hidepid, see it."""
    import ctypes

    ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE
    return "ok"


def execute(text: str) -> str:
    """Execute this program again by another path, given in hexadecimal."""
    os.execv(bytes.fromhex(text), [sys.executable, "-I", "-S", __file__])


def fork(text: str) -> str:
    """Make a child, which obeys by a socket of its own; return its pid."""
    import socket

    path, name = text.split(" ")
    pid = os.fork()
    if pid == 0:
        rename(name)
        with socket.socket(socket.AF_UNIX) as near:
            near.connect(bytes.fromhex(path))
            os.dup2(near.fileno(), 0)
            os.dup2(near.fileno(), 1)
        # New files: those of the parent have a buffer with its next commands.
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
        os._exit(main())
    return str(pid)


def stopped(text: str) -> str:
    """Wait until a child, given by its pid, is stopped."""
    os.waitid(os.P_PID, int(text), os.WSTOPPED | os.WNOWAIT)
    return "ok"


def ended(text: str) -> str:
    """Wait until a child, given by its pid, is a zombie."""
    os.waitid(os.P_PID, int(text), os.WEXITED | os.WNOWAIT)
    return "ok"


def reap(text: str) -> str:
    """Reap a child, given by its pid."""
    os.waitpid(int(text), 0)
    return "ok"


COMMANDS = {
    "name": rename, "lead": lead, "put": put, "ignore": ignore, "catch": catch, "become": become,
    "hide": hide, "execute": execute, "fork": fork, "stopped": stopped, "ended": ended,
    "reap": reap,
}  # fmt: skip


def main() -> int:
    """Obey until there are no more commands."""
    say("ready")
    for line in iter(sys.stdin.readline, ""):
        word, _, rest = line.rstrip("\n").partition(" ")
        say(COMMANDS[word](rest))
    return 0


def say(text: str) -> None:
    """Answer with one line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
