"""Send a command into the background: python-daemon detaches, we report and execute.

Three processes take part, as in the original. The caller forks a worker; python-daemon's
DaemonContext forks twice from there and makes a session between; the last one writes the
pidfile and executes the program. The caller reads their reports until the pipe closes.
"""

import os
import sys

from ssd import pidfile
from ssd.errors import PidfileError, StartFailed
from ssd.matching import Process
from ssd.pidfile import writing
from ssd.processes import own
from ssd.signals import raw
from ssd.starting import report
from ssd.starting.become import attempt, become
from ssd.starting.leash import Leash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import NoReturn

    from ssd.accounts import Account
    from ssd.processes.contract import ProcessTable
    from ssd.starting.become import Warn
    from ssd.starting.command import Command

PIDFILE_UMASK = 0o022  # whatever the daemon's own umask, as in the original


class Detachment:
    """All that the worker needs: a command, where to write its pid, what to keep open.

    ``listeners``: descriptors, besides the caller's, that are told what becomes of the daemon,
    by itself: whoever reads there knows even if the caller is killed.
    """

    __slots__ = ("command", "account", "pidfile", "extra", "keep", "table", "listeners")

    def __init__(
        self,
        command: "Command",
        account: "Account",
        pidfile: bytes | None,
        extra: dict[bytes, bytes],
        keep: list[int],
        table: "ProcessTable",
        listeners: "Sequence[int]" = (),
    ) -> None:
        self.command = command
        self.account = account
        self.pidfile = pidfile
        self.extra = extra
        self.keep = keep
        self.table = table
        self.listeners = listeners


def detach(plan: Detachment, warn: "Warn") -> Process:
    """Start in the background; return the daemon once its execve(2) has succeeded.

    Only for a process with a single thread. Raises StartFailed or PidfileUnwritable when
    nothing was left running, and no pidfile.
    """
    # Loaded before the fork, so that a missing or broken package is this process's error.
    context = daemon_context()
    leash = Leash()
    reader, writer = os.pipe()
    try:
        worker = os.fork()
    except OSError as error:
        os.close(reader)
        os.close(writer)
        leash.close()
        raise StartFailed("fork", "", error.errno, error.strerror) from error
    if worker == 0:
        _work(plan, context, writer, leash)
    os.close(writer)
    try:
        return _listen(plan, reader, warn)
    finally:
        os.close(reader)
        leash.close()
        report.reap(worker)


def _listen(plan: Detachment, reader: int, warn: "Warn") -> Process:
    """Follow the reports to their end; clean up and raise if they end too early."""
    told = report.Told()
    for kind, values in report.receive(reader):
        if kind == "warning":
            warn(*values)  # type: ignore[arg-type]
        else:
            told.take(kind, values)
    if told.failure is not None:
        forget(plan.pidfile, told.process, warn)
    return report.arrived(told.result(), plan.table)


def forget(path: bytes | None, process: Process | None, warn: "Warn") -> None:
    """Remove the pidfile of a start that failed, if it got as far as to write it."""
    if path is None or process is None:
        return
    try:
        if pidfile.read(path, alone=False) == process.pid:
            pidfile.remove(path)
    except FileNotFoundError:
        return
    except PidfileError as error:
        warn("pidfile", error.path, error.reason)  # the failure itself matters more


def _work(plan: Detachment, context: "type", writer: int, leash: Leash) -> "NoReturn":
    """Run in the worker and all that comes of it; never return to the caller's code."""
    written = None
    ends = (writer, *plan.listeners)

    def executing() -> None:
        leash.loose()
        for end in ends:
            report.send(end, "executing")

    try:
        if not plan.listeners:  # they hear of the daemon, whatever becomes of ssd
            leash.put_on()
        _detach(plan, context, writer, leash)
        here = own(plan.table)
        for end in ends:
            report.send_self(end, here)
        if plan.pidfile is not None:
            mark = writing.mark_of(here, plan.table)
            written = writing.write(plan.pidfile, os.getpid(), PIDFILE_UMASK, mark)
        become(
            plan.command,
            plan.account,
            lambda *warning: report.send(writer, "warning", *warning),
            executing,
            plan.extra,
        )
    except BaseException as error:  # noqa: BLE001 - it goes to the one who waits for it
        _take_back(written)
        for end in ends:
            report.send_error(end, error)
    finally:
        os._exit(2)  # our own child: the caller's buffers and exit handlers are not its own


