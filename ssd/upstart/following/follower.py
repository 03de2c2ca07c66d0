"""Follow a main process that forks, or that stops itself, as ``expect`` of a job declares.

Nothing is traced (ptrace(2), as Upstart does it): what counts is who has become an orphan when a
process has ended. The first fork of a program is its oldest descendant, the second one is the
oldest of that.
"""

import errno
import os

from ssd.matching import Process
from ssd.processes import reaping
from ssd.signals import raw as signals
from ssd.supervision.effects import held
from ssd.supervision.readiness.following import hold
from ssd.upstart.following.lineage import Lineage
from ssd.upstart.following.marks import MARKS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.supervision.supervisor import Timer
    from ssd.upstart.contract import Child
    from ssd.upstart.following.lineage import Relative
    from ssd.upstart.following.marks import Mark
    from ssd.upstart.job import Job

LIMIT = 60.0  # seconds after which it is told that what is expected has not come
SOON, SLOW = 0.01, 1.0  # seconds between two looks at a process, at first and in the end
FORK, DAEMON, STOP = "fork", "daemon", "stop"
EXPECTED = {FORK: "forked", DAEMON: "forked twice", STOP: "stopped itself"}
FOUND, LOST, MIDDLE, NONE = "found", "lost", "middle", "none"


class Follower:
    """Follows the main process of a job from its start.

    child: that process, which the caller watches. found(child): the process that stays is known, or
    the first one has stopped itself: the job runs. moved(child): one that is to fork once more is
    the main process until then; the caller watches it. lost(status): the process that would stay
    has ended already. limit: seconds after which it is told that nothing came; the job waits on.
    process: the one that was followed last.
    """

    __slots__ = (
        "process", "_job", "_child", "_expect", "_found", "_lost", "_moved", "_limit", "_first",
        "_timer", "_looks", "_pause", "_mark", "_lineage", "_middle",
    )  # fmt: skip

    def __init__(
        self,
        job: "Job",
        child: "Child",
        expect: str,
        found: "Callable[[Child], object]",
        lost: "Callable[[int | None], object]",
        moved: "Callable[[Child], object]" = lambda child: None,
        limit: float = LIMIT,
    ) -> None:
        self._first = self.process = Process(child.pid, child.start_time)
        self._job = job
        self._child = child
        self._expect = expect
        self._found = found
        self._lost = lost
        self._moved = moved
        self._limit = limit
        self._timer: Timer | None = None
        self._looks: Timer | None = None
        self._pause = SOON
        self._mark: Mark | None = None
        self._lineage: Lineage | None = None
        self._middle: Relative | None = None

    @property
    def expects(self) -> str:
        """What is still expected: of two forks, one may have been made."""
        return self._expect if self._middle is None else FORK

    def begin(self) -> None:
        """Begin to watch."""
        jobs, file = self._job.jobs, self._job.file
        self._timer = jobs.after(self._limit, self._late)
        if self._expect == STOP:
            held.CHANGES.append(self._look_for_stop)
            self._looks = jobs.after(0.0, self._look_for_stop)  # it may have stopped already
            return
        if jobs.table.launcher is None:
            self._mark = MARKS.take(self._first.pid, file.limits)
        names = f"UPSTART_JOB={file.name}", f"UPSTART_INSTANCE={self._job.instance}"
        variables = os.fsencode(names[0]), os.fsencode(names[1])
        reaps = jobs.effects.reaps and not isinstance(self._child, held.Held)
        self._lineage = Lineage(jobs.table, self._first, variables, self._mark, reaps)
        held.WITNESSES.append(self._lineage.witness)

    def main_ended(self, status: int | None) -> bool:
        """Take the end of the main process; tell whether that was a fork that was expected.

        Then ``found``, ``moved`` or ``lost`` was called. Else it is the end of the job's process.
        """
        lineage, ended = self._lineage, self._middle
        if lineage is None:
            return False
        self._cancel_looks()
        self._middle = None
        if ended is not None:
            lineage.bury(ended, status)
        while True:
            word, relative = judge(self._expect, self._first, lineage)
            if relative is None or (word == LOST and relative is ended):
                return False
            if self._follow(word, relative):
                return True

    def end(self) -> None:
        """Follow no more."""
        if self._timer is not None:
            self._job.jobs.cancel(self._timer)
            self._timer = None
        self._cancel_looks()
        if self._look_for_stop in held.CHANGES:
            held.CHANGES.remove(self._look_for_stop)
        lineage, self._lineage = self._lineage, None
        if lineage is not None:
            held.WITNESSES.remove(lineage.witness)

    def _follow(self, word: str, relative: "Relative") -> bool:
        """Go on with a descendant; tell whether that could be: it may have ended right now."""
        if word == LOST:
            self.process = relative.process
            status = _reap(relative)
            self.end()
            self._lost(status)
            return True
        try:
            child = hold(self._job.jobs.table, relative.process)
        except ProcessLookupError:
            return False
        before = self.process.pid
        self.process, self._child = relative.process, child
        self._tell("info", f"({before}) became new process ({child.pid})")
        if word == FOUND:
            self._take(child)
            return True
        self._middle = relative
        self._look_later(self._look_at_middle)
        self._moved(child)
        return True

    def _take(self, child: "Child") -> None:
        """Have the job run with the process that stays."""
        if self._mark is not None:
            self._mark.remove(child.pid)
        self.end()
        self._found(child)

    def _look_at_middle(self) -> None:
        """Look whether the middle process has forked, or executed a program.

        The kernel tells nobody of either; its end comes by ``main_ended``.
        """
        lineage, middle = self._lineage, self._middle
        self._looks = None
        if lineage is None or middle is None:
            return
        word, relative = judge(self._expect, self._first, lineage, middle.pid)
        if word == FOUND and relative is not None:
            if relative.process == middle.process:
                self._take(self._child)
                return
            if self._follow(word, relative):
                return
        if self._timer is not None:  # later on only its end brings more
            self._look_later(self._look_at_middle)

    def _look_for_stop(self) -> None:
        """Look whether the main process has stopped itself: after SIGCHLD, or again and again."""
        self._cancel_looks()
        if has_stopped(self._child):
            self._child.signal(signals.SIGCONT)
            self._take(self._child)
        elif os.getpid() not in held.HEARERS:
            self._look_later(self._look_for_stop)

    def _look_later(self, look: "Callable[[], object]") -> None:
        self._looks = self._job.jobs.after(self._pause, look)
        self._pause = min(self._pause * 1.5, SLOW)

    def _cancel_looks(self) -> None:
        looks, self._looks = self._looks, None
        if looks is not None:
            self._job.jobs.cancel(looks)

    def _late(self) -> None:
        """Tell that it takes long; that may be meant, so nothing else is done."""
        self._timer = None
        what = f"has not {EXPECTED[self._expect]} within {self._limit:g} s"
        self._tell("warn", f"({self.process.pid}) {what}, as expect {self._expect} says")

    def _tell(self, level: str, text: str) -> None:
        self._job.jobs.tell(level, f"{self._job.label} main process {text}")


