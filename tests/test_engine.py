"""The engine of a stop, driven by hand: what is due when, and for whom to wait."""

import errno

import pytest
from kit.stops import (
    FIRST,
    KILL,
    SCENARIOS,
    TERM,
    USUAL,
    immortal,
    mixed,
    slow,
    stubborn,
)

from ssd.matching import Match
from ssd.schedule import Schedule
from ssd.stopping import REFUSED, STOPPED, Stop, plan, run
from ssd.testing import FakeProcesses, dies
from ssd.testing.handles import FakeHandle


@pytest.mark.parametrize("rule", SCENARIOS)
def test_stop_follows_its_schedule(rule: str, fake_processes: FakeProcesses) -> None:
    """Each scenario is a row: what was sent when, and how and when it ended."""
    setup, match, text, signals, end, outcome = SCENARIOS[rule]
    setup(fake_processes)
    work = Stop(Match(**match), Schedule.parse(text), table=fake_processes)
    run(work)
    expected = (signals, end, outcome, None)
    assert expected == (
        [each[:3] for each in fake_processes.signals],
        fake_processes.now(),
        work.outcome,
        work.failure,
    )
    assert (outcome == REFUSED) == bool(work.remaining)
    assert [] == work.handles


def test_tail_that_never_pauses_takes_a_breath(fake_processes: FakeProcesses) -> None:
    """``forever/TERM`` sends fifty signals a second and not as many as it can."""
    slow(0.51)(fake_processes)
    run(Stop(Match(name="d"), Schedule.parse("forever/TERM"), table=fake_processes))
    assert (0.51, 26) == (fake_processes.now(), len(fake_processes.signals))


def test_stop_without_a_wait_is_over_when_it_has_sent(fake_processes: FakeProcesses) -> None:
    """Nobody looks whether the process ends."""
    immortal(fake_processes)
    work = Stop(Match(name="d"), Schedule.once(TERM), table=fake_processes)
    assert (True, STOPPED, []) == (work.advance(), work.outcome, work.remaining)


def test_round_tells_who_was_found_who_took_it_and_who_refused(
    fake_processes: FakeProcesses,
) -> None:
    """What may not be signalled is there with the system's reason."""
    mixed(fake_processes)
    with Stop(Match(name="d"), Schedule.once(TERM), table=fake_processes) as work:
        work.advance()
    (done,) = work.rounds
    assert ([101, 102], [102]) == ([p.pid for p in done.found], [p.pid for p in done.signalled])
    assert [(101, 1)] == [(p.pid, error.errno) for p, error in done.refused]


def test_stop_says_until_when_and_for_whom_to_wait(fake_processes: FakeProcesses) -> None:
    """Another loop than ours can drive it by that."""
    slow(3)(fake_processes)
    fake_processes.clock.advance(100)
    with Stop(Match(name="d"), Schedule.parse(USUAL), table=fake_processes) as work:
        assert (False, 130, [FIRST]) == (
            work.advance(), work.until, [handle.process.pid for handle in work.handles],
        )  # fmt: skip
        fake_processes.clock.advance(1)
        assert (False, 130) == (work.advance(), work.until)  # too early: the same again
        fake_processes.clock.advance(2)
        assert (True, [], STOPPED) == (work.advance(), work.handles, work.outcome)
        assert work.advance()  # once over, it stays so


def test_loop_that_comes_late_does_not_prolong_the_wait(fake_processes: FakeProcesses) -> None:
    """The next signal is due from ``until`` on, not only at that very moment."""
    stubborn(fake_processes)
    with Stop(Match(name="d"), Schedule.parse(USUAL), table=fake_processes) as work:
        assert not work.advance()
        fake_processes.clock.advance(31)
        assert work.advance()
    assert [(0, FIRST, TERM), (31, FIRST, KILL)] == [each[:3] for each in fake_processes.signals]


def test_closed_stop_lets_go_and_does_no_more(fake_processes: FakeProcesses) -> None:
    """It can be broken off at any time, and closed twice."""
    stubborn(fake_processes)
    work = Stop(Match(name="d"), Schedule.parse(USUAL), table=fake_processes)
    assert not work.advance()
    (handle,) = work.handles
    work.close()
    work.close()
    with pytest.raises(ValueError, match="closed"):
        handle.ended()
    fake_processes.clock.advance(100)
    assert (True, [], 1) == (work.advance(), work.handles, len(fake_processes.signals))


# The plan -------------------------------------------------------------------------------

S, W = "send", "wait"
# steps and the answers to them -> the steps that were taken, and whether somebody is left
PLANS = {
    ("TERM/5", (True, False)): ([(S, 15), (W, 5)], False),
    ("TERM/5", (True, True)): ([(S, 15), (W, 5)], True),
    ("TERM/5/KILL/5", (False,)): ([(S, 15)], False),
    ("TERM/5/KILL/5", (True, True, True, False)): ([(S, 15), (W, 5), (S, 9), (W, 5)], False),
    ("TERM/KILL", (True, True)): ([(S, 15), (S, 9)], True),
    ("forever/TERM/1", (True, True, True, False)): ([(S, 15), (W, 1), (S, 15), (W, 1)], False),
}


@pytest.mark.parametrize("case", PLANS)
def test_plan_goes_on_as_long_as_somebody_is_left(case: tuple) -> None:
    """It knows no process: steps go out, answers come in."""
    text, answers = case
    decided = plan(Schedule.parse(text))
    taken, left = [next(decided)], None
    try:
        for answer in answers:
            taken.append(decided.send(answer))
    except StopIteration as end:
        left = end.value
    assert PLANS[case] == (taken, left)


def test_who_is_known_by_his_pid_alone_has_no_successor() -> None:
    """Where nothing but the pid is seen, the end of its owner is the end of the stop."""
    table = FakeProcesses(caller_uid=1000, hidepid=True)
    table.add("d", uid=1000, pid=500, reactions={TERM: dies(after=1)}).dumpable = False
    with Stop(Match(pid=500), Schedule.parse(USUAL), table=table) as work:
        assert not work.advance()
        table.clock.advance(1)
        stranger = table.add("stranger", uid=1000, pid=500)
        stranger.dumpable = False
        assert (True, STOPPED, [], "running") == (
            work.advance(), work.outcome, stranger.signals, stranger.state,
        )  # fmt: skip


@pytest.mark.parametrize("method", ["signal", "ended"])
def test_trouble_of_our_own_is_no_refusal(
    method: str, fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without memory for poll(2) nobody knows who runs; "none found" would be a lie."""

    def fail(*arguments: object) -> bool:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    fake_processes.add("daemon")
    monkeypatch.setattr(FakeHandle, method, fail)
    for schedule in (Schedule.once(TERM), Schedule.parse("TERM/5")):
        with pytest.raises(OSError, match="Cannot allocate memory"):
            Stop(Match(name="daemon"), schedule, table=fake_processes).advance()
