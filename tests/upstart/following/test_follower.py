"""Which process is the main one of a job that forks: as values, and on declared processes."""

import signal
from collections.abc import Sequence

import pytest

from ssd.matching import Process
from ssd.supervision.effects import held
from ssd.testing import FakeProcess
from ssd.upstart.following.follower import (
    DAEMON,
    FORK,
    FOUND,
    LIMIT,
    LOST,
    MIDDLE,
    NONE,
    SOON,
    judge,
)
from ssd.upstart.following.lineage import Relative
from upstart.machine import Runs, World

FIRST = Process(10, 1)


class Family:
    """Descendants as a judge sees them. later: those that a second look shows."""

    def __init__(
        self,
        seen: Sequence[Relative],
        children: Sequence[Relative] = (),
        later: Sequence[Relative] = (),
    ) -> None:
        self._looks = [list(seen), list(later or seen)]
        self._children = list(children)

    def look(self, beside: int = 0) -> list[Relative]:
        """Return the orphans."""
        return self._looks.pop(0)

    def children(self, pid: int) -> list[Relative]:
        """Return the children of the oldest."""
        assert pid == 11
        return self._children


def alive(pid: int, session: int = FIRST.pid, executed: bool = False) -> Relative:
    """Return a descendant that lives."""
    return Relative(Process(pid, 2), session, executed=executed)


def ended(pid: int, session: int = FIRST.pid) -> Relative:
    """Return a zombie."""
    return Relative(Process(pid, 2), session, ended=True)


JUDGED = [
    # expect, who is there, children of the first fork, verdict, whose
    (FORK, [], [], NONE, None),
    (FORK, [alive(11), alive(12)], [], FOUND, 11),
    (FORK, [ended(11, 11), alive(12, 11)], [], LOST, 11),
    (DAEMON, [], [], NONE, None),
    (DAEMON, [alive(11)], [], MIDDLE, 11),
    (DAEMON, [alive(11, 11)], [], MIDDLE, 11),
    (DAEMON, [alive(11, executed=True)], [], FOUND, 11),
    (DAEMON, [alive(11, 11)], [alive(12, 11), alive(13, 11)], FOUND, 12),
    (DAEMON, [ended(11, 11), alive(12, 11)], [], FOUND, 12),
    (DAEMON, [ended(11, 11), alive(12, 12)], [], FOUND, 12),
    (DAEMON, [ended(11), alive(12)], [], FOUND, 12),
    (DAEMON, [ended(11, 11)], [], LOST, 11),
    (DAEMON, [ended(11, 11), ended(12, 11), alive(13, 11)], [], LOST, 12),
    (DAEMON, [ended(11, 11), alive(12), alive(13, 11)], [], FOUND, 13),
    (DAEMON, [ended(11, 11), alive(12), alive(13, 13)], [], FOUND, 13),
    # The one between was reaped by its parent: the session is the trace of it.
    (DAEMON, [alive(12, 11)], [], FOUND, 12),
    (DAEMON, [ended(12, 11), alive(13, 11)], [], LOST, 12),
]


@pytest.mark.parametrize(("expect", "seen", "children", "verdict", "whose"), JUDGED)
def test_judgement(
    expect: str,
    seen: list[Relative],
    children: list[Relative],
    verdict: str,
    whose: int | None,
) -> None:
    """The first fork is the oldest descendant, the second the oldest of that."""
    word, relative = judge(expect, FIRST, Family(seen, children))  # type: ignore[arg-type]
    assert (verdict, whose) == (word, relative and relative.pid)


def test_judge_looks_again_after_the_first_fork_has_ended() -> None:
    """What that has left may have been no orphan when the list was read."""
    family = Family([ended(11, 11)], later=[ended(11, 11), alive(12, 11)])
    word, relative = judge(DAEMON, FIRST, family)  # type: ignore[arg-type]
    assert (FOUND, 12) == (word, relative and relative.pid)


def test_judge_looks_again_after_an_unknown_end() -> None:
    """The first fork may end within the first look; as a zombie without a mark it is nobody's."""
    family = Family([], later=[alive(12, 11)])
    word, relative = judge(DAEMON, FIRST, family)  # type: ignore[arg-type]
    assert (FOUND, 12) == (word, relative and relative.pid)


def world(expect: str, runs: Runs, more: str = "") -> World:
    """Return a machine with a job; orphans become the supervisor's."""
    made = World(foo=f"expect {expect}\nexec main\n{more}")
    made.table.caller.subreaper = True
    made.jobs.effects.reaps = True
    made.stages.does["foo", "main"] = runs
    return made


def forks(times: int, after: float = 0.0, seconds: float = 0.0) -> Runs:
    """Return a program that forks so many times, each parent ends some seconds after its fork."""

    def run(process: FakeProcess) -> None:
        def fork(parent: FakeProcess, left: int) -> None:
            if left:
                child = parent.fork()
                parent.die(seconds, 0)
                child.after(after, lambda child: fork(child, left - 1))

        process.after(after, lambda process: fork(process, times))

    return run


