"""Everything that can go wrong, as one family of exceptions that carry data.

The texts below are for a developer's traceback. What the commands print, and the exit status
that goes with it, are in ``ssd.sentences``.
"""

EXHAUSTED = (12, 23, 24)  # ENOMEM, ENFILE, EMFILE of every Unix: a problem of our own process
# The kernel's errors for a process that has ended (ENOENT, ESRCH) or is hidden (EACCES, EPERM;
# a mount with hidepid says ENOENT). Any other error is a problem of our own process.
VANISHED = (FileNotFoundError, ProcessLookupError, PermissionError)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.matching import Process
    from ssd.pickling import Parts


class Error(Exception):
    """The root of the family: every failure that ssd foresees is one of these."""

    def __reduce__(self) -> "Parts":
        """Return the parts from which pickle and copy rebuild it; see ``object.__reduce__``."""
        from ssd.pickling import parts

        return parts(self, Error)


def _listed(processes: "Sequence[Process]") -> str:
    return "pid " + ", ".join(str(process.pid) for process in processes)


class UnknownUser(Error):
    """No account of that name or number exists; see passwd(5) and ``getent``."""

    def __init__(self, user: str) -> None:
        super().__init__(f"user {user!r} not found")
        self.user: str = user


class UnknownGroup(Error):
    """No group of that name exists; see group(5) and ``getent``."""

    def __init__(self, group: str) -> None:
        super().__init__(f"group {group!r} not found")
        self.group: str = group


class ExecutableMissing(Error):
    """The file to match processes by (``exec``) cannot be examined, as ``errno`` says."""

    def __init__(self, path: str, errno: "int | None", strerror: "str | None") -> None:
        super().__init__(f"unable to stat {path}: {strerror}")
        self.path: str = path
        self.errno: int | None = errno
        self.strerror: str | None = strerror


class ProcessTableError(Error):
    """The process table cannot be read, as ``reason`` says: no descriptor is left, for example."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason: str = reason


class ProcessUnreadable(Error):
    """Process ``pid`` runs, but this user may not read whether it is the one meant.

    It is hidden (proc(5), hidepid), or runs an executable that only its user may read.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(
            f"process {pid} runs, but this user may not read whether it is the one meant"
        )
        self.pid: int = pid


class PidfileError(Error):
    """A pidfile cannot be used. ``errno`` is None if no system call failed."""

    def __init__(self, path: str, reason: "str | None", errno: "int | None" = None) -> None:
        super().__init__(f"pidfile {path}: {reason}")
        self.path: str = path
        self.reason: str | None = reason
        self.errno: int | None = errno


class PidfileUnreadable(PidfileError):
    """The pidfile, or a directory in its path, cannot be opened."""


class PidfileUnsafe(PidfileError):
    """Another user could have written this pidfile, so its pid is not used."""


class PidfileUnwritable(PidfileError):
    """The pidfile could not be written or removed; it is as it was before."""


class AlreadyRunning(Error):
    """The program runs already. ``processes`` are those that the start has seen, at least one."""

    def __init__(self, processes: "Sequence[Process]") -> None:
        super().__init__(f"already running: {_listed(processes)}")
        self.processes: list[Process] = list(processes)


class StartFailed(Error):
    """A start failed before the program was executed: nothing runs, and no pidfile is left.

    ``stage`` names the step (a key of ``ssd.sentences.STAGES``), ``detail`` its object (a path,
    a number). ``errno`` is None if no system call failed.
    """

    def __init__(self, stage: str, detail: str, errno: "int | None", reason: "str | None") -> None:
        super().__init__(f"unable to start ({stage} {detail}): {reason}")
        self.stage: str = stage
        self.detail: str = detail
        self.errno: int | None = errno
        self.reason: str | None = reason


class StartBlocked(Error):
    """Another start of the same daemon held the lock for the whole time allowed."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(f"another start has held {path} for {seconds:g} seconds")
        self.path: str = path
        self.seconds: float = seconds


class NotReady(Error):
    """The program was started, but did not report that it is ready.

    ``reason`` is "timeout", "exited" (it ended first), "errno" (it reported ``errno`` itself),
    "invalid" (its notification cannot be parsed) or "unheard" (waiting for it failed, as
    ``detail`` says). ``process`` is the program, which may still run.
    """

    def __init__(
        self, process: "Process", reason: str, errno: "int | None" = None, detail: str = ""
    ) -> None:
        super().__init__(f"process {process.pid} is not ready: {reason} {detail}".rstrip())
        self.process: Process = process
        self.reason: str = reason
        self.errno: int | None = errno
        self.detail: str = detail


class NotStopped(Error):
    """``processes`` still run after the last step of the schedule."""

    def __init__(self, processes: "Sequence[Process]") -> None:
        super().__init__(f"still running after the schedule: {_listed(processes)}")
        self.processes: list[Process] = list(processes)


class NotPermitted(Error):
    """Processes were found, but the caller may not signal any of them."""

    def __init__(self, processes: "Sequence[Process]") -> None:
        super().__init__(f"not permitted to signal: {_listed(processes)}")
        self.processes: list[Process] = list(processes)
