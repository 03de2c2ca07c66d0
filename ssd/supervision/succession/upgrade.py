"""Replace a supervisor's program in place: the process stays, and its children stay its children.

The new program is first started beside the old one, to see that it can run and read the
declarations; only then it takes the process over by execve(2). What the old one knows goes to it
in a file in memory, in the form of the journal. The lock, the sockets and the services' pipes stay
open, so clients wait for an answer, and nothing that was written or told is lost. A child that
ends meanwhile is a zombie until the new program asks how it has ended.
"""

import os
import sys

from ssd.accounts import Account
from ssd.signals import raw as signals
from ssd.starting.command import Command
from ssd.supervision import events
from ssd.supervision.control.json_text import encode
from ssd.supervision.effects import spawning
from ssd.supervision.succession.handed import STATE, VARIABLE
from ssd.supervision.succession.journal import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.cli.loop import Loop
    from ssd.supervision.control.server import Control
    from ssd.supervision.effects.held import OwnChild
    from ssd.supervision.places import Places
    from ssd.supervision.supervisor import Supervisor

    Told = Callable[[str | None], None]

CHECK = "--check"  # the option that has a supervisor only say whether it could begin
PATIENCE = 30.0  # seconds for the check
SOON = 0.001  # seconds, until units have taken their inputs
GRACE = 0.02  # seconds for answers to clients, before the connections end
MOST = 1 << 16  # bytes of what the check says
KILL = 9


def program(argv: "list[str]") -> "list[str]":
    """Return the words that run this program again, without those of its command line.

    argv: its command line, as in ``sys.argv``. The interpreter itself is executed, and not a script
    in which a shell looks for it: a shell reaps children that are not its own.
    """
    words = sys.orig_argv if sys.version_info >= (3, 10) else _words()
    return [sys.executable, *words[1 : len(words) - len(argv) + 1]]


def _words() -> "list[str]":
    """Return the command line of this process, as the kernel has it."""
    with open("/proc/self/cmdline", "rb", 0) as file:
        return [os.fsdecode(word) for word in file.readall().split(b"\0")[:-1]]


def upgrade_of(
    process: "Loop",
    place: "Places",
    control: "Control | None",
    argv: "list[str]",
    directory: str,
    variables: "dict[str, str]",
) -> "Upgrade":
    """Return what replaces the program of a command: the same one at each call."""

    def descriptors() -> "dict[str, int]":
        notify = process.supervisor.effects.notify
        return {
            "lock": place.lock(),
            "listener": -1 if control is None else control.connections.listener,
            "notify": -1 if notify is None else notify.fileno(),
        }

    if process.upgrade is None:
        process.upgrade = Upgrade(
            process.supervisor, argv, directory, descriptors, process.leave, variables
        )
        if control is not None:
            process.upgrade.pause = control.connections.pause
    return process.upgrade