def test_fork_is_followed_when_the_parent_has_ended() -> None:
    """Until then the job is spawned, with its first process."""
    given = world(FORK, forks(1, 1.0, 3.0))
    assert "" == given.wish("start", "foo")
    before = given.jobs.units["foo"].main
    given.after(2)
    assert "start/spawned" == given.status("foo")
    given.after(3)
    assert ("start/running", "done") == (given.status("foo"), given.answers["start foo"])
    after = given.jobs.units["foo"].main
    assert before is not None and after is not None
    assert after.pid > before.pid


def test_second_fork_is_waited_for_with_the_first_one() -> None:
    """The one between is shown; its end brings the other one."""
    given = world(DAEMON, forks(2, 1.0))
    given.wish("start", "foo")
    pids = []
    for _ in range(3):
        main = given.jobs.units["foo"].main
        assert main is not None
        pids.append((given.status("foo"), main.pid))
        given.after(1.01)
    assert ["start/spawned", "start/spawned", "start/running"] == [state for state, _ in pids]
    assert 3 == len({pid for _, pid in pids})


def test_first_process_that_ends_alone_ends_the_job() -> None:
    """Without a fork, and by a failure."""
    for expect in (FORK, DAEMON):
        given = world(expect, lambda process: process.die(0, 3))
        assert "Job failed to start" == given.wish("start", "foo")
        assert "stop/waiting" == given.status("foo")
        assert any("terminated with status 3" in text for text in given.told)
        assert [] == held.WITNESSES


def test_middle_process_that_ends_alone_ends_the_job() -> None:
    """It was to fork once more."""

    def run(process: FakeProcess) -> None:
        child = process.fork()
        process.die(0, 0)
        child.die(1, 4)

    given = world(DAEMON, run)
    given.wish("start", "foo")
    assert "start/spawned" == given.status("foo")
    given.after(2)
    assert "stop/waiting" == given.status("foo")
    assert "Job failed to start" == given.answers["start foo"]
    assert [] == held.WITNESSES


@pytest.mark.parametrize(
    ("expect", "what"),
    [(FORK, "forked"), (DAEMON, "forked twice"), ("stop", "stopped itself")],
)
def test_expectation_that_never_comes_is_told(expect: str, what: str) -> None:
    """Once, as a warning, after a limit; the job stays spawned, and a stop ends it."""
    given = world(expect, lambda process: None)
    given.wish("start", "foo")
    main = given.jobs.units["foo"].main
    assert main is not None
    given.after(LIMIT - 1)
    assert [] == given.told
    given.after(LIMIT)
    told = f"foo main process ({main.pid}) has not {what} within 60 s, as expect {expect} says"
    assert [told] == given.told
    assert "start/spawned" == given.status("foo")
    assert "done" == given.wish("stop", "foo")
    assert "stop/waiting" == given.status("foo")
    assert given.jobs.until is None


def test_stop_of_itself_is_answered_with_cont() -> None:
    """Then the job runs; a process that stops again later is left alone."""
    stops = lambda process: process.after(1.0, lambda each: each.receive(signal.SIGSTOP))  # noqa: E731
    given = world("stop", stops)
    given.wish("start", "foo")
    assert "start/spawned" == given.status("foo")
    given.after(3)
    assert "start/running" == given.status("foo")
    main = given.jobs.units["foo"].main
    assert main is not None and not main.is_stopped()
    main.signal(signal.SIGSTOP)
    given.after(3)
    assert main.is_stopped()
    assert [] == held.CHANGES


def test_looks_become_rare() -> None:
    """A middle process tells nobody what it does: it is looked at, seldom in the end."""
    given = world(DAEMON, forks(1))
    given.wish("start", "foo")
    times = []
    for _ in range(20):
        until = given.jobs.until
        assert until is not None
        times.append(until - given.table.now())
        given.after(until - given.table.now())
    assert times[0] <= SOON * 1.5
    assert 0.9 < times[-1] <= 1.0
    given.after(LIMIT)
    assert given.jobs.until is None


def test_two_jobs_that_fork_at_once_keep_their_own() -> None:
    """Each follows its own session."""
    given = world(FORK, forks(1, 1.0))
    given.define("bar", "expect fork\nexec main")
    given.stages.does["bar", "main"] = forks(1, 1.0)
    for name in ("foo", "bar"):
        given.wish("start", name)
    before = {name: given.jobs.units[name].main for name in ("foo", "bar")}
    given.after(2)
    for name in ("foo", "bar"):
        main, first = given.jobs.units[name].main, before[name]
        assert main is not None and first is not None
        assert "start/running" == given.status(name)
        kin = given.table.kin.of(main.pid)
        assert kin is not None and kin.session == first.pid
