"""Watch whether a program that was just started lives for some seconds: ``--wait``.

The process that waits is a subreaper meanwhile (prctl(2)): the daemon, whose parents have ended,
becomes its child, and it learns the exit status. When it ends, init inherits the daemon.
"""

import os

from ssd.errors import NotReady
from ssd.matching import Process
from ssd.processes import reaping
from ssd.signals import raw as signals
from ssd.starting import report
from ssd.starting.printed import NOWHERE, Printed
from ssd.system_calls import is_subreaper, set_subreaper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from ssd.processes.contract import ProcessTable
    from ssd.starting.command import Command

LAST_WORDS = 0.5  # seconds that a logger has for what the program has printed last
PARENTS_END = 5.0  # seconds until the parent of a daemon ends: it has nothing else to do


class EndedEarly(NotReady):
    """The program was started, and ended within the ``wait`` seconds that it had to live.

    ``program`` is its name, ``seconds`` how long it ran. ``status`` is its exit status, or minus
    the number of the signal that ended it; None if it is not known. ``outputs`` are the files that
    its output went to, ["/dev/null"], or empty if it cannot be read again; ``lines`` are the last
    that it added to them, at most ten. Its pidfile is removed.
    """

    def __init__(
        self,
        process: Process,
        seconds: float,
        status: int | None,
        lines: list[str],
        program: str,
        wait: float,
        outputs: list[str],
    ) -> None:
        super().__init__(process, "exited")
        self.seconds: float = seconds
        self.status: int | None = status
        self.lines: list[str] = lines
        self.program: str = program
        self.wait: float = wait
        self.outputs: list[str] = outputs
        self.args = (_sentence(self),)


report.FIELDS[EndedEarly] = (
    "process", "seconds", "status", "lines", "program", "wait", "outputs",
)  # fmt: skip


def _sentence(error: EndedEarly) -> str:
    """Say how a program has ended; what it printed is in lines of their own."""
    status = error.status
    if status is None:
        how = "with a status that is not known"
    else:
        how = f"with status {status}" if status >= 0 else f"by {_name_of(-status)}"
    text = (
        f"{error.program} (pid {error.process.pid}) ended after {error.seconds:.1f} seconds {how}"
        f" (of {error.wait:g} that --wait or readiness asks for)"
    )
    if status == 0:
        text += "; if it goes to the background by itself, start it without --background"
    if error.outputs == [NOWHERE]:
        return f"{text}; its output went to {NOWHERE}, see --output"
    if not error.outputs:
        return text
    where = " and ".join(error.outputs)
    if not error.lines:
        return f"{text}; it printed nothing to {where}"
    return "\n  ".join([f"{text}; its last lines in {where}:", *error.lines])


def _name_of(signum: int) -> str:
    """Return the name of a signal; a crash is not one of those that start-stop-daemon can send."""
    names = [name for name in dir(signals) if name.startswith("SIG") and name[3:4].isalpha()]
    return next((name for name in names if getattr(signals, name) == signum), f"signal {signum}")


