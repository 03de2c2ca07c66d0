"""Start the logger of a daemon (``ssd.logs.logger``), before the daemon itself.

It is executed as a program of its own, so that it takes little memory, is seen as what it is, and
shares nothing with the daemon. Whatever becomes of the start, the logger ends with the last
descriptor of its pipe: if ssd is killed, if the daemon cannot be executed, when the daemon ends.
"""

import fcntl
import os
import sys
from time import monotonic

from ssd.errors import StartFailed
from ssd.logs import DEFAULTS
from ssd.logs.declared import files
from ssd.logs.files import make_directory
from ssd.logs.logger import ERR, NAME, OUT, READY, REPORT, arguments
from ssd.processes.waiting import ready
from ssd.signals import raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssd.logs.logger import Values

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "program.py")
# For a package in a zip file (zipapp), in which no script can be executed.
_CODE = "import sys; sys.path.insert(0, {!r}); from ssd.logs.logger import main; main(sys.argv[1:])"
KEPT = ("TZ", "LD_LIBRARY_PATH")  # of the environment: its times, and what a Python may need
ABOVE = 10  # descriptors from here on are none of those that the logger is to have


def start(
    name: str, values: "Mapping[str, object]", uid: int | None, gid: int | None
) -> tuple[int, int, int]:
    """Start a logger; return the daemon's standard output and error, and the logger's pid.

    When it returns, the log is open.

    name: of the service. values: the field ``log``, complete or not; without a path the log is
    NAME.log in the user's directory of logs. uid, gid: the daemon's, None for the caller's. The two
    are /dev/null, and the pid is 0, if the values ask for nothing. Raises StartFailed.
    """
    shown = str(values.get("path") or name)
    ends: list[int] = []
    try:
        values = _complete(name, values)
        if values["kind"] == "none" and not values["syslog"]:
            fd = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            return fd, fd, 0
        out, report = _pipe(ends), _pipe(ends)
        err = _pipe(ends) if values["stderr_path"] else None
        pairs = [(out[0], OUT), (report[1], REPORT), *([] if err is None else [(err[0], ERR)])]
        pid = _spawn([*_program(), *arguments(name, values, uid)], pairs)
        for fd in (out[0], report[1], *(err or ())[:1]):
            _close(ends, fd)
        _await(report[0], pid, shown)
        made = [_writable(pair[1], uid, gid) for pair in (out, err) if pair is not None]
        return made[0], made[-1], pid
    except OSError as error:
        raise StartFailed("logger", shown, error.errno, error.strerror) from error
    finally:
        for fd in list(ends):
            _close(ends, fd)


def _spawn(words: list[str], pairs: list[tuple[int, int]]) -> int:
    """Run Python with these words; return its pid. ``pairs``: descriptors, ours and its."""
    null = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_RDWR, 0)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-IS", *words],
        {key: os.environ[key] for key in KEPT if key in os.environ},
        file_actions=[*((os.POSIX_SPAWN_DUP2, *pair) for pair in pairs), null],
        setsigmask=raw.valid_signals(),  # until it ignores some
    )


def _program() -> list[str]:
    """Return the words that have Python run the logger."""
    if os.path.exists(PROGRAM):
        return [PROGRAM]
    return ["-c", _CODE.format(os.path.abspath(f"{os.path.dirname(PROGRAM)}/../.."))]


def _complete(name: str, given: "Mapping[str, object]") -> "Values":
    """Return all the settings, with absolute paths."""
    values: Values = {**DEFAULTS, **given, "forward": False}  # type: ignore[dict-item]
    out, err = files(given, name)
    if out is not None and values["path"] is None:
        make_directory(os.path.dirname(out))
    values["path"], values["stderr_path"] = out, None if err == out else err
    return values


def _pipe(ends: list[int]) -> tuple[int, int]:
    """Make a pipe whose descriptors are ABOVE."""
    low = os.pipe()
    try:
        for fd in low:
            ends.append(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE))
    finally:
        for fd in low:
            os.close(fd)
    return ends[-2], ends[-1]


def _close(ends: list[int], fd: int) -> None:
    ends.remove(fd)
    os.close(fd)


def _await(report: int, pid: int, shown: str) -> None:
    """Return when the logger says that it is ready. Raises StartFailed."""
    said = b""
    while more := os.read(report, 4096):  # to the end: then it has let go of all that is ours
        said += more
    if said.endswith(READY):
        return
    _reap(pid)
    # Its own answer is one line; the last line of a traceback says most.
    last = (said.decode(errors="backslashreplace").strip().splitlines() or ["it said nothing"])[-1]
    number, _, reason = last.partition(" ")
    if number.isdigit():
        raise StartFailed("logger", shown, int(number) or None, reason)
    raise StartFailed("logger", shown, None, f"the logger has ended: {last}")


def _reap(pid: int) -> None:
    """Reap a logger that has failed, unless the kernel has, because the caller ignores SIGCHLD."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return


def _writable(fd: int, uid: int | None, gid: int | None) -> int:
    """Return a descriptor of a pipe for the daemon, which may open it anew as /dev/stdout.

    It is open for reading, too, where the system has /proc: then no write fails if the logger is
    killed; it waits when the pipe is full, as it does for a supervisor (``ssd.logs.stream``).
    """
    try:
        made = os.open(f"/proc/self/fd/{fd}", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        made = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, ABOVE)
    if os.geteuid() == 0 and (uid is not None or gid is not None):
        try:
            os.fchown(made, -1 if uid is None else uid, -1 if gid is None else gid)
        except PermissionError:
            return made  # no CAP_CHOWN, as in a container: only /dev/stdout cannot be opened
    return made


def finish(children: "Iterable[int]", seconds: float) -> None:
    """Wait until the loggers among our children have written what is left, for some time at most.

    For a process that has inherited the logger of a program that has ended.
    """
    until = monotonic() + seconds
    for pid in children:
        try:
            with open(f"/proc/{pid}/comm") as file:
                if file.read().rstrip("\n") != NAME:
                    continue
            fd = os.pidfd_open(pid)
        except (OSError, AttributeError):  # it has ended, or this system does not tell
            continue
        try:
            ready([fd], max(0.0, until - monotonic()))
        finally:
            os.close(fd)
