"""``ssd.stop`` and its companions, on declared processes and in a time that jumps."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from kit.stops import (
    FIRST,
    KILL,
    TERM,
    USER,
    USUAL,
    calm,
    immortal,
    reused,
    slow,
    strangers,
    stubborn,
)

import ssd
from ssd.errors import NotPermitted, NotStopped, UnknownUser
from ssd.identity import Process
from ssd.matching import Match
from ssd.processes.contract import Handle
from ssd.schedule import Schedule
from ssd.stopping import Stop, run
from ssd.testing import FakeProcesses, dies, ignores


def test_pid_that_is_reused_while_it_is_killed_is_spared(fake_processes: FakeProcesses) -> None:
    """Row 12: the KILL at the end of the wait is for the process that was found."""
    reused(fake_processes)
    assert [FIRST] == [
        p.pid for p in ssd.stop(Match(pid=FIRST), "TERM/5/KILL/30", table=fake_processes)
    ]
    assert [(0, FIRST, TERM), (5, FIRST, KILL)] == [each[:3] for each in fake_processes.signals]


def test_new_owner_of_a_pid_is_found_by_its_name(fake_processes: FakeProcesses) -> None:
    """By name it is a process like any other, another one than the first."""
    reused(fake_processes)
    stopped = ssd.stop(Match(name="d"), USUAL, table=fake_processes)
    assert [FIRST, FIRST] == [process.pid for process in stopped]
    assert 2 == len(set(stopped))


def test_pidfile_means_the_process_that_it_named_first(
    tmp_path: Path, fake_processes: FakeProcesses
) -> None:
    """A pidfile that is rewritten during a wait means a daemon that was started meanwhile."""
    path = tmp_path / "pid"
    slow(10)(fake_processes)
    path.write_text(f"{FIRST}\n")

    def restarted() -> None:
        path.write_text(f"{fake_processes.add('d').pid}\n")

    fake_processes.clock.at(5, restarted)
    assert [FIRST] == [p.pid for p in ssd.stop(Match(pidfile=path), USUAL, table=fake_processes)]
    assert [(0, FIRST, TERM)] == [each[:3] for each in fake_processes.signals]


def test_one_that_ends_before_it_is_held_keeps_nobody_from_the_signal() -> None:
    """Between the look and open it may be gone; the others are stopped."""

    class Vanishing(FakeProcesses):
        def open(self, process: Process) -> Handle:
            if process.pid == FIRST:
                self[FIRST].die()
            return super().open(process)

    table = Vanishing()
    calm(table)
    calm(table)
    assert [102] == [process.pid for process in ssd.stop(Match(name="d"), table=table)]


def test_stop_that_is_interrupted_lets_go() -> None:
    """Whatever ends the wait before its time, no process stays held."""
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
    """A step counts by what it says: a schedule can be read from a file."""
    stubborn(fake_processes)
    steps = json.loads('[["send", 15], ["wait", 2], ["send", 9], ["wait", 3]]')
    ssd.stop(Match(name="d"), Schedule(steps), table=fake_processes)
    assert [(0, FIRST, TERM), (2, FIRST, KILL)] == [each[:3] for each in fake_processes.signals]


def test_two_hundred_stops_side_by_side_take_the_time_of_the_slowest(
    fake_processes: FakeProcesses,
) -> None:
    """Each by its own schedule; nobody waits for another."""
    for number in range(200):
        fake_processes.add(f"d{number}", reactions={TERM: dies(after=number / 10)})
    results = ssd.stop_all(
        [Match(name=f"d{n}") for n in range(200)], "TERM/60", table=fake_processes
    )
    assert ([[101 + n] for n in range(200)], 19.9) == (
        [[process.pid for process in each] for each in results],
        fake_processes.now(),
    )


def test_many_stops_each_follow_their_own_time(fake_processes: FakeProcesses) -> None:
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


def test_what_outlives_the_schedule_is_raised(fake_processes: FakeProcesses) -> None:
    """NotStopped carries the processes of all matches."""
    immortal(fake_processes)
    stubborn(fake_processes)
    with pytest.raises(NotStopped) as caught:
        ssd.stop_all([Match(pid=101), Match(pid=102)], "TERM/1", table=fake_processes)
    assert [101, 102] == [process.pid for process in caught.value.processes]


def test_what_may_not_be_signalled_at_all_is_raised(fake_processes: FakeProcesses) -> None:
    """NotPermitted carries it; beside one that was stopped it is no failure."""
    strangers(fake_processes)
    with pytest.raises(NotPermitted) as caught:
        ssd.stop(Match(name="d"), USUAL, table=fake_processes)
    assert [101] == [process.pid for process in caught.value.processes]
    fake_processes.add("d", uid=USER)
    assert [102] == [
        process.pid for process in ssd.stop(Match(name="d"), USUAL, table=fake_processes)
    ]


def test_all_are_tried_before_one_raises(tmp_path: Path, fake_processes: FakeProcesses) -> None:
    """An unknown user, a pidfile that is not believed: the others are stopped none the less."""
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
