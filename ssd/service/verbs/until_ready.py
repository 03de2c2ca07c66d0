"""Wait until a started service is ready, if it sends no notification.

These are checked every tenth of a second: a command that succeeds once the service works, a
pidfile that names it, a port or a Unix socket that answers. Its end is seen at once.

A program that goes to the background by itself ends its first process once the daemon is
ready, and writes its own pidfile. The first process is a child of this one, which so learns
its exit status.
"""

import os

from ssd import pidfile
from ssd.errors import AlreadyRunning, Error, NotReady, PidfileError, ProcessTableError
from ssd.finding import find
from ssd.matching import UNKNOWN_START, Process
from ssd.processes import default_table, own, reaping
from ssd.signals import IGNORED
from ssd.signals import raw as signals
from ssd.starting import report
from ssd.starting.command import Command
from ssd.starting.kill_pipe import KillPipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.starting import Start
    from ssd.starting.living import Living

POLL_INTERVAL = 0.1  # seconds


def wait_for(service: "Service", work: "Start", process: Process | None) -> None:
    """Wait as ``wait``; remove the pidfile that the start has made if the process ends before."""
    try:
        wait(service, process, service.readiness["timeout"], work.table)
    except NotReady as error:
        if error.reason == "exited":
            from ssd.starting.leftovers import remove_pidfile

            remove_pidfile(work.pidfile, process, work.warn)
        raise


def wait(
    service: "Service", process: Process | None, timeout: float, table: "ProcessTable"
) -> None:
    """Return when the service is ready. ``timeout`` is in seconds.

    ``process`` is the service, None if it is not known yet. Raises NotReady when the time is
    over, and as soon as the process has ended.
    """
    kind = service.readiness["kind"]
    command = service.readiness["command"]
    until = table.now() + timeout
    while True:
        if kind == "command":
            ready = _succeeds(command, max(0.0, until - table.now()))
        elif kind in ("port", "socket"):
            from ssd.service.addresses import answers

            # A host that drops packets must not hide the end of the service.
            ready = answers(service.readiness["address"], POLL_INTERVAL)
        else:
            ready = _is_named(service, table)
        ended = process is not None and _ended(process, table)
        # A process that ssd sent to the background is the service: if it has ended, something
        # else makes the check succeed.
        if ready and not (ended and service.background):
            return
        if process is not None and ended:
            raise NotReady(process, "exited")
        if table.now() >= until:
            raise NotReady(process or Process(0, 0), "timeout", None, f"{timeout:g}")
        _pause(process, table)


def _ended(process: Process, table: "ProcessTable") -> bool:
    """Tell whether a process has ended, also if no process can be read (``hold``)."""
    from ssd.starting.holding import hold

    try:
        with hold(process, table) as handle:
            return handle.ended()
    except ProcessLookupError:
        return True


def _await_end(process: Process, table: "ProcessTable") -> None:
    """Wait for the end of the first process of a program that goes to the background."""
    from ssd.starting.holding import hold

    try:
        with hold(process, table) as handle:
            table.wait([handle], None)
    except ProcessLookupError:
        return  # it has ended before


def _pause(process: Process | None, table: "ProcessTable") -> None:
    """Wait for POLL_INTERVAL, or until the process ends."""
    if process is None:
        import time

        time.sleep(POLL_INTERVAL)
        return
    from ssd.starting.holding import hold

    try:
        with hold(process, table) as handle:
            table.wait([handle], table.now() + POLL_INTERVAL)
    except ProcessLookupError:
        return  # the next check sees it


def _succeeds(command: list[str], seconds: float) -> bool:
    """Run a command and tell whether it succeeds; kill it after ``seconds``."""
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (0, 1, 2)]
    try:
        pid = os.posix_spawnp(
            command[0], command, os.environb, file_actions=null, setsigdef=IGNORED
        )
    except OSError:
        return False  # not there yet, for example on a file system that is mounted later
    _limit(pid, seconds)
    return os.waitpid(pid, 0)[1] == 0


def _limit(pid: int, seconds: float) -> None:
    """Wait ``seconds`` for the end of a child, then kill it."""
    table = default_table()  # the command is a real process, even if the service is not
    child = table.process(pid)
    if child is None:  # a zombie already
        return
    try:
        with table.open(child) as handle:
            table.wait([handle], table.now() + seconds)
            handle.signal(signals.SIGKILL)
    except ProcessLookupError:
        return  # it ended in time


