"""Start a program by a helper, a fresh Python: the caller's side, and the helper itself.

A process with threads must not fork into Python code: a lock that another thread holds at
that moment stays locked in the child for ever. So the library spawns a fresh interpreter by
posix_spawn(3). For a background start the helper detaches the daemon and ends; for a child of
the caller it becomes the program itself and keeps its pid.
"""

import errno
import marshal
import os
import sys
from itertools import count

from ssd import environment
from ssd.errors import StartFailed
from ssd.signals import raw as signals
from ssd.starting import report
from ssd.stdio import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeVar

    from ssd.children.spawning import Spawned
    from ssd.matching import Match
    from ssd.starting.command import Command

    Made = TypeVar("Made", Match, Command)

# Where this ssd is imported from.
_HOME = os.path.abspath(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
# -I keeps the caller's environment and directory out of the helper's imports. It imports the same
# ssd, and all else first from the interpreter's path, then from the caller's: the caller may have
# a module with the name of one that a start needs (daemon.py, say). Any fault of the interpreter
# is reported like other failures (``report.send``).
_CODE = """
import sys
sys.path.insert(0, {home!r})
try:
    import ssd
    del sys.path[0]
    sys.path += {path!r}
    from ssd.children import helper
except BaseException as error:
    import marshal, os
    reason = "it cannot import ssd: " + repr(error)[:900]
    fields = ["error", "StartFailed", "interpreter", {python!r}[:1000], None, reason]
    message = marshal.dumps(fields, 2)
    os.write({fds[1]}, len(message).to_bytes(4, "little") + message)
    os._exit(2)
helper.main({fds!r})
"""
NO_PYTHON = "it is not a Python, which a start needs: set ssd.interpreter to one"
_SETSID = sys.platform in ("linux", "darwin")  # where posix_spawn(3) makes a session
# Sent to a whole process group, mostly by a terminal.
_OF_GROUPS = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTSTP", "SIGTTIN", "SIGTTOU")


class Request:
    """A start as plain values that can be marshalled."""

    __slots__ = (
        "match", "command", "background", "make_pidfile", "notify_timeout", "wait", "table",
    )  # fmt: skip

    def __init__(
        self,
        match: dict[str, object],
        command: dict[str, object],
        background: bool,
        make_pidfile: bool,
        notify_timeout: float | None,
        wait: float | None,
        table: str | None,
    ) -> None:
        self.match = match
        self.command = command
        self.background = background
        self.make_pidfile = make_pidfile
        self.notify_timeout = notify_timeout
        self.wait = wait
        self.table = table

    def pack(self) -> bytes:
        """Return the request as bytes."""
        return marshal.dumps(
            [_plain(getattr(self, name)) for name in self.__slots__], report.FORMAT
        )


def fields(value: "Match | Command") -> dict[str, object]:
    """Return the values of a Match or a Command by their names."""
    from ssd.matching import Match
    from ssd.starting.command import Command

    kind = Match if isinstance(value, Match) else Command
    return {name: getattr(value, name) for name in kind.__slots__}


def _filled(kind: "type[Made]", held: dict[str, object]) -> "Made":
    """Rebuild what ``fields`` took apart; the caller has checked it."""
    made = kind.__new__(kind)
    for name, value in held.items():
        setattr(made, name, value)
    return made


def _plain(value: object) -> object:
    """Return a value without subclasses of plain types, which marshal rejects."""
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value[:])(map(_plain, value))
    if isinstance(value, (str, bytes)):
        return value[:]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return float(value) if isinstance(value, float) else value


def spawn(
    spawned: "Spawned", request: Request, stdio: tuple[int, int, int], new_session: bool = False
) -> None:
    """Spawn a helper and send it the request; its reports are read through ``spawned``.

    ``stdio``: the descriptors that become its standard ones; a closed one stays closed.
    The caller reads the reports and reaps the child that ``spawned`` holds. Raises StartFailed,
    and ValueError for a value that cannot be marshalled.

    All signals are blocked in the helper until ``main`` can handle them.
    """
    packed = request.pack()  # first: a value that cannot be sent must leave no waiting helper
    python = interpreter()
    request_end, giving = spawned.pipe()
    spawned.reading, report_end = spawned.pipe()
    free = (number for number in count(3) if number not in {request_end, report_end, *stdio})
    fds = (next(free), next(free))
    actions = [
        (os.POSIX_SPAWN_DUP2, request_end, fds[0]),
        (os.POSIX_SPAWN_DUP2, report_end, fds[1]),
        *_standard(stdio, free),
    ]
    code = _CODE.format(home=_HOME, path=_path(), fds=fds, python=python)
    options = {"setsid": True} if new_session or (request.background and _SETSID) else {}
    try:
        spawned.spawn(
            os.posix_spawn,
            python,
            [python, "-I", "-c", code],
            environment.inherited(),
            file_actions=actions,
            setsigmask=signals.valid_signals(),
            **options,
        )
    except OSError as error:
        none = error.errno in (errno.ENOENT, errno.EACCES, errno.ENOEXEC)
        reason = f"{error.strerror}: set ssd.interpreter to a Python" if none else error.strerror
        raise StartFailed("interpreter", python, error.errno, reason) from error
    spawned.close(request_end)
    spawned.close(report_end)
    _give(giving, packed)
    spawned.close(giving)


