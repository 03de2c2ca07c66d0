"""``Stop``, driven by hand, and ``ssd.stop`` and its companions, on declared processes."""

import errno
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from kit.stops import (
    FIRST,
    KILL,
    SCENARIOS,
    TERM,
    USER,
    USUAL,
    calm,
    immortal,
    mixed,
    reused,
    slow,
    strangers,
    stubborn,
)

import ssd
from ssd.errors import NotPermitted, NotStopped, UnknownUser
from ssd.matching import Match, Process
from ssd.processes.contract import Handle
from ssd.schedule import Schedule
from ssd.stopping import STOPPED, SURVIVED, Stop, plan, run
from ssd.testing import FakeProcesses, dies, ignores
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
    assert (outcome == SURVIVED) == bool(work.remaining)
    assert [] == work.handles


def test_tail_without_a_wait_pauses(fake_processes: FakeProcesses) -> None:
    """``forever/TERM`` sends only fifty signals a second."""
    slow(0.51)(fake_processes)
    run(Stop(Match(name="d"), Schedule.parse("forever/TERM"), table=fake_processes))
    assert (0.51, 26) == (fake_processes.now(), len(fake_processes.signals))


def test_stop_without_a_wait_is_over_when_it_has_sent(fake_processes: FakeProcesses) -> None:
    """It does not look whether the process ends."""
    immortal(fake_processes)
    work = Stop(Match(name="d"), Schedule.once(TERM), table=fake_processes)
    assert (True, STOPPED, []) == (work.advance(), work.outcome, work.remaining)


def test_round_lists_found_signalled_and_denied(
    fake_processes: FakeProcesses,
) -> None:
    """A denied process is listed with the system's reason."""
    mixed(fake_processes)
    with Stop(Match(name="d"), Schedule.once(TERM), table=fake_processes) as work:
        work.advance()
    (done,) = work.rounds
    assert ([101, 102], [102]) == ([p.pid for p in done.found], [p.pid for p in done.signalled])
    assert [(101, 1)] == [(p.pid, error.errno) for p, error in done.denied]


def test_denied_process_is_tried_again(fake_processes: FakeProcesses) -> None:
    """It may have changed to the caller's user before the next signal."""
    mixed(fake_processes)
    fake_processes[102].reactions[TERM] = ignores()
    fake_processes.clock.at(5, lambda: setattr(fake_processes[101], "uid", USER))
    with Stop(Match(name="d"), Schedule.parse(USUAL), table=fake_processes) as work:
        run(work)
    expected = [(0, 102, TERM), (30, 101, KILL), (30, 102, KILL)]
    assert expected == [each[:3] for each in fake_processes.signals]


def test_earlier_words_still_work(fake_processes: FakeProcesses) -> None:
    """The outcome compares equal to "refused", and ``Round.refused`` is ``denied``."""
    immortal(fake_processes)
    work = Stop(Match(name="d"), Schedule.parse("TERM/1"), table=fake_processes)
    run(work)
    assert ("survived", "refused") == (work.outcome, work.outcome)
    assert {"survived": True}[work.outcome] and work.outcome in ("refused", "stopped")
    assert not work.outcome != "refused" and not "refused" != work.outcome
    assert STOPPED != work.outcome and None is not work.outcome
    assert [each.denied for each in work.rounds] == [each.refused for each in work.rounds]


def test_stop_says_what_to_wait_for_and_until_when(fake_processes: FakeProcesses) -> None:
    """Any loop can drive it by that."""
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
    """It can be abandoned at any time, and closed twice."""
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
# steps and the answers to them -> the steps that were taken, and whether a process is left
PLANS = {
    ("TERM/5", (True, False)): ([(S, 15), (W, 5)], False),
    ("TERM/5", (True, True)): ([(S, 15), (W, 5)], True),
    ("TERM/5/KILL/5", (False,)): ([(S, 15)], False),
    ("TERM/5/KILL/5", (True, True, True, False)): ([(S, 15), (W, 5), (S, 9), (W, 5)], False),
    ("TERM/KILL", (True, True)): ([(S, 15), (S, 9)], True),
    ("forever/TERM/1", (True, True, True, False)): ([(S, 15), (W, 1), (S, 15), (W, 1)], False),
}


