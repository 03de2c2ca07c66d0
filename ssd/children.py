"""``ssd.start``: a start from within a program's own process, from any of its threads."""

import os
import warnings

from ssd.child import Child, reap_dropped, send
from ssd.launch import helper, report
from ssd.launch.checking import check
from ssd.matching import demand_match
from ssd.processes.identity import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.launch.become import Warn
    from ssd.launch.command import Command
    from ssd.matching import Match
    from ssd.processes.types import ProcessTable
    from ssd.starting import Launch


class StartWarning(UserWarning):
    """A start went on without something: a lock against other starts, a disk priority.

    Where warnings are made errors, ``process`` is what was started all the same.
    """

    process: Process | None = None


def start(
    match: "Match",
    command: "Command",
    *,
    background: bool = True,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> Process:
    """Start ``command`` unless ``match`` finds it running, and return its process.

    In the background it is a daemon: detached, with descriptors closed and redirected as
    the Command says, its pid in ``match.pidfile`` if ``make_pidfile``. Otherwise it stays the
    caller's child (the result is a Child), with ``stdio`` as its standard descriptors and,
    with ``new_session``, a session of its own. Returns when execve(2) has succeeded and the
    pidfile is on disk; with ``notify_timeout`` (seconds; background only) when the program
    has said READY=1 by sd_notify(3).

    Raises AlreadyRunning, StartFailed, StartBlocked, NotReady, PidfileUnwritable,
    UnknownUser, UnknownGroup and what ``ssd.find`` raises; ValueError for a Command that
    cannot be meant, before anything is started; warns with StartWarning. Costs the
    start of an interpreter, because a process with threads must not fork into Python. On a
    table that makes its processes itself (``ssd.testing``) it costs nothing of the kind.
    """
    if hasattr(table, "launch"):  # it makes its processes itself: nothing to fork
        return declared(match, command, background, make_pidfile, notify_timeout, table).launch()
    demand_match(match)
    _check(command, background, notify_timeout)
    omissions: list[str] = []

    def warn(stage: str, detail: str, reason: str | None) -> None:
        omissions.append(f"{stage} {detail}: {reason}")

    request = helper.Request(
        {name: getattr(match, name) for name in match.__slots__},
        command.pack(),
        background,
        make_pidfile,
        notify_timeout,
        None if table is None else _name(table),
    )
    result = _spawn(request, stdio, new_session and not background, warn)
    try:
        for omission in omissions:
            warnings.warn(StartWarning(omission), stacklevel=2)
    except StartWarning as warning:
        # Made an error by the caller's filters: what runs is not to be lost by it.
        warning.process = result
        raise
    return result


def declared(
    match: "Match",
    command: "Command",
    background: bool,
    make_pidfile: bool,
    notify_timeout: float | None,
    table: "ProcessTable | None",
) -> "Launch":
    """Return the start that a table does which makes its processes itself."""
    from ssd.starting import Launch

    _check(command, background, notify_timeout)
    return Launch(
        match,
        command.unpack(command.pack()),  # a launch may change its own
        background=background,
        make_pidfile=make_pidfile,
        warn=lambda *omission: None,
        say=lambda *event: None,
        notify_timeout=notify_timeout,
        table=table,
    )


def _check(command: "Command", background: bool, notify_timeout: float | None) -> None:
    """Raise ValueError for what cannot be meant."""
    if notify_timeout is not None and not background:
        raise ValueError("notify_timeout needs a start in the background")
    check(command)


def _spawn(
    request: helper.Request, stdio: tuple[int, int, int], new_session: bool, warn: "Warn"
) -> Process:
    """Have a helper do a start; return what it has started, or raise why it did not."""
    reap_dropped()
    pid, reading, pidfd = helper.spawn(request, stdio, new_session)
    try:
        told = _listen(reading, warn)
    except BaseException:
        if not request.background:
            _end(pid, pidfd)  # nobody would be there to own it
        _let_go(pid, pidfd)
        raise
    finally:
        os.close(reading)
    if request.background or told.failure is not None:
        _let_go(pid, pidfd)
    process = told.result()
    return process if request.background else Child(process.pid, process.start_time, pidfd)


def _end(pid: int, pidfd: int) -> None:
    """Kill the helper, or the program that it has become.

    By its pidfd, because the caller may have another thread that reaps any child.
    """
    try:
        send(pid, pidfd, 9)
    except ProcessLookupError:
        pass  # it has ended by itself


def _let_go(pid: int, pidfd: int) -> None:
    """Reap the helper and close its descriptor."""
    report.reap(pid, pidfd)
    if pidfd >= 0:
        os.close(pidfd)


def _name(table: "ProcessTable") -> str:
    """Return the name by which the helper makes the same table for itself."""
    names = {"LinuxTable": "kernel", "PortableTable": "psutil"}
    try:
        return names[type(table).__name__]
    except KeyError:
        raise TypeError(f"a start needs a table of real processes, not {table!r}") from None


def _listen(reading: int, warn: "Callable[..., None]") -> report.Told:
    """Read the helper's reports to their end: what became of the start, and the warnings."""
    told = report.Told()
    for kind, values in report.receive(reading):
        if kind == "warning":
            warn(*values)
        else:
            told.take(kind, values)
    return told
