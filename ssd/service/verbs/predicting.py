"""What a step would come to, without taking it: only a plan loads this.

It looks, asks for permissions, and changes nothing: no process, no signal, no hook, no file, no
lock. What only the attempt shows stays unknown: a hook or a program that fails, a process that
outlives the schedule, another caller at the same moment.
"""

import errno
import os

from ssd import pidfile
from ssd.errors import Error, PidfileError, PidfileUnwritable, StartFailed
from ssd.finding import look, resolve
from ssd.service import verbs
from ssd.service.errors import DeclarationError
from ssd.service.trust import check
from ssd.starting import Start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.service.verbs.recording import Recorded

EFFECTIVE = os.access in os.supports_effective_ids


class Forecast:
    """The outcomes of the steps of one verb, predicted one after the other.

    state: how the service would be then. left: the processes that would still be there.
    """

    def __init__(self, steps: "Recorded") -> None:
        self.steps = steps
        self.state: str | None = None  # as it is
        self.left: list[Process] | None = None
        self._is_stopped = False

    def __call__(self, step: str) -> str:
        """Predict the outcome of the next step."""
        try:
            if step == verbs.START:
                return self._start()
            return self._stop() if step == verbs.STOP else self._signal()
        except (Error, OSError) as error:
            return self.steps.failed(error)

    def _signal(self) -> str:
        """Predict what a signal to the service comes to."""
        steps = self.steps
        match = steps.service.match()
        found = look(match, resolve(match, steps.table), steps.table).processes
        if not found:
            return verbs.NOTHING
        return verbs.DONE if any(_permits(steps.table, p) for p in found) else verbs.DENIED

    def _stop(self) -> str:
        outcome = self._signal()
        if outcome == verbs.DENIED:
            self.steps.complain("not permitted to signal the process")
            return outcome
        path = self.steps.service.pidfile
        is_kept = False
        if path != "none" and os.path.lexists(path):
            _demand_writable(os.path.dirname(path) or ".", path)
            is_kept = outcome == verbs.NOTHING and _names_other(path, self.steps.table)
        self._is_stopped = True
        self.state, self.left = verbs.DEAD if is_kept else verbs.STOPPED, []
        return outcome

    def _start(self) -> str:
        """Predict a start: its declaration, accounts, directories and pidfile must do for one."""
        steps, service = self.steps, self.steps.service
        for path in service.environment_files:
            check(path)
            if not os.access(path, os.R_OK, effective_ids=EFFECTIVE):
                raise DeclarationError(os.strerror(errno.EACCES), file=path)
        if service.environment_files:  # a shell would read them
            from copy import copy

            service = copy(service)
            service.environment_files = []
        work = Start(
            service.match(),
            service.command(),
            background=service.background,
            make_pidfile=service.background and service.pidfile != "none",
            warn=lambda *omission: None,
            say=lambda *event: None,
            table=steps.table,
        )
        if not self._is_stopped and (found := work.running()):
            steps.processes = found
            return verbs.RUNNING
        made = [each["path"].rstrip("/") for each in service.directories]
        if work.pidfile is not None:
            _demand_place(os.fsdecode(work.pidfile), made)
        if steps.table.launcher is None:
            _demand_rights(work, made)
        self.state, self.left = verbs.RUNNING, []
        return verbs.DONE


def _permits(table: "ProcessTable", process: "Process") -> bool:
    """Tell whether the caller may signal a process: signal 0 reaches nobody (kill(2))."""
    try:
        with table.open(process) as handle:
            handle.signal(0)
    except PermissionError:
        return False
    except ProcessLookupError:  # it has just ended
        return True
    return True


def _names_other(path: str, table: "ProcessTable") -> bool:
    """Tell whether a pidfile names a living process, which is not the service's."""
    try:
        entry = pidfile.load(os.fsencode(path), sole_criterion=False)
    except (PidfileError, OSError):
        return True
    found = None if entry is None or entry.pid is None else table.process(entry.pid)
    return entry is not None and found is not None and entry.means(found, table)


def _demand_place(path: str, made: "list[str]") -> None:
    """Raise PidfileUnwritable if a pidfile cannot be made. ``made``: directories that will be."""
    place = os.path.dirname(path)
    while not os.path.lexists(place) and any(f"{m}/".startswith(f"{place}/") for m in made):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        raise PidfileUnwritable(path, os.strerror(errno.ENOENT), errno.ENOENT)
    _demand_writable(place, path)


def _demand_rights(work: Start, made: "list[str]") -> None:
    """Raise StartFailed for another user without root's rights, or a directory that is missing."""
    account, command = work.account, work.command
    ours = (None, os.geteuid()), (None, os.getegid())
    if os.geteuid() != 0 and (account.uid not in ours[0] or account.gid not in ours[1]):
        stage, whom = (
            ("user", account.uid) if account.uid not in ours[0] else ("group", account.gid)
        )
        raise StartFailed(stage, str(whom), errno.EPERM, os.strerror(errno.EPERM))
    place = os.fsdecode(command.directory)
    if command.root is None and not os.path.exists(place) and place.rstrip("/") not in made:
        raise StartFailed("chdir", place, errno.ENOENT, os.strerror(errno.ENOENT))


def _demand_writable(directory: str, path: str) -> None:
    """Raise PidfileUnwritable if the caller may not make and remove files in a directory."""
    if os.access(directory, os.W_OK | os.X_OK, effective_ids=EFFECTIVE):
        return
    is_fixed = os.statvfs(directory).f_flag & os.ST_RDONLY
    number = errno.EROFS if is_fixed else errno.EACCES
    raise PidfileUnwritable(path, os.strerror(number), number)
