"""Run the command as a caller in a certain state would."""

import fcntl
import os
import pwd
import resource
import signal
import termios

STREAMS = "/tmp/streams"
PLAIN_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}

_CANNOT = 125
_MARK = b"\0"


def run(command: str, words: list[bytes], caller: dict) -> int:
    """Fork and execute `command` with the arguments `words`; return the pid of the child.

    Standard input is an empty file; standard output and error are files in STREAMS.
    """
    for name in ("in", "out", "err"):
        with open(f"{STREAMS}/{name}", "wb"):
            os.chmod(f"{STREAMS}/{name}", 0o666)
    child = os.fork()
    if child:
        return child
    try:
        settle(caller)
        environment = caller.get("env", PLAIN_ENVIRONMENT)
        name = os.fsencode(caller.get("called", command))
        os.execve(command, [name, *words], environment)
    except OSError as error:
        os.write(2, f"harness: cannot run the command: {error}\n".encode())
    finally:
        os._exit(_CANNOT)


def settle(caller: dict) -> None:
    """Put this process into the state that the case describes."""
    fresh_signals(caller.get("ignored", ()), caller.get("blocked", ()))
    session(caller)
    if "oom" in caller:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write(str(caller["oom"]))
    os.nice(caller.get("nice", 0))
    os.chdir(caller.get("cwd", "/tmp/case"))
    os.umask(int(caller.get("umask", "022"), 8))
    descriptors(caller)
    if caller.get("lost"):
        os.rmdir(caller["cwd"])
    for name, pair in caller.get("limits", {}).items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), pair)
    if "user" in caller:
        become(caller["user"])


def session(caller: dict) -> None:
    """Lead a session, with a terminal where the case wants one, or stay in the one there is."""
    if caller.get("session", True):
        os.setsid()
    if caller.get("tty"):
        terminal = os.open(os.ttyname(caller["tty"]), os.O_RDWR)
        fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def descriptors(caller: dict) -> None:
    """Open and close descriptors; what the harness holds itself closes on exec.

    `to_terminal` makes the case's terminal standard output.
    """
    place(os.open(f"{STREAMS}/in", os.O_RDONLY), 0)
    for number, name in ((1, "out"), (2, "err")):
        place(os.open(f"{STREAMS}/{name}", os.O_WRONLY | os.O_APPEND), number)
    if caller.get("to_terminal"):
        place(caller["tty"], 1)
    for number, path in caller.get("open", {}).items():
        place(os.open(path, os.O_RDWR), int(number))
    for number in caller.get("closed", ()):
        os.close(number)


def place(descriptor: int, number: int) -> None:
    """Make an open descriptor the one with this number, kept open by exec."""
    if descriptor == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(descriptor, number)


def fresh_signals(ignored=(), blocked=()) -> None:
    """Undo Python's changes of signals; ignore and block the named ones (without SIG)."""
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    for name in ignored:
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, [getattr(signal, f"SIG{n}") for n in blocked])


def become(user: str) -> None:
    """Take on the user's id, group and supplementary groups."""
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def streams() -> tuple[bytes, bytes]:
    """Return what the command wrote to standard output and to standard error."""
    with open(f"{STREAMS}/out", "rb") as out, open(f"{STREAMS}/err", "rb") as err:
        return out.read(), err.read()


def shown(master: int, terminal: int) -> bytes:
    """Return what was written to a terminal, read from its other end.

    The kernel may delay it, but keeps the order: a mark that is written afterwards ends it.
    """
    os.write(terminal, _MARK)
    found = b""
    while not found.endswith(_MARK):
        found += os.read(master, 65536)
    return found[: -len(_MARK)]
