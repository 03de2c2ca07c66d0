"""Open what becomes the standard output and error of a program in the background."""

import os

from ssd.errors import StartFailed
from ssd.starting.become import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.accounts import Account
    from ssd.starting.command import Command

_NULL = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC


def redirect(daemon: "Any", command: "Command", account: "Account") -> None:
    """Open what a DaemonContext makes the standard streams. Raises StartFailed and OSError."""
    os.umask(daemon.umask)  # that of the files which are made
    if command.close:
        daemon.stdin.fd = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    daemon.stdout.fd, daemon.stderr.fd = open_streams(command, account)


def open_streams(command: "Command", account: "Account") -> tuple[int, int]:
    """Return descriptors of both, maybe the same one.

    A file for one of them alone goes before one for both, and that before a logger. Without any
    they are as in a start that declares nothing. Raises StartFailed and OSError.
    """
    out: list[int] = []
    err: list[int] = []
    if command.stdout is not None:
        attempt("stdout", os.fsdecode(command.stdout), _open, command.stdout, account, out)
    if command.stderr is not None:
        attempt("stderr", os.fsdecode(command.stderr), _open, command.stderr, account, err)
    if not out or not err:
        both = _both(command, account)
        if command.logger is not None and command.output is None:
            _demand_apart(command, out + err)
        return (out or both)[0], (err or both)[-1]
    return out[0], err[0]


def _demand_apart(command: "Command", opened: list[int]) -> None:
    """Raise StartFailed if a log is one of the files that are open: each would write over it."""
    from ssd.logs.declared import files

    taken = [(facts.st_dev, facts.st_ino) for facts in map(os.fstat, opened)]
    for log in files(command.logger or {}, os.fsdecode(command.startas)):
        if log is not None and taken:
            facts = os.stat(log)
            if (facts.st_dev, facts.st_ino) in taken:
                raise StartFailed("logger", log, None, "it is the file of --stdout or --stderr")


def _open(path: bytes, account: "Account", opened: list[int]) -> None:
    from ssd.starting.output import open_output

    opened.append(open_output(path, account.uid))


def _both(command: "Command", account: "Account") -> list[int]:
    """Return what the two are unless one has a file of its own: one descriptor, or two."""
    opened: list[int] = []
    if command.output is not None:
        attempt("output", os.fsdecode(command.output), _open, command.output, account, opened)
    elif command.logger is not None:
        from ssd.logs import launching

        values = dict(command.logger)
        name = str(values.pop("name", "") or os.path.basename(os.fsdecode(command.startas)))
        opened += launching.start(name, values, account.uid, account.gid)[:2]
    elif command.close:
        opened.append(os.open(os.devnull, _NULL, 0o664))
    else:
        opened += (1, 2)
    return opened


def open_descriptors() -> list[int]:
    """Return every open descriptor of this process, for ``--no-close``."""
    for directory in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(directory)]
        except OSError:
            continue
    return list(range(os.sysconf("SC_OPEN_MAX")))
