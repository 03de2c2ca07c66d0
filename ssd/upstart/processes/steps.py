"""The steps by which a forked child becomes a process of a job, in Upstart's order.

Session, descriptors, AppArmor profile, resource limits, umask, niceness, OOM score, cgroups, root,
working directory, user and groups, signals, execve(2). The stage "security" gets the first two
alone. No module is imported here: the child may have another root, and must not wait for a lock.
"""

import errno
import fcntl
import os

from ssd.signals import raw as signals
from ssd.surroundings.kernel_files import OOM_SCORE_ADJ, write_setting
from ssd.upstart.processes import identities
from ssd.upstart.processes.words import SCRIPT_FD, SHELL, candidates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

CONSOLE = "/dev/console"
NONE, LOG, OUTPUT, OWNER = "none", "log", "output", "owner"
TIOCSCTTY = 0x540E  # ioctl_tty(2); the module termios has it, and nothing else that is needed
LOWEST_FREE = 10  # descriptors below are for the program
ROOM = 8  # descriptors that the steps open, at most
PROFILE = "/proc/self/attr/exec"  # aa_change_onexec(2)
FAILED, SAID = b"failed", b"said"
LIMIT = "limit "  # begins the step of a resource limit; its name follows
# What execvp(3) passes over in the search for a program.
PASSED = (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.ENODEV, errno.ETIMEDOUT)


class Plan:
    """What a child becomes.

    words: argv. environment: all of it. console: "none", "log", "output" or "owner". terminal: its
    standard output with "log"; -1 otherwise. script: the pipe to read it from; -1 without one.
    settles: whether it takes the steps after the descriptors. profile: for AppArmor, or "".
    limits: (name, number, soft, hard). umask, nice, oom: None to keep. cgroups: the files that take
    its pid. root, directory, setuid, setgid: None to keep. strict: see ``identities.find``. pauses:
    whether it stops before execve(2) (stanza "debug"). closes: whether other descriptors may be
    inheritable. traced: called right before execve(2).
    """

    __slots__ = (
        "words", "environment", "console", "terminal", "script", "settles", "profile", "limits",
        "umask", "nice", "oom", "cgroups", "root", "directory", "setuid", "setgid", "strict",
        "pauses", "closes", "traced",
    )  # fmt: skip

    def __init__(self, words: "list[str]", environment: "dict[str, str]", console: str) -> None:
        self.words = words
        self.environment = environment
        self.console = console
        self.terminal = self.script = -1
        self.settles = True
        self.profile = ""
        self.limits: list[tuple[str, int, int, int]] = []
        self.umask: int | None = None
        self.nice: int | None = None
        self.oom: int | None = None
        self.root: str | None = None
        self.directory: str | None = None
        self.setuid: str | None = None
        self.setgid: str | None = None
        self.cgroups: list[str] = []
        self.strict = self.pauses = False
        self.closes = True
        self.traced: Callable[[], object] | None = None