class Upgrade:
    """Upgrades of a supervisor's process.

    argv: the command line of the process. directory: where that was given. descriptors: returns
    what is to stay open, by name; -1 for none. leave: is called right before the program is
    replaced. variables: are added to its environment. pause: is called with True when the program
    is about to be replaced, so that new clients wait for the next one, and with False if it stays.
    """

    __slots__ = ("_supervisor", "_argv", "_directory", "_descriptors", "_leave", "_variables",
                 "_said", "_told", "_check", "pause")  # fmt: skip

    def __init__(
        self,
        supervisor: "Supervisor",
        argv: "list[str]",
        directory: str,
        descriptors: "Callable[[], dict[str, int]]",
        leave: "Callable[[], None]",
        variables: "dict[str, str]",
    ) -> None:
        self._supervisor = supervisor
        self._argv = argv
        self._directory = directory
        self._descriptors = descriptors
        self._leave = leave
        self._variables = variables
        self._said = -1
        self._told: list[Told] = []
        self._check: OwnChild | None = None
        self.pause: Callable[[bool], None] = lambda paused: None

    def begin(self, told: "Told") -> None:
        """Check the new program, and let it take over if it can run; never waits.

        ``told`` is called with None right before that, or with what is wrong. Raises StartFailed
        and OSError.
        """
        if self._supervisor.ending:
            told("all services are being stopped")
            return
        self._told.append(told)
        if self._check is None:
            try:
                self._begin_check()
            except BaseException:
                self._told.pop()
                raise

    def _begin_check(self) -> None:
        """Run the new program with the option that only checks. Raises StartFailed and OSError."""
        words = [*program(self._argv), CHECK, *self._argv[1:]]
        self._said, writing = os.pipe()
        os.set_blocking(self._said, False)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        environment = {**os.environb, os.fsencode(VARIABLE): b"check %d" % VERSION}
        command = Command(words, directory=self._directory)
        try:
            stdio = (null, writing, writing)
            check = spawning.start(
                command, Account(None, None), stdio, environment,
                descriptors=self._supervisor.effects.descriptors,
            )  # fmt: skip
        except BaseException:
            os.close(self._said)
            raise
        finally:
            os.close(writing)
            os.close(null)
        self._check = check
        supervisor = self._supervisor
        late = supervisor.after(PATIENCE, lambda: check.signal(KILL))

        def ended() -> None:
            status = check.poll()
            if status is not None:
                supervisor.cancel(late)
                supervisor.watch.release(check)
                check.close()
                self._checked(status)

        supervisor.watch.hold(check, ended)

    def _checked(self, status: int) -> None:
        """Take what the check has come to."""
        try:
            said = os.read(self._said, MOST).decode(errors="replace").strip()
        except BlockingIOError:
            said = ""  # a child of it has the pipe
        os.close(self._said)
        self._check = None
        if status == 0:
            self.pause(True)
            self._tell(None)
            self._supervisor.after(GRACE, self._replace)
        else:
            self._tell(f"the new program cannot run: {said or f'status {status}'}")

    def _tell(self, fault: "str | None") -> None:
        told, self._told = self._told, []
        for each in told:
            each(fault)

    def _replace(self) -> None:
        """Become the new program; go on as this one if that fails."""
        supervisor = self._supervisor
        if supervisor.ending:
            self.pause(False)
            return
        if supervisor.busy:
            supervisor.after(SOON, self._replace)
            return
        self._leave()
        kept = self._hand_over()
        mask = signals.pthread_sigmask(signals.SIG_BLOCK, _DEADLY)  # until it has its handlers
        try:
            os.chdir(self._directory)
            words = [*program(self._argv), *self._argv[1:]]
            given = {**os.environ, **self._variables, VARIABLE: str(kept[0])}
            os.execve(words[0], words, given)
        except OSError as error:
            os.chdir("/")
            signals.pthread_sigmask(signals.SIG_SETMASK, mask)
            for fd in kept:
                os.set_inheritable(fd, False)
            os.close(kept[0])
            self.pause(False)
            text = f"the program cannot be replaced: {error.strerror}"
            supervisor.say(events.StatusText(supervisor.wall(), "ssd-supervise", text))

    def _hand_over(self) -> "list[int]":
        """Write the state, and let descriptors stay open; return them, first that of the state."""
        supervisor = self._supervisor
        named = self._descriptors()
        pipes = [fd for unit in supervisor.units.values() for fd in supervisor.outputs.held(unit)]
        state = os.memfd_create(STATE)
        limits = supervisor.effects.descriptors
        given = {"handed": os.getpid(), **named, "pipes": pipes, "limits": limits}
        first = encode(given).encode("ascii") + b"\n"
        assert supervisor.journal is not None  # a program that can be replaced keeps one
        rest = memoryview(first + supervisor.journal.handed_over())
        while rest:
            rest = rest[os.write(state, rest) :]
        kept = [state, *(fd for fd in named.values() if fd >= 0), *pipes]
        for fd in kept:
            os.set_inheritable(fd, True)
        return kept


_DEADLY = tuple(
    getattr(signals, name)
    for name in ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")
)
