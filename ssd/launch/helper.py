"""A start on behalf of another process: the helper that runs it, and the asking of one.

A process with threads must not be forked into Python code: a lock held by another thread at
that moment is held in the child for ever. So the library spawns a fresh interpreter by
posix_spawn(3). For a background start it detaches the daemon and ends; for a child that is
to stay the caller's, it turns into the program itself, with the pid it had all along.
"""

import marshal
import os
import sys
from itertools import count

from ssd.errors import StartFailed
from ssd.launch import environment, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# Where this ssd is imported from.
_HOME = os.path.abspath(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
# -I keeps the caller's environment and directory out of the helper's imports. It has the same ssd,
# and looks for all else first where the interpreter does, then where the caller does: a module of
# the caller's may be called as one of those that a start needs (daemon.py, say).
_CODE = (
    "import sys; sys.path.insert(0, {home!r}); import ssd; del sys.path[0]; sys.path += {path!r}; "
    "from ssd.launch import helper; helper.main({fds!r})"
)


class Request:
    """A start as plain values, so that it can be marshalled."""

    __slots__ = ("match", "command", "background", "make_pidfile", "notify_timeout", "table")

    def __init__(
        self,
        match: dict[str, object],
        command: dict[str, object],
        background: bool,
        make_pidfile: bool,
        notify_timeout: float | None,
        table: str | None,
    ) -> None:
        self.match = match
        self.command = command
        self.background = background
        self.make_pidfile = make_pidfile
        self.notify_timeout = notify_timeout
        self.table = table

    def pack(self) -> bytes:
        """Return the request in bytes."""
        return marshal.dumps([getattr(self, name) for name in self.__slots__])


def spawn(
    request: Request, stdio: tuple[int, int, int], new_session: bool = False
) -> tuple[int, int, int]:
    """Spawn a helper, give it the request; return its pid, its reports' end and its pidfd.

    ``stdio``: the descriptors that become its standard ones; one that is closed stays so.
    The caller reads the reports, closes both descriptors (the pidfd is -1 where there is
    none) and reaps the pid. Raises StartFailed, and ValueError for a value that is no plain
    one (a subclass of str, say).
    """
    packed = request.pack()  # first: what cannot be sent must not leave a helper waiting
    request_end, giving = _pipe()
    reading, report_end = _pipe()
    free = (number for number in count(3) if number not in {request_end, report_end, *stdio})
    fds = (next(free), next(free))
    actions = [
        (os.POSIX_SPAWN_DUP2, request_end, fds[0]),
        (os.POSIX_SPAWN_DUP2, report_end, fds[1]),
        *_standard(stdio, free),
    ]
    code = _CODE.format(home=_HOME, path=_path(), fds=fds)
    interpreter = sys.executable or ""
    options: dict[str, object] = {"setsid": True} if new_session else {}
    try:
        pid = os.posix_spawn(
            interpreter,
            [interpreter, "-I", "-c", code],
            environment.inherited(),
            file_actions=actions,
            setsigmask=[],
            **options,  # type: ignore[arg-type]
        )
    except OSError as error:
        os.close(giving)
        os.close(reading)
        raise _failed(interpreter or "(none)", error) from error
    finally:
        os.close(request_end)
        os.close(report_end)
    from ssd.processes.handles import pidfd  # the caller's side alone

    try:
        held = pidfd(pid)
    except OSError as error:
        os.close(giving)  # without a request the helper ends
        os.close(reading)
        report.reap(pid)
        raise _failed("pidfd_open", error) from error
    _give(giving, packed)
    return pid, reading, -1 if held is None else held


def _path() -> list[str]:
    """Return where else the helper imports from: beside ssd, then where the caller does.

    What a relative or empty entry means changes with the caller's directory, which may be a
    stranger's by now: it is left out.
    """
    return [_HOME, *(each for each in sys.path if isinstance(each, str) and os.path.isabs(each))]


def _failed(detail: str, error: OSError) -> StartFailed:
    return StartFailed("interpreter", detail, error.errno, error.strerror)


def _pipe() -> tuple[int, int]:
    """Make a pipe whose ends are no standard descriptors, even where those are closed."""
    import fcntl

    ends = os.pipe()
    if min(ends) > 2:
        return ends
    try:
        return (
            fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 3),
            fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 3),
        )
    finally:
        os.close(ends[0])
        os.close(ends[1])


def _standard(stdio: tuple[int, int, int], free: "Iterator[int]") -> "Iterator[tuple[int, ...]]":
    """Yield the actions that make three descriptors the standard ones.

    Sources below 3 are first moved out of the way: (1, 0, 2) is a legal wish.
    """
    moved = {}
    for fd in sorted({fd for fd in stdio if fd < 3 and _is_open(fd)}):
        moved[fd] = next(free)
        yield os.POSIX_SPAWN_DUP2, fd, moved[fd]
    for target, fd in enumerate(stdio):
        if fd in moved or _is_open(fd):
            yield os.POSIX_SPAWN_DUP2, moved.get(fd, fd), target
        else:
            yield os.POSIX_SPAWN_CLOSE, target


def _is_open(fd: int) -> bool:
    """Tell whether a descriptor is open."""
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _give(fd: int, data: bytes) -> None:
    """Write the request and close; a helper that is gone already is found out by its report."""
    try:
        while data:
            data = data[os.write(fd, data) :]
    except BrokenPipeError:
        pass  # the empty report that follows says more
    finally:
        os.close(fd)


def main(fds: tuple[int, int]) -> None:
    """Be the helper: read the request, start, report, and end or become the program."""
    requests, reports = fds
    for fd in fds:
        os.set_inheritable(fd, False)
    first, second = sorted(fds)
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, os.sysconf("SC_OPEN_MAX"))
    status = 0
    try:
        with open(requests, "rb") as file:
            request = Request(*marshal.loads(file.read()))
        _launch(request, reports)
    except BaseException as error:  # noqa: BLE001 - it goes to the one who asked
        report.send_error(reports, error)
        status = 2
    os._exit(status)


def _launch(request: Request, reports: int) -> None:
    """Do the start that was asked for."""
    from ssd.launch.command import Command
    from ssd.launch.stdio import fill
    from ssd.matching import Match
    from ssd.processes import table_named
    from ssd.starting import Launch

    fill()
    launch = Launch(
        Match(**request.match),  # type: ignore[arg-type]
        Command.unpack(request.command),
        background=request.background,
        make_pidfile=request.make_pidfile,
        notify_timeout=request.notify_timeout,
        warn=lambda *warning: report.send(reports, "warning", *warning),
        say=lambda *event: None,
        executing=lambda: report.send(reports, "executing"),
        table=None if request.table is None else table_named(request.table),
    )
    if not request.background:
        report.send_self(reports, launch.table)
    process = launch.launch()
    report.send(reports, "process", process.pid, process.start_time)
    report.send(reports, "executing")