class Child:
    """The child of a fork: what it does now is ``step``; see ``forking.TEXTS``."""

    __slots__ = ("plan", "report", "step")

    def __init__(self, plan: Plan, report: int) -> None:
        """``report``: the pipe for what fails; it closes with execve(2)."""
        self.plan = plan
        self.report = report
        self.step = "fork"

    def run(self) -> "NoReturn":
        """Become the program, or report why not, and exit."""
        try:
            self._become()
        except identities.Unknown as error:
            self._tell(FAILED, error.step, error.reason)
        except OSError as error:
            self._tell(FAILED, self.step, error.strerror or str(error))
        except BaseException as error:  # noqa: BLE001 - it is told to the parent
            self._tell(FAILED, self.step, str(error) or type(error).__name__)
        finally:
            os._exit(255)

    def _become(self) -> None:
        plan = self.plan
        signals.set_wakeup_fd(-1)
        os.setsid()
        self._arrange_descriptors()
        if plan.profile:
            self.step = "profile"
            write_setting(PROFILE, f"exec {plan.profile}")
        if plan.settles:
            self._settle()
        self.step = "exec"
        _reset_signals()
        if plan.pauses:
            os.close(self.report)  # the start is over for the parent; a debugger goes on
            self.report = -1
            os.kill(os.getpid(), signals.SIGSTOP)
        if plan.traced is not None:
            self.step = "set trace"
            plan.traced()
            self.step = "exec"
        execute(plan.words, plan.environment)

    def _arrange_descriptors(self) -> None:
        """Have the program's descriptors at their numbers, and no others."""
        plan = self.plan
        self.report = _move(self.report)
        terminal = plan.terminal if plan.terminal < 0 else _move(plan.terminal)
        self.step = "script"
        if plan.script >= 0:
            script = _move(plan.script)
            os.dup2(script, SCRIPT_FD)
        self.step = "console"
        console = plan.console
        if console in (OUTPUT, OWNER):
            console = self._open_console()
        if console in (NONE, LOG):
            null = _move(os.open(os.devnull, os.O_RDWR | os.O_NOCTTY))
            out = terminal if console == LOG and terminal >= 0 else null
            for target, fd in enumerate((null, out, out)):
                os.dup2(fd, target)
        # Even those that execve(2) closes may leave no room below the job's limit, for our steps.
        os.closerange(3, SCRIPT_FD if plan.script >= 0 else self.report)
        os.closerange(LOWEST_FREE, self.report)
        after = self.report + 1
        os.closerange(after, os.sysconf("SC_OPEN_MAX") if plan.closes else after + ROOM)

    def _open_console(self) -> str:
        """Have the console as standard descriptors; return "none" if it cannot be had."""
        try:
            # A serial line without a carrier would keep us, and the supervisor: ttyS(4).
            opened = os.open(CONSOLE, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            os.set_blocking(opened, True)
            console = _move(opened)
        except OSError as error:
            if self.plan.console == OWNER:
                raise
            self._tell(SAID, "warn", f"Failed to open system console: {error.strerror}")
            return NONE
        if self.plan.console == OWNER:
            try:
                fcntl.ioctl(console, TIOCSCTTY, 1)
            except OSError as error:  # it may be no terminal: the job runs without one
                self._tell(SAID, "debug", f"The console cannot be a terminal: {error.strerror}")
        for target in range(3):
            os.dup2(console, target)
        return self.plan.console

    def _settle(self) -> None:
        """Take over the settings of the job."""
        plan = self.plan
        for name, number, soft, hard in plan.limits:
            self.step = LIMIT + name
            _set_limit(number, soft, hard)
        if plan.umask is not None:
            os.umask(plan.umask)
        if plan.nice is not None:
            self.step = "nice"
            os.setpriority(os.PRIO_PROCESS, 0, plan.nice)
        if plan.oom is not None:
            self.step = "oom"
            write_setting(OOM_SCORE_ADJ, str(plan.oom))
        for path in plan.cgroups:
            self._enter(path)
        if plan.root is not None:
            self.step = "chroot"
            os.chroot(plan.root)
        if plan.directory is not None:
            self.step = "chdir"
            os.chdir(plan.directory)
        self.step = "user"
        accounts = identities.Machine() if plan.root is None else identities.Files()
        own = os.geteuid(), os.getegid()
        self._change_to(identities.find(accounts, plan.setuid, plan.setgid, own, plan.strict))

    def _enter(self, path: str) -> None:
        """Join a cgroup; the process runs all the same if that is not possible."""
        try:
            write_setting(path, "0")
        except OSError as error:
            self._tell(SAID, "warn", f"cannot join {path}: {error.strerror}")

    def _change_to(self, identity: identities.Identity) -> None:
        uid, gid = identity.uid, identity.gid
        if self.plan.script >= 0 and not uid is gid is None:
            self.step = "chown"  # the shell opens the pipe by its path
            os.fchown(SCRIPT_FD, -1 if uid is None else uid, -1 if gid is None else gid)
        if identity.groups is not None:
            self.step = "groups"
            try:
                os.setgroups(identity.groups)
            except PermissionError:
                # In a user namespace of one user nobody may (user_namespaces(7)). The supervisor's
                # groups are right for root's job; a job of another user must not have them.
                if self.plan.setuid is not None or self.plan.setgid is not None:
                    raise
        if gid is not None:
            self.step = "setgid"
            os.setgid(gid)
        if uid is not None:
            self.step = "setuid"
            os.setuid(uid)

    def _tell(self, kind: bytes, what: str, text: str) -> None:
        """Report to the parent: one write, which is never cut (pipe(7), PIPE_BUF)."""
        if self.report >= 0:
            message = b"\0".join([kind, os.fsencode(what), os.fsencode(text[:1000])])
            try:
                os.write(self.report, message + b"\n")
            except BrokenPipeError:
                return  # it took too long: nobody listens any more


def execute(words: "list[str]", environment: "dict[str, str]") -> None:
    """Execute a program as execvp(3) does, which searches PATH. Raises OSError."""
    denied: OSError | None = None
    last = OSError(errno.ENOENT, os.strerror(errno.ENOENT))
    for path in candidates(words, environment.get("PATH")):
        try:
            _execute(path, words, environment)
        except OSError as error:
            last = error
        if last.errno == errno.EACCES:
            denied = last
        elif last.errno not in PASSED:
            raise last
    raise denied or last


def _execute(path: str, words: "list[str]", environment: "dict[str, str]") -> None:
    call = os.execve if "" not in environment else _execve
    try:
        call(path, words, environment)
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
    call(SHELL, [SHELL, path, *words[1:]], environment)  # it may be a script without "#!"


def _execve(path: str, words: "list[str]", environment: "dict[str, str]") -> None:
    """Execute a program with a variable without a name, which Python refuses. Raises OSError."""
    import ctypes  # loaded before the fork: ``settings``

    def array(texts: "list[str]") -> "ctypes.Array[ctypes.c_char_p]":
        return (ctypes.c_char_p * (len(texts) + 1))(*map(os.fsencode, texts))

    variables = [f"{name}={value}" for name, value in environment.items()]
    ctypes.CDLL(None, use_errno=True).execve(os.fsencode(path), array(words), array(variables))
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _move(fd: int) -> int:
    """Return a copy of a descriptor that is out of the way of the program's."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, LOWEST_FREE)


def _set_limit(number: int, soft: int, hard: int) -> None:
    """Set a resource limit; -1 is unlimited. Raises OSError."""
    import resource  # loaded before the fork: ``settings``

    try:
        resource.setrlimit(number, (soft, hard))
    except ValueError as error:  # raised by the module for EINVAL and EPERM
        code = errno.EPERM if "allowed" in str(error) else errno.EINVAL
        raise OSError(code, os.strerror(code)) from error


def _reset_signals() -> None:
    """Give every signal its default, and block none."""
    for number in signals.valid_signals():
        if signals.getsignal(number) != signals.SIG_DFL:
            try:
                signals.signal(number, signals.SIG_DFL)
            except OSError:  # the C library keeps this signal for itself
                continue
    signals.pthread_sigmask(signals.SIG_SETMASK, ())
