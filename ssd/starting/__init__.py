"""Start a program unless it runs already: lock, look, detach, execute, and report.

``Start`` works in a process that exists for the start only: the command's or a helper's.
``ssd.start`` (``ssd.children``) is for any thread of any program, and leaves the work to a helper.
"""

import os

from ssd.accounts import Account
from ssd.errors import AlreadyRunning
from ssd.finding import look, resolve
from ssd.pidfile import locking
from ssd.processes import default_table
from ssd.starting.become import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from ssd.matching import Match, Process
    from ssd.processes.contract import Launcher, ProcessTable
    from ssd.starting.become import Say, Warn
    from ssd.starting.command import Command


class Start:
    """One start, to be done in this process.

    match: what must not be running yet. command: what to start. background: whether to detach it.
    make_pidfile: whether to write ``match.pidfile``.
    notify_timeout: seconds to wait for readiness; None does not wait.
    wait: seconds that the program must live in the background; None does not wait.
    warn(stage, detail, reason): called for each problem that does not stop the start.
    say(event, *values): called on progress: "starting", "detaching", "detached", "awaiting"
        seconds, "notified" kind and value.
    executing(): called by a foreground start right before execve(2).
    listeners: see ``ssd.starting.detach.Detachment``.
    lock_timeout: see ``ssd.pidfile.locking.acquire``.
    """

    def __init__(
        self,
        match: "Match",
        command: "Command",
        *,
        background: bool,
        make_pidfile: bool,
        warn: "Warn",
        say: "Say",
        executing: "Callable[[], None]" = lambda: None,
        notify_timeout: float | None = None,
        wait: float | None = None,
        table: "ProcessTable | None" = None,
        listeners: "Sequence[int]" = (),
        lock_timeout: float | None = None,
    ) -> None:
        self.match = match
        self.command = command
        self.background = background
        self.notify_timeout = notify_timeout
        self.wait = wait
        self.warn = warn
        self.say = say
        self.executing = executing
        self.listeners = listeners
        self.lock_timeout = lock_timeout
        self.new_session = False  # of a child that the table makes itself
        self.table = table or default_table()
        self.criteria = resolve(match, self.table)
        self.account = Account(command.user, command.group)
        # Absolute, because the working directory changes before the pidfile is written.
        self.pidfile = None
        if make_pidfile and match.pidfile is not None:
            self.pidfile = _absolute(os.fsencode(match.pidfile), "pidfile")
        if command.output is not None:
            command.output = _absolute(command.output, "output")

    def running(self) -> "list[Process]":
        """Return a process that runs already, as a list of at most one."""
        return look(self.match, self.criteria, self.table, only_first=True).processes

    def run(self) -> "Process":
        """Start under the lock; return the daemon. A foreground start does not return.

        Raises AlreadyRunning, StartFailed, StartBlocked, PidfileUnwritable, NotReady, EndedEarly,
        and the errors of ``ssd.find``.
        """
        launcher: Launcher[Start] | None = self.table.launcher
        if launcher is not None:
            return launcher.launch(self)
        lock = self.lock()
        try:
            found = self.running()
            if found:
                raise AlreadyRunning(found)
            self.say("starting")
            if lock is not None:
                lock.remove_leftovers()
            if not self.background:
                self.become()
            return self._detach(lock)
        finally:
            if lock is not None:
                lock.release()

    def lock(self) -> "locking.Lock | None":
        """Take the lock against concurrent starts; warn and return None if that is impossible."""
        try:
            return locking.acquire(self.match, self.criteria, self.lock_timeout)
        except locking.NoLock as error:
            self.warn("lock", error.path, error.reason)
            return None

    def become(self) -> "NoReturn":
        """Start in the foreground: write our own pid, then execute the program."""
        from ssd.starting.foreground import become

        become(self)

    def _detach(self, lock: "locking.Lock | None") -> "Process":
        """Start in the background; wait for execve(2), and for what is asked for besides."""
        from ssd.starting.detach import Detachment, detach

        self.say("detaching")
        keep = [] if lock is None else [lock.fileno()]
        plan = Detachment(
            self.command, self.account, self.pidfile, home(self.account), keep, self.table,
            self.listeners,
        )  # fmt: skip
        if self.notify_timeout is None and self.wait is None:
            process = detach(plan, self.warn)
            self.say("detached")
            return process
        from ssd.starting.notify import detach_and_wait

        return detach_and_wait(self, lock, plan)


def _absolute(path: bytes, what: str) -> bytes:
    """Return a path that is valid in any working directory; only a prefix is added."""
    if path.startswith(b"/"):
        return path
    from ssd.starting.command_checks import absolute

    return absolute(path, what)