def interpreter() -> str:
    """Return the Python that helpers run on: ``ssd.interpreter``, or else our own.

    Raises StartFailed if our own program is not a Python: it would run again instead of a helper.
    """
    import ssd

    if ssd.interpreter is not None:
        from ssd.match_values import plain_text

        if named := os.fsdecode(plain_text("ssd.interpreter", ssd.interpreter)):
            return named
    own = "" if ssd.interpreter is not None else sys.executable or ""
    name = os.path.basename(own).lower()
    if getattr(sys, "frozen", False) or not own or not _is_python(name):
        raise StartFailed("interpreter", own or "(none)", None, NO_PYTHON)
    return own


def _is_python(name: str) -> bool:
    """Return whether a name is that of a Python: python3.11, pypy3, python3.13t-dbg."""
    rest = name.removeprefix("python").removeprefix("pypy")
    tail = rest.removesuffix(".exe").removesuffix("-dbg").lstrip(".0123456789")
    return rest != name and tail in ("", "d", "t", "td", "w")


def _path() -> list[str]:
    """Return where else the helper imports from: beside ssd, then from the caller's path.

    Relative and empty entries are left out: their meaning changes with the caller's directory,
    which may belong to another user by now.
    """
    return [_HOME, *(each for each in sys.path if isinstance(each, str) and os.path.isabs(each))]


def _standard(stdio: tuple[int, int, int], free: "Iterator[int]") -> "Iterator[tuple[int, ...]]":
    """Yield the actions that make three descriptors the standard ones.

    Sources below 3 are moved out of the way first: (1, 0, 2) is allowed.
    """
    moved = {}
    for fd in sorted({fd for fd in stdio if fd < 3 and is_open(fd)}):
        moved[fd] = next(free)
        yield os.POSIX_SPAWN_DUP2, fd, moved[fd]
    for target, fd in enumerate(stdio):
        if fd in moved or is_open(fd):
            yield os.POSIX_SPAWN_DUP2, moved.get(fd, fd), target
        else:
            yield os.POSIX_SPAWN_CLOSE, target


def is_open(fd: int) -> bool:
    """Return whether a descriptor is open."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _give(fd: int, data: bytes) -> None:
    """Write the request; its report shows whether the helper has already ended."""
    try:
        write_all(fd, data)
    except BrokenPipeError:
        pass  # the empty report says more


def main(fds: tuple[int, int]) -> None:
    """Be the helper: read the request, start, report, and end or become the program.

    All signals are blocked so far. A helper that detaches a daemon leaves the caller's process
    group, so that a signal to the group, such as Ctrl-C, does not reach it. A helper that becomes
    a child stays in the group, and unblocks signals right before it executes the program.
    """
    requests, reports = fds
    for fd in fds:
        os.set_inheritable(fd, False)
    first, second = sorted(fds)
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, os.sysconf("SC_OPEN_MAX"))
    if signals.getsignal(signals.SIGINT) is signals.default_int_handler:
        signals.signal(signals.SIGINT, signals.SIG_DFL)
    status = 0
    try:
        with open(requests, "rb") as file:
            request = Request(*marshal.loads(file.read()))
        if request.background:
            _leave_group()
        _start(request, reports)
    except BaseException as error:  # noqa: BLE001 - reported to the caller
        report.send_error(reports, error)
        status = 2
    os._exit(status)


def _leave_group() -> None:
    """Lead a new session, discard the signals sent to the old group, and unblock signals."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    for signum in {getattr(signals, name) for name in _OF_GROUPS} & signals.sigpending():
        action = signals.signal(signum, signals.SIG_IGN)  # which discards a pending one
        signals.signal(signum, action)
    _take_signals()


def _take_signals() -> None:
    """Unblock all signals."""
    signals.pthread_sigmask(signals.SIG_SETMASK, ())


def _start(request: Request, reports: int) -> None:
    """Do the requested start."""
    from ssd.matching import Match
    from ssd.processes import own, table_named
    from ssd.starting import Start
    from ssd.starting.command import Command
    from ssd.stdio import fill

    def executing() -> None:
        report.send(reports, "executing")
        _take_signals()

    fill()
    start = Start(
        _filled(Match, request.match),
        _filled(Command, request.command),
        background=request.background,
        make_pidfile=request.make_pidfile,
        notify_timeout=request.notify_timeout,
        wait=request.wait,
        warn=lambda *warning: report.send(reports, "warning", *warning),
        say=lambda *event: None,
        executing=executing,
        listeners=(reports,),
        table=None if request.table is None else table_named(request.table),
    )
    if not request.background:
        report.send_self(reports, own(start.table))
    start.run()
    report.send(reports, "done")
