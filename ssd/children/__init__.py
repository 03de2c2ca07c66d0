"""``ssd.start``: start daemons and children from any thread of a Python program."""

import warnings
from copy import copy
from typing import overload

from ssd.children import helper
from ssd.children.child import Child, reap_dropped
from ssd.children.spawning import Spawned
from ssd.errors import Error, NotReady, StartFailed
from ssd.matching import Process
from ssd.starting import report
from ssd.starting.command import Command
from ssd.starting.command_checks import check
from ssd.validation import demand_match, demand_seconds, demand_table, descriptors_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ssd.matching import Match
    from ssd.processes.contract import ProcessTable
    from ssd.starting import Start
    from ssd.starting.become import Warn


NOT_HEARD = "it ended with status {} and ran no helper: is it a Python? Set ssd.interpreter to one"

_NAMES = {"LinuxTable": "kernel", "PortableTable": "psutil"}  # class of a table -> its name


class StartWarning(UserWarning):
    """A start continued without a part: the lock against other starts, or a disk priority.

    If warnings are raised as errors, ``process`` is the process that runs nevertheless.
    """

    process: Process | None = None


@overload
def start(
    match: "Match",
    command: "Command",
    *,
    background: "Literal[False]",
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> Child: ...


@overload
def start(
    match: "Match",
    command: "Command",
    *,
    background: "Literal[True]" = True,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> Process: ...


@overload
def start(
    match: "Match",
    command: "Command",
    *,
    background: bool,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> Process: ...


def start(
    match: "Match",
    command: "Command",
    *,
    background: bool = True,
    make_pidfile: bool = False,
    notify_timeout: float | None = None,
    wait: float | None = None,
    stdio: tuple[int, int, int] = (0, 1, 2),
    new_session: bool = False,
    table: "ProcessTable | None" = None,
) -> Process:
    """Start ``command`` unless ``match`` finds it running, and return its process.

    In the background it is a daemon: detached, with descriptors closed and redirected as
    the Command says, and its pid in ``match.pidfile`` if ``make_pidfile``. Otherwise it stays
    the caller's child (the result is a Child), with ``stdio`` as its standard descriptors and,
    with ``new_session``, a session of its own. Returns when execve(2) has succeeded and the
    pidfile is on disk; with ``notify_timeout`` (seconds; background only) when the program
    has sent READY=1 by sd_notify(3); with ``wait`` (the same) when it has lived for so long.

    Raises AlreadyRunning, StartFailed, StartBlocked, NotReady, EndedEarly (a NotReady),
    PidfileUnwritable, UnknownUser, UnknownGroup and what ``ssd.find`` raises; ValueError, before
    anything is started, for an impossible Command and for make_pidfile without a pidfile. Warns
    with StartWarning.

    A child that needs no more than subprocess.Popen offers costs little more than that. Any
    other start costs the start of an interpreter, because a process with threads must not fork
    into Python; a frozen application must set ``ssd.interpreter``. A table that makes its own
    processes (``ssd.testing``) needs neither.
    """
    return begin(
        match, command, background, make_pidfile, notify_timeout, wait, stdio, new_session, table
    )


def begin(
    match: "Match",
    command: "Command",
    background: bool,
    make_pidfile: bool,
    notify_timeout: float | None,
    wait: float | None,
    stdio: tuple[int, int, int],
    new_session: bool,
    table: "ProcessTable | None",
    spawned: Spawned | None = None,
    warn: "Warn | None" = None,
) -> Process:
    """Do what ``start`` does.

    ``spawned`` will hold the child, for a caller that can give it up. ``warn`` is called for what
    the start goes on without; None: Python's warnings tell that.
    """
    demand_table(table)
    if table is not None and table.launcher is not None:  # nothing to fork
        return declared(
            match, command, background, make_pidfile, notify_timeout, wait, stdio, table,
            new_session,
        ).run()  # fmt: skip
    stdio = _check(match, command, background, make_pidfile, notify_timeout, wait, stdio)
    omissions: list[str] = []

    def omit(stage: str, detail: str, reason: str | None) -> None:
        omissions.append(f"{stage} {detail}: {reason}")

    hear = warn or omit

    request = helper.Request(
        helper.fields(match),
        helper.fields(command),
        background,
        make_pidfile,
        notify_timeout,
        wait,
        None if table is None else _name(table),
    )
    if wait is not None:
        from ssd.starting import living  # noqa: F401 - its error can be reported from now on
    reap_dropped()
    direct = not background and not (make_pidfile and match.pidfile is not None)
    new_session = new_session and not background
    held = spawned or Spawned()
    result: Process | None = None
    try:
        if direct:
            result = _fork(held, match, command, stdio, new_session, table, hear)
        if result is None:
            held.drain()
            held.reset()
            omissions.clear()
            result = _spawn(held, request, stdio, new_session, hear, table)
        held.drain()
        for omission in omissions:
            warnings.warn(StartWarning(omission), stacklevel=3)
        held.pids = []  # the caller owns it; no handler can run from here to the return
        return result
    except StartWarning as warning:
        # The caller's filters raise it: the process that runs must not be lost.
        warning.process = result
        held.pids = []
        raise
    except BaseException as error:
        try:
            _give_up(held, background, error)
        finally:
            held.leave()
            held.drain()
        raise


def can_launch(table: "ProcessTable") -> bool:
    """Tell whether a helper can do a start on this table: it has real processes, and a name."""
    return table.launcher is None and type(table).__name__ in _NAMES


def launch(work: "Start", table: "ProcessTable") -> Process:
    """Do a background start by a helper, from any thread, and call ``work.warn`` for omissions.

    ``table``: what ``work.table`` is, or has below it. Returns and raises what ``Start.run`` does.
    """
    return begin(
        work.match, work.command, True, work.pidfile is not None, work.notify_timeout, work.wait,
        (0, 1, 2), False, table, warn=work.warn,
    )  # fmt: skip


def declared(
    match: "Match",
    command: "Command",
    background: bool,
    make_pidfile: bool,
    notify_timeout: float | None,
    wait: float | None,
    stdio: tuple[int, int, int],
    table: "ProcessTable | None",
    new_session: bool = False,
) -> "Start":
    """Return the start for a table that makes its own processes."""
    from ssd.starting import Start

    _check(match, command, background, make_pidfile, notify_timeout, wait, stdio)
    work = Start(
        match,
        copy(command),  # a start may change its own
        background=background,
        make_pidfile=make_pidfile,
        warn=lambda *omission: None,
        say=lambda *event: None,
        notify_timeout=notify_timeout,
        wait=wait,
        table=table,
    )
    work.new_session = new_session
    return work


def _check(
    match: "Match",
    command: "Command",
    background: bool,
    make_pidfile: bool,
    notify_timeout: float | None,
    wait: float | None,
    stdio: tuple[int, int, int],
) -> tuple[int, int, int]:
    """Check the arguments; return ``stdio`` as plain numbers. Raises ValueError and TypeError."""
    demand_match(match)
    for name, seconds in (("notify_timeout", notify_timeout), ("wait", wait)):
        demand_seconds(name, seconds)
        if seconds is not None and not background:
            raise ValueError(f"{name} needs a start in the background")
    if make_pidfile and match.pidfile is None:
        raise ValueError(
            "make_pidfile writes match.pidfile: give the Match one, pidfile='/run/...'"
        )
    if not isinstance(command, Command):
        raise TypeError(f"command must be an ssd.Command, ssd.Command([...]), not {command!r}")
    check(command)
    return descriptors_of(stdio)


def _fork(
    spawned: Spawned,
    match: "Match",
    command: "Command",
    stdio: tuple[int, int, int],
    new_session: bool,
    table: "ProcessTable | None",
    warn: "Warn",
) -> Child | None:
    """Start a child without a helper; return None if it needs one."""
    from ssd.children import direct

    if not direct.suits(command, table):
        return None
    process = direct.start(spawned, match, command, stdio, new_session, warn)
    return None if process is None else spawned.child(process)


def _spawn(
    spawned: Spawned,
    request: helper.Request,
    stdio: tuple[int, int, int],
    new_session: bool,
    warn: "Warn",
    table: "ProcessTable | None",
) -> Process:
    """Start by a helper; return the process, or raise the helper's error."""
    helper.spawn(spawned, request, stdio, new_session)
    outcome = _listen(spawned, warn)
    if request.background or outcome.failure is not None:
        status = spawned.reap()
        if not outcome.received and (status or 0) >= 0:
            raise StartFailed("interpreter", helper.interpreter(), None, NOT_HEARD.format(status))
    process = report.after_exec(outcome.result(), table)
    if not request.background:
        return spawned.child(process)
    if not outcome.done and (request.notify_timeout is not None or request.wait is not None):
        raise NotReady(process, "unheard", None, "its helper was killed")
    return process


def _give_up(spawned: Spawned, background: bool, error: BaseException) -> None:
    """End a start that has failed or was interrupted.

    A child is ended, because it would have no owner. A helper that has not begun yet is ended;
    a daemon that runs already continues, and the exception gets a note that names it.
    """
    if not background:
        spawned.end()
        return
    if spawned.pid:
        spawned.signal(15)
        spawned.close_all_but(spawned.reading)
        _listen(spawned, lambda *omission: None)
        spawned.reap()
    outcome = spawned.outcome
    if outcome.failure is None and not isinstance(error, Error):
        note = f"ssd.start was interrupted, but the daemon runs: {outcome.process}"
        if hasattr(error, "add_note"):  # since Python 3.11
            error.add_note(note)
        else:
            error.args += (note,)


def _listen(spawned: Spawned, warn: "Callable[..., None]") -> report.Outcome:
    """Read the helper's reports to their end: the result of the start, and the warnings."""
    outcome = spawned.outcome
    more = True
    while more:
        more = spawned.read(spawned.reading)
        for kind, values in list(spawned.messages())[outcome.received :]:
            if kind == "warning":
                warn(*values)
            outcome.take(kind, values)
    return outcome


def _name(table: "ProcessTable") -> str:
    """Return the name by which the helper makes the same table."""
    demand_table(table)
    try:
        return _NAMES[type(table).__name__]
    except KeyError:
        raise TypeError(f"a start needs a table of real processes, not {table!r}") from None