@pytest.mark.parametrize("case", PLANS)
def test_plan_goes_on_while_a_process_is_left(case: tuple) -> None:
    """It knows no process: it yields steps and gets answers."""
    text, answers = case
    decided = plan(Schedule.parse(text))
    taken, left = [next(decided)], None
    try:
        for answer in answers:
            taken.append(decided.send(answer))
    except StopIteration as end:
        left = end.value
    assert PLANS[case] == (taken, left)


def test_process_known_by_pid_alone_has_no_successor() -> None:
    """If only the pid can be seen, the stop ends with the pid's first owner."""
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
def test_shortage_of_memory_does_not_count_as_denied(
    method: str, fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without memory for poll(2) it is unknown what runs; "none found" would be wrong."""

    def fail(*arguments: object) -> bool:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    fake_processes.add("daemon")
    monkeypatch.setattr(FakeHandle, method, fail)
    for schedule in (Schedule.once(TERM), Schedule.parse("TERM/5")):
        with pytest.raises(OSError, match="Cannot allocate memory"):
            Stop(Match(name="daemon"), schedule, table=fake_processes).advance()


def test_pid_that_is_reused_while_it_is_killed_is_spared(fake_processes: FakeProcesses) -> None:
    """Row 12: the KILL at the end of the wait goes to the process that was found."""
    reused(fake_processes)
    assert [FIRST] == [
        p.pid for p in ssd.stop(Match(pid=FIRST), "TERM/5/KILL/30", table=fake_processes)
    ]
    assert [(0, FIRST, TERM), (5, FIRST, KILL)] == [each[:3] for each in fake_processes.signals]


def test_new_owner_of_a_pid_is_found_by_its_name(fake_processes: FakeProcesses) -> None:
    """By name it matches like any other process, and differs from the first."""
    reused(fake_processes)
    stopped = ssd.stop(Match(name="d"), USUAL, table=fake_processes)
    assert [FIRST, FIRST] == [process.pid for process in stopped]
    assert 2 == len(set(stopped))


def test_pidfile_means_the_process_that_it_named_first(
    tmp_path: Path, fake_processes: FakeProcesses
) -> None:
    """A pidfile that is rewritten during a wait names a daemon that was started meanwhile."""
    path = tmp_path / "pid"
    slow(10)(fake_processes)
    path.write_text(f"{FIRST}\n")

    def restarted() -> None:
        path.write_text(f"{fake_processes.add('d').pid}\n")

    fake_processes.clock.at(5, restarted)
    assert [FIRST] == [p.pid for p in ssd.stop(Match(pidfile=path), USUAL, table=fake_processes)]
    assert [(0, FIRST, TERM)] == [each[:3] for each in fake_processes.signals]


def test_process_that_ends_before_it_is_held_is_skipped() -> None:
    """It may end between the look and open; the others are stopped."""

    class Vanishing(FakeProcesses):
        def open(self, process: Process) -> Handle:
            if process.pid == FIRST:
                self[FIRST].die()
            return super().open(process)

    table = Vanishing()
    calm(table)
    calm(table)
    assert [102] == [process.pid for process in ssd.stop(Match(name="d"), table=table)]


def test_interrupted_stop_closes_its_handles() -> None:
    """Every handle is closed if the wait is interrupted."""
    opened: list[Handle] = []

    class Interrupted(FakeProcesses):
        def open(self, process: Process) -> Handle:
            opened.append(super().open(process))
            return opened[-1]

        def wait(self, handles: Sequence[Handle], until: float | None) -> None:
            raise KeyboardInterrupt

    table = Interrupted()
    stubborn(table)
    with pytest.raises(KeyboardInterrupt):
        ssd.stop(Match(name="d"), table=table)
    (handle,) = opened
    with pytest.raises(ValueError, match="closed"):
        handle.ended()


def test_steps_of_a_stop_may_come_from_anywhere(fake_processes: FakeProcesses) -> None:
    """Steps are compared by value, so that a schedule can be read from a file."""
    stubborn(fake_processes)
    steps = json.loads('[["send", 15], ["wait", 2], ["send", 9], ["wait", 3]]')
    ssd.stop(Match(name="d"), Schedule(steps), table=fake_processes)
    assert [(0, FIRST, TERM), (2, FIRST, KILL)] == [each[:3] for each in fake_processes.signals]


def test_stops_side_by_side_take_the_time_of_the_slowest(
    fake_processes: FakeProcesses,
) -> None:
    """Each by its own schedule; none waits for another."""
    for number in range(200):
        fake_processes.add(f"d{number}", reactions={TERM: dies(after=number / 10)})
    results = ssd.stop_all(
        [Match(name=f"d{n}") for n in range(200)], "TERM/60", table=fake_processes
    )
    assert ([[101 + n] for n in range(200)], 19.9) == (
        [[process.pid for process in each] for each in results],
        fake_processes.now(),
    )


def test_stops_side_by_side_follow_their_own_schedules(fake_processes: FakeProcesses) -> None:
    """A KILL comes when its own wait is over, not another's."""
    for name in ("one", "two"):
        fake_processes.add(name, reactions={TERM: ignores()})
    run(
        Stop(Match(name="one"), Schedule.parse("TERM/7/KILL/5"), table=fake_processes),
        Stop(Match(name="two"), Schedule.parse("TERM/3/KILL/5"), table=fake_processes),
    )
    assert [(0, 101, TERM), (0, 102, TERM), (3, 102, KILL), (7, 101, KILL)] == [
        each[:3] for each in fake_processes.signals
    ]


def test_empty_result_means_that_there_was_nothing_to_stop(
    fake_processes: FakeProcesses,
) -> None:
    """Stopping what does not run succeeds."""
    assert [] == ssd.stop(Match(name="d"), table=fake_processes)


def test_process_that_outlives_the_schedule_is_raised(fake_processes: FakeProcesses) -> None:
    """NotStopped carries the processes of all matches."""
    immortal(fake_processes)
    stubborn(fake_processes)
    with pytest.raises(NotStopped) as caught:
        ssd.stop_all([Match(pid=101), Match(pid=102)], "TERM/1", table=fake_processes)
    assert [101, 102] == [process.pid for process in caught.value.processes]


def test_process_that_may_not_be_signalled_is_raised(fake_processes: FakeProcesses) -> None:
    """NotPermitted carries it; if another one was stopped, the stop succeeds."""
    strangers(fake_processes)
    with pytest.raises(NotPermitted) as caught:
        ssd.stop(Match(name="d"), USUAL, table=fake_processes)
    assert [101] == [process.pid for process in caught.value.processes]
    fake_processes.add("d", uid=USER)
    assert [102] == [
        process.pid for process in ssd.stop(Match(name="d"), USUAL, table=fake_processes)
    ]


def test_stops_are_all_tried_before_one_raises(
    tmp_path: Path, fake_processes: FakeProcesses
) -> None:
    """With an unknown user and an untrusted pidfile, the others are stopped nevertheless."""
    stubborn(fake_processes)
    (tmp_path / "pid").write_text("102\n")
    (tmp_path / "pid").chmod(0o666)
    unknown, unsafe = Match(user="no such user"), Match(pidfile=tmp_path / "pid")
    with pytest.raises(UnknownUser):
        ssd.stop_all([unknown, Match(pid=101), unsafe], "TERM/5/KILL/5", table=fake_processes)
    assert [(0, 101, TERM), (5, 101, KILL)] == [each[:3] for each in fake_processes.signals]


def test_text_that_is_no_schedule_stops_nobody(fake_processes: FakeProcesses) -> None:
    """ScheduleError comes before the first signal."""
    calm(fake_processes)
    with pytest.raises(ssd.ScheduleError):
        ssd.stop(Match(name="d"), "TERM/forever", table=fake_processes)
    assert [] == fake_processes.signals
