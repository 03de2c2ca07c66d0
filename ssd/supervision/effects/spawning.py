"""Start a program as a child of the supervisor, without an interpreter of its own.

fork_exec, the part of subprocess that is written in C, is enough for a directory, a user with
groups, a umask, a session, an environment and descriptors; without a change of user it uses
vfork(2), which takes the same time however large the supervisor is. For a root, limits, a
niceness or a scheduler the supervisor forks itself, if it has a single thread; else a helper
starts the program (``ssd.children``).
"""

import os

from ssd.errors import StartFailed
from ssd.matching import UNKNOWN_START
from ssd.processes.handles import pidfd
from ssd.signals import raw as signals
from ssd.starting import report
from ssd.starting.become import become
from ssd.starting.command import has_rare_steps
from ssd.starting.fork_exec import GROUP, VFORK, identity_changes, raise_reported, start_time
from ssd.supervision.effects.held import OwnChild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from ssd.accounts import Account
    from ssd.starting.command import Command
    from ssd.starting.fork_exec import Ids

    Stdio = tuple[int, int, int]
    Limits = tuple[int, int]  # soft, hard


def start(
    command: "Command",
    account: "Account",
    stdio: "Stdio",
    environment: "dict[bytes, bytes]",
    *,
    close_fds: bool = True,
    descriptors: "Limits | None" = None,
) -> OwnChild:
    """Start a program in a session of its own; return it once it is executed.

    close_fds: False if the caller has no descriptor that a program could inherit. descriptors:
    the limits that it gets for them, if the caller has raised its own to the hard limit. Raises
    StartFailed, with the stage that failed.
    """
    ids = None if _needs_steps(command) else identity_changes(account)
    if ids is not None:
        child = _fork_exec(command, ids, stdio, environment, close_fds, descriptors)
        if child is not None:
            return child
    if descriptors is not None:
        import resource

        command.limits = {resource.RLIMIT_NOFILE: descriptors, **(command.limits or {})}
    if is_threaded():
        return _by_helper(command, stdio, environment)
    return _fork(command, account, stdio, environment)


def _needs_steps(command: "Command") -> bool:
    """Tell whether a start takes steps that fork_exec does not know."""
    return bool(command.nice or command.root is not None or has_rare_steps(command))


def is_threaded() -> bool:
    """Tell whether this process has more than one thread: then it must not run Python after a fork.

    Where /proc does not say it, the answer is True.
    """
    try:
        return os.stat("/proc/self/task").st_nlink != 3  # "." and ".." count
    except OSError:
        return True


def _fork_exec(
    command: "Command",
    ids: "Ids",
    stdio: "Stdio",
    environment: "dict[bytes, bytes]",
    close_fds: bool,
    descriptors: "Limits | None",
) -> OwnChild | None:
    """Start by fork_exec; return None if it failed at a stage that fork_exec does not name."""
    from _posixsubprocess import fork_exec

    gid, groups, uid = ids
    read, out, err = stdio
    reading, writing = os.pipe()
    try:
        try:
            arguments: tuple[object, ...] = (
                command.argv, [command.startas], close_fds, (writing,), command.directory,
                [name + b"=" + value for name, value in environment.items()],
                read, -1, -1, out, -1, err, reading, writing,
                True, True, *GROUP, gid, groups, uid,
                -1 if command.umask is None else command.umask, None, *VFORK,
            )  # fmt: skip
            if descriptors is None:
                pid: int = fork_exec(*arguments)  # type: ignore[arg-type]
            else:
                pid = _limited(descriptors, lambda: fork_exec(*arguments))  # type: ignore[arg-type]
        except OSError as error:
            raise StartFailed("fork", "", error.errno, error.strerror) from error
        finally:
            os.close(writing)
        reported = os.read(reading, 4096)  # the child's copy closes when it is executed
    finally:
        os.close(reading)
    if not reported:
        return hold(pid)
    os.waitpid(pid, 0)
    raise_reported(reported, command)
    return None


def _limited(descriptors: "Limits", call: "Callable[[], int]") -> int:
    """Fork with other limits for descriptors, which the child keeps; those that are open stay."""
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, descriptors)
    try:
        return call()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors[1], descriptors[1]))


def hold(pid: int) -> OwnChild:
    """Hold a child that was just started; it is killed if no descriptor is left for it."""
    try:
        fd = pidfd(pid)
    except BaseException:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        raise
    return OwnChild(pid, start_time(pid), -1 if fd is None else fd)


def _fork(
    command: "Command",
    account: "Account",
    stdio: "Stdio",
    environment: "dict[bytes, bytes]",
) -> OwnChild:
    """Fork this process, which has a single thread, and take all steps of a start in the child."""
    reading, writing = os.pipe()
    # A signal in between would run the supervisor's own handlers in the child.
    mask = signals.pthread_sigmask(signals.SIG_BLOCK, signals.valid_signals())
    try:
        pid = os.fork()
        if pid == 0:
            _become(command, account, stdio, environment, writing, mask)
    except OSError as error:
        os.close(reading)
        raise StartFailed("fork", "", error.errno, error.strerror) from error
    finally:
        signals.pthread_sigmask(signals.SIG_SETMASK, mask)
        os.close(writing)
    told = report.Outcome()
    told.take("process", [pid, UNKNOWN_START])
    try:
        for kind, values in report.receive(reading):
            told.take(kind, values)
    finally:
        os.close(reading)
    if told.failure is not None:
        os.waitpid(pid, 0)
        raise told.failure
    return hold(pid)


def _become(
    command: "Command",
    account: "Account",
    stdio: "Stdio",
    environment: "dict[bytes, bytes]",
    writing: int,
    mask: "set[int]",
) -> "NoReturn":
    """In the child: become the program, and report what fails before that."""
    try:
        signals.set_wakeup_fd(-1)
        os.setsid()
        for target, fd in enumerate(stdio):
            if fd >= 0:
                os.dup2(fd, target)  # a copy is inherited; the original is not
        if command.umask is not None:
            os.umask(command.umask)
        command.environment = environment

        def executing() -> None:
            report.send(writing, "executing")
            for signum in signals.valid_signals():
                if signals.getsignal(signum) not in (
                    signals.SIG_DFL,
                    signals.SIG_IGN,
                    None,
                ):
                    signals.signal(signum, signals.SIG_DFL)
            signals.pthread_sigmask(signals.SIG_SETMASK, mask)

        become(command, account, lambda *warning: report.send(writing, "warning", *warning),
               executing)  # fmt: skip
    except BaseException as error:  # noqa: BLE001 - it is raised in the parent
        report.send_error(writing, error)
    finally:
        os._exit(2)


def _by_helper(command: "Command", stdio: "Stdio", environment: "dict[bytes, bytes]") -> OwnChild:
    """Start by ``ssd.start``: the process has threads, and the start takes more steps."""
    from ssd.children import start as start_child
    from ssd.matching import Match

    command.environment = environment
    nobody = Match(pid=os.getpid(), ppid=os.getpid())
    read, out, err = (target if fd < 0 else fd for target, fd in enumerate(stdio))
    child = start_child(nobody, command, background=False, stdio=(read, out, err), new_session=True)
    fd = os.dup(child.fileno()) if child.fileno() >= 0 else -1
    child.close()
    return OwnChild(child.pid, child.start_time or UNKNOWN_START, fd)
