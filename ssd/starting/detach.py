"""Start a command in the background.

Three processes take part, as in the original. The caller forks a worker, which makes a session,
forks once more and ends. The last process, the future daemon, is no leader of that session. It
takes its surroundings from python-daemon's DaemonContext, writes the pidfile and executes the
program. The caller reads the reports of both from a pipe until it closes (``ssd.starting.report``).
"""

import os
import sys

from ssd.errors import StartFailed
from ssd.pidfile import writing
from ssd.processes import own
from ssd.signals import raw
from ssd.starting import report
from ssd.starting.become import attempt, become, environment_of
from ssd.starting.kill_pipe import KillPipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from ssd.accounts import Account
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.starting.become import Warn
    from ssd.starting.command import Command

PIDFILE_UMASK = 0o022  # even if the daemon has another umask, as in the original


class Detachment:
    """All that the worker needs.

    pidfile: where to write the daemon's pid, None for nowhere. extra: variables to add to the
    environment. keep: descriptors to leave open. listeners: descriptors to which the future daemon
    itself reports, besides the caller's pipe, so that their readers learn the outcome even if the
    caller is killed.
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


def detach(plan: Detachment, warn: "Warn") -> "Process":
    """Start in the background; return the daemon after its execve(2) has succeeded.

    Only for a process with a single thread. After StartFailed and PidfileUnwritable nothing of the
    start runs and its pidfile is removed.
    """
    # What a forked process writes to is copied, page by page, so all that can be is done before:
    # modules are loaded, which also raises here what is missing or broken.
    context = daemon_context()
    _ = plan.table.origin
    variables = environment_of(plan.command, plan.extra)
    kill_pipe = KillPipe()
    reader, writer = os.pipe()
    streams: list[int] = []
    worker = 0
    try:
        daemon = _prepare(plan, context, [writer, kill_pipe.fileno()], streams)
        try:
            worker = os.fork()
        except OSError as error:
            raise StartFailed("fork", "", error.errno, error.strerror) from error
        if worker == 0:
            _work(plan, daemon, writer, kill_pipe, variables)
        os.close(writer)
        return _listen(plan, reader, warn)
    finally:
        if not worker:
            os.close(writer)
        for fd in (reader, *streams):
            os.close(fd)
        kill_pipe.close()
        if worker:
            report.reap(worker)


def _listen(plan: Detachment, reader: int, warn: "Warn") -> "Process":
    """Read the reports until the pipe closes; clean up and raise if the start failed."""
    outcome = report.Outcome()
    for kind, values in report.receive(reader):
        if kind == "warning":
            warn(*values)  # type: ignore[arg-type]
        else:
            outcome.take(kind, values)
    if outcome.failure is not None:
        from ssd.starting.leftovers import remove_pidfile

        remove_pidfile(plan.pidfile, outcome.process, warn)
    return report.after_exec(outcome.result(), plan.table)


def _work(
    plan: Detachment,
    daemon: "Any",
    writer: int,
    kill_pipe: KillPipe,
    variables: dict[bytes, bytes],
) -> "NoReturn":
    """Run in the worker and the future daemon; never return to the caller's code."""
    written = None
    ends = (writer, *plan.listeners)

    def executing() -> None:
        kill_pipe.disarm()
        for end in ends:
            report.send(end, "executing")

    try:
        attempt("detach", "", _leave)
        if not plan.listeners:  # with listeners the start continues even if the caller is killed
            kill_pipe.arm_in_child()
        _settle(plan, daemon)
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
            variables,
        )
    except BaseException as error:  # noqa: BLE001 - it is reported to the caller
        _remove_own(written)
        for end in ends:
            report.send_error(end, error)
    finally:
        os._exit(2)  # the buffers and exit handlers are the caller's, not this child's


def _remove_own(written: "writing.Written | None") -> None:
    """Remove the pidfile after a failed start, because the caller may have been killed."""
    if written is None:
        return
    try:
        written.remove()
    except OSError:
        pass  # this process may have another user by now; the caller can (``remove_pidfile``)


def _leave() -> None:
    """Return in a child, in a session that the child does not lead; this process ends."""
    os.setsid()
    if os.fork():
        os._exit(0)