def _take_back(written: "writing.Written | None") -> None:
    """Remove the pidfile here and now: whoever waits for us may have been killed."""
    if written is None:
        return
    try:
        written.remove()
    except OSError:
        pass  # we are another user by now; the one who waits is not, and removes it (``forget``)


def _detach(plan: Detachment, context: "type", writer: int, leash: Leash) -> None:
    """Return in a process of its own session, with its own descriptors and umask."""
    command = plan.command
    umask = os.umask(0o077) if command.umask is None else command.umask
    os.umask(umask)
    shown = "/dev/null" if command.output is None else os.fsdecode(command.output)
    streams: list[object] = []
    attempt("output", shown, lambda: streams.extend(_streams(plan)))
    keep = [writer, leash.fileno(), *plan.listeners, *plan.keep]
    if not command.close:
        keep = _open_descriptors()
    daemon = context(
        # Stay here, for a relative --chdir or --chroot; but nobody has to be let into where he is.
        working_directory="." if os.access(".", os.X_OK) else "/",
        umask=umask,
        detach_process=True,
        files_preserve=keep,
        prevent_core=False,  # the limit would survive the exec
        signal_map={},  # so would an ignored signal
        stdin=streams[0],
        stdout=streams[1],
        stderr=streams[2],
    )
    # Every failure of DaemonContext is an OSError with the cause chained to it.
    attempt("detach", "", daemon.open)
    if not plan.listeners:
        leash.tie()


def _streams(plan: Detachment) -> "tuple[_Stream, _Stream, _Stream]":
    """Return the program's standard descriptors. Raises OSError."""
    output = plan.command.output
    if output is None:
        return _redirected(None, plan.command.close)
    from ssd.starting.output import open_output  # few starts have one

    return _redirected(open_output(output, plan.account.uid), plan.command.close)


class _Stream:
    """A descriptor with the one method that python-daemon calls on a stream."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.fd


def _redirected(output: int | None, close: bool) -> tuple[_Stream, _Stream, _Stream]:
    """Return what standard input, output and error of a background program will be.

    ``output``: descriptor for output and error; None is /dev/null, or without ``close`` what
    they are. So is the input then. Raises OSError.
    """
    # DaemonContext redirects through sys.stdin and its like, which are None if they were
    # closed when the interpreter started.
    sys.stdin, sys.stdout, sys.stderr = _Stream(0), _Stream(1), _Stream(2)
    source, out, error = _Stream(0), _Stream(1), _Stream(2)
    if output is None and close:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        output = os.open("/dev/null", flags, 0o664)
    if output is not None:
        out = error = _Stream(output)
    if close:
        source = _Stream(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    return source, out, error


def _open_descriptors() -> list[int]:
    """Return every open descriptor of this process, for ``--no-close``."""
    for directory in ("/proc/self/fd", "/dev/fd"):
        try:
            return [int(name) for name in os.listdir(directory)]
        except OSError:
            continue
    return list(range(os.sysconf("SC_OPEN_MAX")))


def daemon_context() -> type:
    """Return python-daemon's DaemonContext, loaded without the modules that it does not need here.

    ``daemon.daemon`` imports signal and socket, and with them enum, selectors and collections: a
    third of the time of a background start. For the moment of the import, C modules stand in for
    both: of signal it uses only what the C module has, and of socket nothing when it is told to
    detach. Only for a process of our own: other importers would get the stand-ins, too.

    Its change of user is replaced by nothing: it makes the real user the effective one even if no
    change was asked for, so it would drop, or give back, rights that the caller had decided on.
    """
    import _socket

    stand_ins = {"signal": raw, "socket": _socket}
    placed: dict[str, ModuleType] = {}
    for name, module in stand_ins.items():
        if name not in sys.modules:
            placed[name] = sys.modules[name] = module
    try:
        from daemon import daemon
    except (AttributeError, ImportError):
        # A later python-daemon that needs more than the C modules have gets the real ones.
        _remove_stand_ins(placed)
        from daemon import daemon
    finally:
        _remove_stand_ins(placed)
    daemon.change_process_owner = _change_no_user
    context: type = daemon.DaemonContext
    return context


def _change_no_user(uid: int, gid: int, initgroups: bool = False) -> None:
    """Change no user: ``ssd.starting.become`` does, later and for good."""


def _remove_stand_ins(placed: "dict[str, ModuleType]") -> None:
    """Remove the stand-ins, so that the next import gets the real module."""
    for name, module in placed.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
