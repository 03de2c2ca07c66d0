"""What units do to the machine: start programs, run hooks, begin stops, write pidfiles.

On a machine of ``ssd.testing`` its launcher makes the processes.
"""

import os

from ssd.accounts import Account
from ssd.errors import AlreadyRunning, PidfileError
from ssd.finding import look, resolve
from ssd.matching import Match, Process
from ssd.schedule import Schedule
from ssd.starting.become import home
from ssd.stopping import Stop
from ssd.supervision import states
from ssd.supervision.effects import ends, spawning
from ssd.supervision.readiness import needs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.pidfile.locking import Lock
    from ssd.processes.contract import ProcessTable
    from ssd.starting.command import Command
    from ssd.supervision.effects.held import OwnChild
    from ssd.supervision.effects.outputs import Outputs
    from ssd.supervision.effects.strays import Strays
    from ssd.supervision.readiness.notify import Notify
    from ssd.supervision.unit import Unit

MARKER = b"SSD_SUPERVISED"  # the variable that tells whose a process is
ASIDE = "aside-"  # begins the token of a hook or probe, which is no service
PIDFILE_UMASK = 0o022
HURRIED = "KILL/5"  # the schedule of a stop that must be over
# What the supervisor's own supervisor told it, and no service must believe.
OWN = (b"NOTIFY_SOCKET", b"WATCHDOG_USEC", b"WATCHDOG_PID", b"LISTEN_FDS", b"LISTEN_PID",
       b"LISTEN_FDNAMES", MARKER)  # fmt: skip


