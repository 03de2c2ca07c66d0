"""What a job that forks does; a program: ``behaving.py SCRIPT NAME``.

It is started by the thousand, so it imports only what the interpreter has loaded or built in.
"""

import _signal
import os
import sys
import time

TRUTH = "/run/truth"

# What a program does. F forks and goes on in the child, its parent ends. Before that W has the
# parent wait for the child, L live a moment more, V both, B fail, and A leave a helper. S makes a
# session, M sleeps, H leaves a helper, C executes a program without an environment, X and E fail.
KINDS = {
    "stays": "", "fails": "X", "fork": "F", "fork-session": "FS", "fork-linger": "LFS",
    "fork-fails": "BFS", "fork-twice": "FSFS", "fork-thrice": "FSFSFS", "daemon": "FSF",
    "daemon-twins": "FSFS", "daemon-slow": "FSMF", "daemon-waited": "WFSF", "daemon-helper": "AFSF",
    "daemon-gone": "VFSFF", "fork-helper": "AF",
    "daemon-thrice": "FSFSFS", "daemon-once": "FS", "daemon-executes": "FSC", "workers": "FSFSHHH",
    "fork-workers": "FHHH", "cleared": "FSFC", "ends": "FSE",
}  # fmt: skip


def behave(script: str, name: str) -> None:
    """Do what a script says, then stay."""
    note(name)
    how = ""
    for step in script:
        if step in "WVLBA":
            how = step
        elif step == "F":
            child = os.fork()
            if child:
                if how in ("W", "V"):
                    os.waitpid(child, 0)
                if how in ("L", "V"):
                    time.sleep(0.2)
                if how == "A" and os.fork() == 0:
                    _signal.pause()
                os._exit(3 if how == "B" else 0)
            how = ""
            note(name)
        elif step == "S":
            os.setsid()
        elif step == "M":
            time.sleep(0.1)
        elif step == "H":
            if os.fork() == 0:
                _signal.pause()
        elif step == "X":
            os._exit(7)
        elif step == "E":
            os._exit(5)
        elif step == "C":
            os.execve("/bin/sleep", ["sleep", "300"], {})
    _signal.pause()


def note(name: str) -> None:
    """Append the pid of this process."""
    fd = os.open(f"{TRUTH}/{name}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, b"%d\n" % os.getpid())
    os.close(fd)


if __name__ == "__main__":
    behave(sys.argv[1].replace("-", ""), sys.argv[2])