def judge(
    expect: str, first: Process, lineage: Lineage, beside: int = 0
) -> "tuple[str, Relative | None]":
    """Tell what has become of a program whose first process has ended.

    FOUND, the process that stays. LOST, it has ended already. MIDDLE, it is to fork once more.
    NONE, there is no descendant. ``beside``: the pid of a descendant that the caller watches.
    """
    family = lineage.look(beside)
    if expect == DAEMON and (not family or family[0].ended):
        # Its children were no orphans before it had ended; without a mark it may not be known.
        family = lineage.look(beside)
    if not family:
        return NONE, None
    oldest = family[0]
    # In a session that a vanished process has made, it is the second one: daemon(3).
    if expect == FORK or oldest.session not in (first.pid, oldest.pid):
        return LOST if oldest.ended else FOUND, oldest
    if oldest.ended:
        second = _second(family[1:], oldest, first) or oldest
        return LOST if second.ended else FOUND, second
    if oldest.executed:  # it is complete then: Upstart counts no more forks either
        return FOUND, oldest
    children = lineage.children(oldest.pid)
    return (FOUND, children[0]) if children else (MIDDLE, oldest)


def _second(family: "list[Relative]", oldest: "Relative", first: Process) -> "Relative | None":
    """Return the oldest child of the oldest descendant, which has ended; None without one.

    The first process may have had other children, which are in its session mostly.
    """
    for sessions in ((oldest.pid,), None):
        for each in family:
            if each.session in sessions if sessions else each.session != first.pid:
                return each
    return family[0] if family else None


def has_stopped(child: "Child") -> bool:
    """Tell whether a process was stopped by SIGSTOP, and has not been continued since."""
    if isinstance(child, held.OwnChild) and child.fileno() >= 0 and hasattr(os, "P_PIDFD"):
        try:
            found = os.waitid(os.P_PIDFD, child.fileno(), os.WSTOPPED | os.WNOHANG)
            return found is not None and found.si_status == signals.SIGSTOP
        except ChildProcessError:
            return False  # it has ended, and somebody has reaped it
        except OSError as error:
            if error.errno != errno.EINVAL:  # before Linux 5.4
                raise
    return child.is_stopped()


def _reap(relative: "Relative") -> int | None:
    """Return how a descendant has ended; None if nobody knows."""
    if relative.status is not None:
        return relative.status
    try:
        return reaping.reap(relative.pid, -1)
    except ChildProcessError:
        return None  # it was not our child