class Living:
    """The watch over one start: a context in which it is made, for a process with one thread."""

    def __init__(
        self, seconds: float, command: "Command", uid: int | None, table: "ProcessTable"
    ) -> None:
        """``seconds``: how long it must live. ``uid``: its user, None for the caller's."""
        self.seconds = seconds
        self.program = os.path.basename(os.fsdecode(command.argv[0]))
        self.since = table.now()
        self._table = table
        self._printed = Printed(command, uid)
        self._logged = command.logger is not None
        self._ours: set[int] = set()  # our children, which are no orphans
        self._inherits = self._restores = False

    def __enter__(self) -> "Self":
        """Begin to inherit orphans, if the system can."""
        self._ours = {*self._table.kin.children(os.getpid())}
        _end_ignoring()
        try:
            if not is_subreaper():
                set_subreaper(True)
                self._restores = True
            self._inherits = True
        except OSError:
            return self  # not Linux: the exit status stays unknown
        return self

    def __exit__(self, *exc: object) -> None:
        reaping.reap_strangers(self._ours)
        _ignore_again()
        if self._restores:
            set_subreaper(False)

    def begin(self) -> None:
        """Count the time from now: the program is executed."""
        self.since = self._table.now()

    def watch(self, process: Process) -> None:
        """Return when the time is over; at once if it was before.

        Raises EndedEarly as soon as the process ends, and NotReady if it cannot be watched.
        """
        if self._table.now() >= self.since + self.seconds:
            return
        try:
            status, ended = self._watch(process, self.since + self.seconds)
        except (OSError, MemoryError) as error:
            # It runs: a lack of memory or descriptors must not look like a failed start.
            code, reason = getattr(error, "errno", None), str(error) or "no memory"
            raise NotReady(process, "unheard", code, reason) from error
        if ended:
            lasted = self._table.now() - self.since
            if self._logged and self._table.launcher is None:
                from ssd.logs.launching import finish

                finish(self._table.kin.children(os.getpid()), LAST_WORDS)
            raise ended_early(process, lasted, status, self.program, self.seconds, self._printed)

    def _watch(self, process: Process, until: float) -> tuple[int | None, bool]:
        """Wait; return the status of the process, and whether it has ended."""
        from ssd.starting.holding import hold

        self._ours.add(process.pid)  # its status is not an orphan's
        if self._table.launcher is not None:  # no child of this process, so no status
            try:
                with hold(process, self._table) as handle:
                    self._table.wait([handle], until)
                    return None, handle.ended()
            except ProcessLookupError:
                return None, True
        with _Children() as changes:
            try:
                with hold(process, self._table) as handle:
                    while not handle.ended() and self._table.now() < until:
                        reaping.reap_strangers(self._ours)
                        self._wait([handle, changes], until)
                        changes.take()
                    ended = handle.ended()
                    return self._status(process, handle.fileno(), changes) if ended else None, ended
            except ProcessLookupError:
                return self._status(process, -1, changes), True

    def _wait(self, handles: "Sequence[object]", until: float) -> None:
        """Wait for one of them, ``_Children`` too."""
        self._table.wait(handles, until)  # type: ignore[arg-type]

    def _status(self, process: Process, pidfd: int, changes: "_Children") -> int | None:
        """Return the status of the ended process; None if it is never our child.

        It may have ended before its parent, the last of the processes that have sent it to the
        background: it is our child once that has ended, of which SIGCHLD tells.
        """
        until = self._table.now() + PARENTS_END
        while True:
            try:
                return reaping.reap(process.pid, pidfd)
            except ChildProcessError:
                waits = self._inherits and self._table.now() < until
                if not (waits and process.pid in self._table.pids()):
                    return None
            self._wait([changes], until)
            changes.take()
            reaping.reap_strangers(self._ours)


def ended_early(
    process: Process,
    seconds: float,
    status: int | None,
    program: str,
    wait: float,
    printed: Printed,
) -> EndedEarly:
    """Return the error, with what the program has printed."""
    lines = printed.last_lines()
    return EndedEarly(process, seconds, status, lines, program, wait, printed.paths)


class _Children:
    """Is readable after SIGCHLD, so that a wait for something else ends. A context.

    It has the form of a handle (``ssd.processes.contract``) that never ends.
    """

    def __enter__(self) -> "Self":
        self._reading, self._writing = os.pipe()
        for fd in (self._reading, self._writing):
            os.set_blocking(fd, False)
        self._before = signals.signal(signals.SIGCHLD, lambda number, frame: None)
        self._waking = signals.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc: object) -> None:
        signals.set_wakeup_fd(self._waking)
        signals.signal(signals.SIGCHLD, self._before)
        os.close(self._reading)
        os.close(self._writing)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._reading

    def ended(self) -> bool:
        """Return False."""
        return False

    def take(self) -> None:
        """Make it unreadable until the next signal."""
        try:
            os.read(self._reading, 4096)
        except BlockingIOError:
            return


# Whether the caller has ignored SIGCHLD. Then the kernel would reap our children at once, and
# nobody would learn their status. What we start inherits it, as without --wait.
_ignored = False


def _end_ignoring() -> None:
    global _ignored
    if signals.getsignal(signals.SIGCHLD) == signals.SIG_IGN:
        os.register_at_fork(after_in_child=_ignore_again)
        signals.signal(signals.SIGCHLD, signals.SIG_DFL)
        _ignored = True


def _ignore_again() -> None:
    global _ignored
    if _ignored:
        signals.signal(signals.SIGCHLD, signals.SIG_IGN)
        _ignored = False