def _prepare(plan: Detachment, context: type, keep: list[int], streams: list[int]) -> "Any":
    """Return the DaemonContext of the future daemon; put what is opened for it into ``streams``."""
    command = plan.command
    umask = os.umask(0o077) if command.umask is None else command.umask
    if command.umask is None:
        os.umask(umask)
    keep = [*keep, *plan.listeners, *plan.keep]
    if not command.close:
        from ssd.starting.rare.streams import open_descriptors

        keep = open_descriptors()
    elif not _has_own_streams(command):
        attempt("output", "/dev/null", _open_null, streams)
    source, output = streams or (0, 1)
    return context(
        # Stay here, for a relative --chdir or --chroot, unless this directory cannot be entered.
        working_directory="." if os.access(".", os.X_OK) else "/",
        umask=umask,
        detach_process=False,  # done by ``_leave``: DaemonContext would end the caller
        files_preserve=keep,
        prevent_core=False,  # the program would inherit the limit
        signal_map={},  # the program would inherit ignored signals
        stdin=_Stream(source),
        stdout=_Stream(output),
        stderr=_Stream(output if streams else 2),
    )


def _open_null(streams: list[int]) -> None:
    """Open what becomes the standard input, and the standard output and error. Raises OSError."""
    streams.append(os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    streams.append(os.open("/dev/null", flags, 0o664))


def _has_own_streams(command: "Command") -> bool:
    return command.output is not None or bool(vars(command))


def _settle(plan: Detachment, daemon: "Any") -> None:
    """Take descriptors, standard streams and umask."""
    if _has_own_streams(plan.command):
        from ssd.starting.rare.streams import redirect

        attempt("output", "/dev/null", redirect, daemon, plan.command, plan.account)
    # DaemonContext redirects sys.stdin, sys.stdout and sys.stderr. They are None if the
    # descriptors were closed when the interpreter started.
    sys.stdin, sys.stdout, sys.stderr = _Stream(0), _Stream(1), _Stream(2)
    # DaemonContext raises every failure as an OSError, chained to its cause.
    attempt("detach", "", daemon.open)


class _Stream:
    """A descriptor with the one method that python-daemon calls on a stream."""

    __slots__ = ("fd",)

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.fd


def daemon_context() -> type:
    """Return python-daemon's DaemonContext, loaded without the modules that it does not need here.

    ``daemon.daemon`` imports signal and socket, and with them enum, selectors and collections;
    warnings; and resource, a shared library: a third of the time of a background start. For the
    moment of the import, others stand in for them: C modules, and nothing for socket, which it does
    not use here. Only for a process of our own: other importers would get the stand-ins, too.

    Its change of user is replaced by nothing: it makes the real user the effective one even if no
    change was asked for, so it would drop, or give back, rights that the caller had decided on.
    """
    import _warnings

    empty = type(sys)("socket")
    stand_ins = {"signal": raw, "socket": empty, "warnings": _warnings, "resource": _Limits}
    placed: dict[str, object] = {}
    modules: dict[str, object] = sys.modules  # type: ignore[assignment]
    for name, module in stand_ins.items():
        if name not in modules:
            placed[name] = modules[name] = module
    try:
        from daemon import daemon
    except (AttributeError, ImportError, OSError, ValueError):
        # A later python-daemon that needs more than these have gets the real ones.
        _remove_stand_ins(placed)
        from daemon import daemon
    finally:
        _remove_stand_ins(placed)
    daemon.change_process_owner = _change_no_user
    context: type = daemon.DaemonContext
    return context


class _Limits:
    """What python-daemon asks of resource when it is imported. Raises OSError without /proc."""

    RLIMIT_NOFILE = b"\nMax open files"
    RLIM_INFINITY = b"unlimited"

    @staticmethod
    def getrlimit(limit: bytes) -> "tuple[int | bytes, ...]":
        """Return the soft and the hard limit, as the kernel shows them (proc(5))."""
        with open("/proc/self/limits", "rb", buffering=0) as file:
            words = file.read(4096).partition(limit)[2].split(None, 2)[:2]
        return tuple(int(word) if word.isdigit() else word for word in words)


def _change_no_user(uid: int, gid: int, initgroups: bool = False) -> None:
    """Change no user: ``ssd.starting.become`` does, later and permanently."""


def _remove_stand_ins(placed: "dict[str, object]") -> None:
    """Remove the stand-ins, so that the next import gets the real module."""
    for name, module in placed.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]