class Effects:
    """The effects of one supervisor.

    table: where the processes are. key: what marks its services' processes, beside name and
    token. close_fds: False if this process has no descriptor that a program could inherit.
    outputs: where the services' output goes. descriptors: the limits for descriptors that programs
    get, None for our own. hurried: whether stops kill at once. notify_path: where the notification
    socket is to be; "" for a directory of its own. notify: that socket, None until
    one is needed.
    reaps: whether orphans of services become our children: see prctl(2), PR_SET_CHILD_SUBREAPER.
    spares: whether a service was started that may leave processes, by its ``kill_mode``.
    """

    __slots__ = ("table", "outputs", "key", "close_fds", "descriptors", "hurried",
                 "notify_path", "notify", "reaps", "spares", "_strays")  # fmt: skip

    def __init__(self, table: "ProcessTable", outputs: "Outputs", key: str = "") -> None:
        self.table = table
        self.outputs = outputs
        self.key = key or f"pid-{os.getpid()}"
        self.close_fds = True
        self.descriptors: tuple[int, int] | None = None
        self.hurried = False
        self.notify_path = ""
        self.notify: Notify | None = None
        self.reaps = self.spares = False
        self._strays: Strays | None = None

    def spawn(self, unit: "Unit") -> "OwnChild":
        """Start a service's program under the lock of a start, and write its pidfile.

        Raises AlreadyRunning, with the process; StartFailed, DeclarationError, PidfileError and
        OSError if it does not run.
        """
        from ssd.service.commands import command as declared

        service = unit.service
        match, command = service.match(), declared(service, streams=False)
        writes = service.background and service.pidfile != "none"
        self.spares = self.spares or service.kill_mode in ends.SPARING
        unit.token = new_token()
        if self.table.launcher is not None:
            unit.supervisor.record(unit)
            return self._launch(unit, match, command, writes, unit.token)
        lock = self._lock(match) if match.pidfile is not None else None
        try:
            self._refuse_second(unit, match)
            talks = needs.notifications(service)
            told = self._listener(unit).variables(service) if talks else None
            account = Account(command.user, command.group)
            child = self._start(unit, command, account, unit.token, told, recorded=True)
            if writes:
                unit.written = self._write_pidfile(service.pidfile, child)
            if service.kill_mode == ends.CGROUP:
                ends.enclose(unit, child.pid)
            return child
        finally:
            if lock is not None:
                lock.release()

    def run_hook(self, unit: "Unit", field: str) -> "OwnChild":
        """Start a hook by /bin/sh -e, as root, in the service's environment."""
        from ssd.service.sh import SHELL  # few services have hooks

        service = unit.service
        words = [SHELL, "-e", "-c", getattr(service, field), service.name]
        token = ASIDE + new_token()
        unit.hook_mark = field, token
        unit.supervisor.record(unit)
        return self._run_aside(unit, words, f"{field} of {service.name}", token)

    def run_probe(self, unit: "Unit", words: "list[str]") -> "OwnChild":
        """Start a command that finds out whether a service works; it runs as hooks do.

        Only its standard error goes to the service's log, or each check would write there.
        A name without a path is looked for in PATH, as by a start of ssd-service.
        """
        from ssd.service.programs import chooser

        find = chooser(os.environ.get("PATH", os.defpath), "")
        words = [find(words[:1]) or words[0], *words[1:]]
        name = f"probe of {unit.name}"
        return self._run_aside(unit, words, name, ASIDE + new_token(), quiet=True)

    def await_ready(
        self, unit: "Unit", taken_over: bool = False, has_followed: bool = False
    ) -> None:
        """Feed READY once the service is ready; see ``ssd.supervision.readiness.gate.Gate``."""
        if needs.notifications(unit.service):
            self._listener(unit).listen(unit)
        if not needs.gate(unit.service):
            unit.supervisor.feed(unit, states.READY)
            return
        from ssd.supervision.readiness.gate import Gate

        unit.gate = Gate(unit, taken_over, has_followed)
        unit.gate.begin()

    def begin_checks(self, unit: "Unit") -> None:
        """Begin what watches the health of a service that is ready."""
        taken_over = needs.notifications(unit.service) and not self._listener(unit).knows(unit)
        if taken_over:
            self._listener(unit).listen(unit)
        if needs.checks(unit.service):
            from ssd.supervision.readiness.health import Checks

            unit.health = Checks(unit, taken_over)
            unit.health.begin()

    def end_checks(self, unit: "Unit") -> None:
        """End what watches readiness and health."""
        for each in (unit.gate, unit.health):
            if each is not None:
                each.end()
        unit.gate = unit.health = None

    def strays(self) -> "Strays":
        """Return where to look for what services that were taken over have left."""
        if self._strays is None:
            from ssd.supervision.effects.strays import Strays

            self._strays = Strays(self.table, MARKER)
        return self._strays

    def marker(self, unit: "Unit", token: str | None = None) -> bytes:
        """Return the entry of the environment that only what was started last for a unit has.

        Without a token, "", it is the beginning of those of all starts.
        """
        return b"%s=%s" % (MARKER, self._mark(unit, unit.token if token is None else token))

    def _mark(self, unit: "Unit", token: str) -> bytes:
        return os.fsencode(f"{self.key}:{unit.name}:{token}")

    def close(self) -> None:
        """Close the notification socket."""
        if self.notify is not None:
            self.notify.close()

    def begin_stop(self, unit: "Unit", target: "Process | None") -> Stop | None:
        """Return the stop of what is left of a service; None if nothing is."""
        schedule = Schedule.parse(HURRIED) if self.hurried else unit.service.schedule
        return ends.begin(unit, target, schedule)

    def clean(self, unit: "Unit") -> None:
        """Remove the pidfile of a service that stays down, and listen to it no more."""
        service = unit.service
        if self.notify is not None:
            self.notify.forget(unit)
        if service.kill_mode == ends.CGROUP:
            ends.discard_cgroup(unit)
        if unit.goal == states.STOP and service.pidfile != "none" and service.background:
            _remove(service.pidfile)

    def leave_pidfile(self, unit: "Unit", declared: str) -> None:
        """Remove the pidfile of a service that is to have another; one that others wrote stays."""
        path = unit.service.pidfile
        if path == declared or unit.main is not None or unit.written is None:
            return
        if unit.written == _identity(path):
            _remove(path)

    def _start(
        self,
        unit: "Unit",
        command: "Command",
        account: Account,
        token: str,
        told: "dict[bytes, bytes] | None" = None,
        recorded: bool = False,
        quiet: bool = False,
    ) -> "OwnChild":
        """Start a program with the output and the environment of a service.

        recorded: whether the journal must have the token before: the start may be cut off.
        quiet: whether what it writes on standard output is dropped.
        """
        null, out, err = stdio = self.outputs.open(unit, account)
        try:
            command.environment = {**(command.environment or {}), **home(account)}
            variables = self._environment(unit, command, token)
            variables.update(told or {})
            if recorded:
                unit.supervisor.record(unit)
            return spawning.start(
                command, account, (null, null if quiet else out, err), variables,
                close_fds=self.close_fds,
                descriptors=self.descriptors,
            )  # fmt: skip
        finally:
            self.outputs.close(stdio)

    def _run_aside(
        self, unit: "Unit", words: "list[str]", name: str, token: str, quiet: bool = False
    ) -> "OwnChild":
        """Start a command as root, in the service's environment; ``name`` is for fakes."""
        from ssd.service.commands import environment
        from ssd.starting.command import Command

        command = Command(words, environment=environment(unit.service))
        if self.table.launcher is not None:
            return self._launch(unit, Match(name=name[:15]), command, False, token)
        return self._start(unit, command, Account(None, None), token, quiet=quiet)

    def _listener(self, unit: "Unit") -> "Notify":
        """Return the notification socket, which is made for the first service that needs it."""
        if self.notify is None:
            from ssd.supervision.readiness.notify import Notify

            self.notify = Notify(self.table, unit.supervisor.watch, self.notify_path)
        return self.notify

    def _launch(
        self, unit: "Unit", match: Match, command: "Command", writes: bool, token: str
    ) -> "OwnChild":
        """Have the table make the process."""
        from ssd.starting import Start

        assert self.table.launcher is not None
        command.environment = self._environment(unit, command, token)
        start = Start(
            match, command, background=False, make_pidfile=writes, warn=lambda *omission: None,
            say=lambda *event: None, table=self.table,
        )  # fmt: skip
        start.new_session = True
        child: OwnChild = self.table.launcher.launch(start)  # type: ignore[assignment]
        return child

    def _lock(self, match: Match) -> "Lock | None":
        """Take the lock against other starts; None where none can be had."""
        from ssd.matching import Criteria
        from ssd.pidfile import locking

        try:
            return locking.acquire(match, Criteria(), 0)
        except locking.NoLock:
            return None

    def _refuse_second(self, unit: "Unit", match: Match) -> None:
        """Raise AlreadyRunning if the service runs already, whoever has started it."""
        if match.pidfile is None:
            return
        if unit.main is None and unit.written is not None:
            if unit.written == _identity(unit.service.pidfile):
                return  # nobody has written it since: it names a process of ours that has ended
        found = look(match, resolve(match, self.table), self.table, only_first=True).processes
        if found:
            from ssd.supervision.readiness.following import is_anothers

            if not is_anothers(found[0], unit):
                raise AlreadyRunning(found)

    def write_pidfile(self, path: str, process: Process) -> None:
        """Write the pidfile of a main process. Raises PidfileError."""
        from ssd.pidfile import writing

        mark = writing.mark_of(Process(process.pid, process.start_time), self.table)
        written = writing.write(path, process.pid, PIDFILE_UMASK, mark)
        if written is not None:
            written.close()

    def _write_pidfile(self, path: str, child: "OwnChild") -> "tuple[int, ...] | None":
        """Write the pidfile; without it the program must not run: others would not find it.

        Return its ``_identity``.
        """
        try:
            self.write_pidfile(path, child)
        except BaseException:
            child.signal(9)
            os.waitpid(child.pid, 0)
            child.close()
            raise
        return _identity(path)

    def _environment(self, unit: "Unit", command: "Command", token: str) -> "dict[bytes, bytes]":
        """Return the variables of a program: the declaration's, and the marker."""
        variables = dict(command.environment or {})
        if vars(command):
            from ssd.starting.rare.variables import settle_now  # few services need it

            settle_now(command, variables)
        for name in OWN:
            variables.pop(name, None)
        variables[MARKER] = self._mark(unit, token)
        return variables


def _remove(path: str) -> None:
    """Remove a pidfile if there is one."""
    from ssd import pidfile

    try:
        pidfile.remove(path)
    except (FileNotFoundError, PidfileError):
        return  # it is not there, or nobody would believe it


def _identity(path: str) -> "tuple[int, ...] | None":
    """Return what changes when anybody writes or replaces a file; None if there is no file."""
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_ctime_ns


def new_token() -> str:
    """Return what marks one start: nobody can guess it, so nobody can pretend to be that start."""
    return os.urandom(8).hex()
