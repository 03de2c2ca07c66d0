"""What a supervisor leaves to the next one: a line of JSON for each change, in its run directory.

The first line says what the numbers in the others mean: format, boot, namespaces. Each further
line is all that is known of one service, or a wish that its unit has not taken yet; the last one
of a service counts. Lines are written by one system call each, at the end of the file, so of a
supervisor that was killed at most the last line is torn, and that is ignored. Nothing is synced
to the disk: another boot has other processes.

Space for the next lines is set aside, so a disk that fills up takes nothing at once. After that
the supervisor goes on and tells it once. Then a successor finds what runs by its marker
(``succession.survivors``); it does not know what was wished meanwhile, nor the counts.
"""

import errno
import os
from time import monotonic

from ssd.supervision import states
from ssd.supervision.control.json_text import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ssd.processes.contract import ProcessTable
    from ssd.supervision.unit import Unit

    Record = dict[str, object]

VERSION = 1
SCHEDULE = "TERM/30/KILL/5"  # the default of a declaration
NAME, NEW = "journal", "journal.new"
RESERVE = 1 << 16  # bytes that are set aside: some 400 lines
MARGIN = 1 << 20  # bytes of lines after which the file is written anew
PATIENCE = 1.0  # seconds after a failure before the file is written anew
MODE = 0o600
CANNOT = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)  # set space aside
_WRITE = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MAKE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def header(table: "ProcessTable") -> "Record":
    """Return the first line.

    The first process of a PID namespace tells one from another that had its number before.
    """
    origin = table.origin
    clock = None if origin is None else origin.clock()
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    first = table.process(1)
    return {
        "journal": VERSION,
        "boot": "" if origin is None else os.fsdecode(origin.boot()),
        "space": [space, first.start_time if first is not None else 0],
        "clock": os.fsdecode(clock or b""),
    }


def facts(unit: "Unit") -> "Record":
    """Return all that a successor needs of a unit; without the values that are usual."""
    found: Record = {"name": unit.name, "goal": unit.goal, "state": unit.state}
    main, last, history = unit.main, unit.last, unit.history
    if unit.token:
        found["token"] = unit.token
    if main is not None:
        found["pid"], found["start"] = main.pid, main.start_time
    elif unit.left is not None:
        found["left"] = [unit.left.pid, unit.left.start_time]
        if (end := unit.supervisor.awaited(unit, states.ENDS)) is not None:
            found["end"] = end
    if unit.hook_mark is not None:
        hook = unit.hook
        known = (0, 0) if hook is None else (hook.pid, hook.start_time)
        found["hook"] = [*unit.hook_mark, *known]
    if unit.since is not None:
        found["since"] = unit.since
    if unit.ready_at is not None:
        found["ready"] = unit.ready_at
    if history.row or history.count:
        found["history"] = [history.row, history.begun, history.count]
    if unit.restarts:
        found["restarts"] = unit.restarts
    if last is not None:
        found["last"] = [last.status, last.time]
    if unit.next_attempt is not None:
        found["next"] = unit.next_attempt
    for name in ("failure", "status_text", "completed", "removed"):
        if value := getattr(unit, name):
            found[name] = value
    if not unit.healthy:
        found["healthy"] = False
    if unit.gate is not None and unit.gate.has_followed:
        found["followed"] = True
    if unit.token:  # so that a successor can stop it without its declaration
        service = unit.service
        if service.background and service.pidfile != "none":
            found["pidfile"] = service.pidfile
        if service.stop_schedule != SCHEDULE:
            found["schedule"] = service.stop_schedule
        if service.kill_mode:
            found["kill_mode"] = service.kill_mode
    return found


def snapshot(records: "Iterable[Record]", table: "ProcessTable", ending: bool = False) -> bytes:
    """Return records as a journal. ``ending``: all services are being stopped."""
    lines = [encode(header(table))]
    if ending:  # goals before it are not known any more: every service is wanted
        lines.append(encode({"ending": True}))
    return "\n".join([*lines, *map(encode, records), ""]).encode("ascii")