def _is_named(service: "Service", table: "ProcessTable") -> bool:
    """Tell whether the pidfile names the living service."""
    try:
        return bool(find(service.match(), table=table))
    except (PidfileError, ProcessTableError):
        return False  # for example half written; or a process that cannot be read


class DetachFailed(Error):
    """The program failed with ``status`` instead of going to the background.

    ``silent``: what it has printed is lost.
    """

    def __init__(self, status: int, silent: bool = False) -> None:
        how = f"status {status}" if status >= 0 else f"signal {-status}"
        lost = "; its output went to /dev/null, a start without --json shows it" if silent else ""
        super().__init__(f"the program ended with {how} before it went to the background{lost}")
        self.status = status
        self.silent = silent


def start_forking(work: "Start", silent: bool = False) -> "Process | None":
    """Start the program; return the daemon that ``work.match`` then finds, None if none yet.

    ``silent``: its output goes to /dev/null, not where we print: it may keep that for ever. Only
    for a process with a single thread. Raises what ``Start.run`` raises, and
    DetachFailed.
    """
    lock = work.lock()
    try:
        found = work.running()
        if found:
            raise AlreadyRunning(found)
        status = _run(work, silent)
    finally:
        if lock is not None:
            lock.release()
    if status:
        raise DetachFailed(status, silent)
    return next(iter(work.running()), None)


def start_staying(work: "Start", seconds: float, silent: bool = False) -> Process:
    """Start the program; return the daemon when it has run for ``seconds``.

    Raises what ``start_forking`` raises, EndedEarly, and NotReady if no daemon is found by then.
    """
    from ssd.starting.living import Living

    own = Command(work.command.argv, close=False)  # what it prints goes where we print
    living = Living(seconds, own, work.account.uid, work.table)
    if work.table.launcher is not None:
        _await_end(work.run(), work.table)
        return _daemon(work, living)
    with living:
        start_forking(work, silent)
        return _daemon(work, living)


def _daemon(work: "Start", living: "Living") -> Process:
    """Return the daemon that the match finds, and that has lived for long enough."""
    table = work.table
    living.begin()
    while True:
        found = work.running()
        if found:
            living.watch(found[0])
            return found[0]
        if (pid := _named(work)) and reaping.is_ended_child(pid):  # else the pidfile is an old one
            living.watch(Process(pid, UNKNOWN_START))
        now = table.now()
        if now >= living.since + living.seconds:
            raise NotReady(Process(0, 0), "timeout", None, f"{living.seconds:g}")
        table.wait([], now + POLL_INTERVAL)


def _named(work: "Start") -> int | None:
    """Return the pid in the pidfile; None without one that can be read."""
    if work.match.pidfile is None:
        return None
    try:
        return pidfile.read(os.fsencode(work.match.pidfile), sole_criterion=False)
    except (FileNotFoundError, PidfileError):
        return None


def _run(work: "Start", silent: bool) -> int:
    """Run the program as a child and return its exit status. Raises StartFailed."""
    kill_pipe = KillPipe()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _become(work, writing, kill_pipe, silent)
    os.close(writing)
    told = report.Outcome()
    try:
        for kind, values in report.receive(reading):
            if kind == "warning":
                work.warn(*values)  # type: ignore[arg-type]
            told.take(kind, values)
    finally:
        os.close(reading)
        kill_pipe.close()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if told.failure is not None:
        raise told.failure
    return status


def _become(work: "Start", writing: int, kill_pipe: KillPipe, silent: bool) -> "NoReturn":
    """In the child: become the program, and report what fails before that."""

    def executing() -> None:
        kill_pipe.disarm()
        report.send(writing, "executing")

    try:
        kill_pipe.arm_in_child()
        if silent:
            null = os.open("/dev/null", os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(null, 1)
            os.dup2(null, 2)
        report.send_self(writing, own(work.table))
        work.executing = executing
        work.warn = lambda *warning: report.send(writing, "warning", *warning)
        work.become()
    except BaseException as error:  # noqa: BLE001 - it is raised in the parent
        report.send_error(writing, error)
    finally:
        os._exit(2)