class Journal:
    """The journal of one supervisor.

    directory: a descriptor of the run directory, which nobody else can write; it stays the
    caller's. report: is told, in words, when lines are lost, and when they no longer are.
    is_first: whether there was no supervisor before, so that nothing needs to be looked for.
    size: bytes that are used.
    """

    __slots__ = ("report", "is_first", "directory", "_fd", "size", "_room", "_limit",
                 "_is_stale", "_again", "_units", "_table", "_ending")  # fmt: skip

    def __init__(
        self, directory: int, report: "Callable[[str], object]", is_first: bool = False
    ) -> None:
        self.report = report
        self.is_first = is_first
        self.directory = directory
        self._fd = -1
        self.size = 0
        self._room = 0  # up to here there is space
        self._limit = 0
        self._is_stale = False  # lines are missing, or may soon be
        self._again = 0.0  # when to write it anew then
        self._units: dict[str, Unit] = {}
        self._table: ProcessTable | None = None
        self._ending = False

    def begin(self, units: "dict[str, Unit]", table: "ProcessTable") -> None:
        """Write the journal anew, in place of a predecessor's, and keep ``units`` in it."""
        self._units, self._table = units, table
        error = self.renew()
        if error is not None and not self._continue():
            self._lose(error)

    def put(self, unit: "Unit") -> None:
        """Keep what is known of a unit now."""
        self._append(self.facts(unit))

    def facts(self, unit: "Unit") -> "Record":
        """Return all that a successor needs of a unit."""
        return facts(unit)

    def others(self) -> "list[Record]":
        """Return what a successor must know besides the units."""
        return []

    def note(self, record: "Record") -> None:
        """Keep one of the other records; it has a name and a goal."""
        self._append(record)

    def snapshot(self) -> bytes:
        """Return all that a successor needs, as a journal."""
        assert self._table is not None
        units = [self.facts(unit) for unit in self._units.values() if unit.known]
        return snapshot([*self.others(), *units], self._table, self._ending)

    def handed_over(self) -> bytes:
        """Return what the program that replaces this one in the process needs."""
        return self.snapshot()

    def wish(self, name: str, given: str) -> None:
        """Keep an input that somebody gave, until its unit has taken it."""
        self._append({"name": name, "wish": given})

    def forget(self, name: str) -> None:
        """Drop a service that is no longer declared and has stopped."""
        self._append({"name": name, "gone": True})

    def end(self) -> None:
        """Keep that all are being stopped: these stops are nobody's wish for one service."""
        if not self._ending:
            self._ending = True
            self._append({"ending": True})

    def finish(self) -> None:
        """Keep that all services have stopped, so that a successor begins anew."""
        self._append({"over": True})

    def close(self) -> None:
        """Let go of the file, which a successor reads."""
        fd, self._fd = self._fd, -1
        self._units = {}
        if fd >= 0:
            os.close(fd)

    def renew(self) -> OSError | None:
        """Write the journal anew, without what no longer counts; return why that failed."""
        data = self.snapshot()
        try:
            try:
                os.unlink(NEW, dir_fd=self.directory)
            except FileNotFoundError:
                pass  # no supervisor was killed right here
            fd = os.open(NEW, _MAKE, MODE, dir_fd=self.directory)
            try:
                if os.write(fd, data) != len(data):
                    raise _no_space()
                _set_aside(fd, len(data))
                os.rename(NEW, NAME, src_dir_fd=self.directory, dst_dir_fd=self.directory)
            except BaseException:
                os.close(fd)
                os.unlink(NEW, dir_fd=self.directory)
                raise
        except OSError as error:
            self._limit = self.size + MARGIN
            self._again = monotonic() + PATIENCE
            return error
        self._use(fd, len(data))
        self._room = len(data) + RESERVE
        if self._is_stale:
            self._is_stale = False
            self.report(f"{self.path} is complete again")
        return None

    def _use(self, fd: int, size: int) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self.size = fd, size
        self._limit = 2 * size + MARGIN

    def _continue(self) -> bool:
        """Go on with the predecessor's file, as no new one can be made; tell whether it is there.

        It was read whole: a file of another format has no lines that count.
        """
        if not self.size:
            return False
        try:
            self._use(os.open(NAME, _WRITE, dir_fd=self.directory), self.size)
        except OSError:
            return False
        return True

    def _append(self, record: "Record") -> None:
        """Write a line; what cannot be written is lost, and that is told once."""
        data = encode(record).encode("ascii") + b"\n"
        try:
            if self._fd < 0 or os.pwrite(self._fd, data, self.size) != len(data):
                raise _no_space()  # what was written of it is written over
        except OSError as error:
            self._lose(error)
        else:
            self.size += len(data)
            if self.size + RESERVE // 2 > self._room and not self._is_stale:
                self._reserve()
        if self.size > self._limit or self._is_stale and monotonic() >= self._again:
            self.renew()

    def _reserve(self) -> None:
        """Set space aside for the next lines; say it in time if there is none."""
        try:
            _set_aside(self._fd, self.size)
            self._room = self.size + RESERVE
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        if not self._is_stale:
            self._is_stale = True
            self._again = monotonic() + PATIENCE
            self._append({"lost": True})  # it may still find room in what was set aside
            reason = f"cannot be written, and may soon lack what happens: {error.strerror}"
            self.report(f"{self.path} {reason}")

    @property
    def path(self) -> str:
        """The path of the file."""
        try:
            return os.readlink(f"/proc/self/fd/{self.directory}") + "/" + NAME
        except OSError:
            return NAME


def _no_space() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _set_aside(fd: int, offset: int) -> None:
    """Have RESERVE bytes allocated, where the file system can. Raises OSError if they are not."""
    try:
        os.posix_fallocate(fd, offset, RESERVE)
    except OSError as error:
        if error.errno not in CANNOT:
            raise
