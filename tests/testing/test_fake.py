"""Declared processes: their facts, ends, pids and permissions."""

import errno
import signal
from pathlib import Path

import pytest
from kit.stops import send

import ssd
from ssd.matching import UNKNOWN_START, Criteria, Process
from ssd.testing import (
    FakeClock,
    FakeProcesses,
    NotRegistered,
    dies,
    ignores,
)

KILL, TERM, HUP = signal.SIGKILL, signal.SIGTERM, signal.SIGHUP
CONT, STOP = signal.SIGCONT, signal.SIGSTOP


def test_process_dies_when_it_says(fake_processes: FakeProcesses) -> None:
    """The clock jumps to its end, without a sleep."""
    slow = fake_processes.add("slow", reactions={TERM: dies(after=35)})
    with fake_processes.open(slow.identity) as handle:
        handle.signal(TERM)
        fake_processes.wait([handle], 30)
        assert (30, False) == (fake_processes.now(), handle.ended())
        fake_processes.wait([handle], 60)
        assert (35, True) == (fake_processes.now(), handle.ended())
    assert None is fake_processes.process(slow.pid)


def test_wait_ends_with_the_first_of_many(fake_processes: FakeProcesses) -> None:
    """Of several processes the one that ends first ends the wait."""
    handles = [
        fake_processes.open(fake_processes.add("d", reactions={TERM: dies(n)}).identity)
        for n in (5, 3, 9)
    ]
    for handle in handles:
        handle.signal(TERM)
    fake_processes.wait(handles, None)
    assert (3, [False, True, False]) == (
        fake_processes.now(),
        [handle.ended() for handle in handles],
    )


def test_executable_is_a_path_or_a_file(fake_processes: FakeProcesses, tmp_path: Path) -> None:
    """A path is looked up when it is compared; without a file it has numbers of its own."""
    path = tmp_path / "daemon"
    by_path, by_file, none, other = (
        fake_processes.add(name, exe=exe)
        for name, exe in (("p", path), ("f", (8, 15)), ("n", None), ("o", "/no/such"))
    )
    assert [by_file.identity] == fake_processes.select(Criteria(file=(8, 15)))
    assert None is none.file()
    assert by_path.file() not in (None, other.file())
    assert [by_path.identity] == ssd.find(ssd.Match(exec=path), table=fake_processes)
    path.touch()
    facts = path.stat()
    assert (facts.st_dev, facts.st_ino) == by_path.file()
    assert [by_path.identity] == ssd.find(ssd.Match(exec=path), table=fake_processes)


def test_executable_that_nobody_declared_is_missing(fake_processes: FakeProcesses) -> None:
    """An error as on a real machine; its note says how to declare the executable."""
    fake_processes.register("/no/such/daemon")
    with pytest.raises(ssd.ExecutableMissing) as caught:
        ssd.find(ssd.Match(exec="/no/such"), table=fake_processes)
    (note,) = caught.value.__cause__.__notes__
    assert "registered: /no/such/daemon. Declare it with register('/no/such')" in note


@pytest.mark.parametrize(("after", "gone_at"), [(0, 0.0), (2.5, 2.5), (None, None)])
def test_zombie_keeps_its_pid_until_it_is_reaped(
    after: float | None, gone_at: float | None, fake_processes: FakeProcesses
) -> None:
    """Reaped at once, later, or when the test says so."""
    process = fake_processes.add("child", pid=500, reaped_after=after)
    process.die()
    assert None is fake_processes.process(500)
    if gone_at is None:
        fake_processes.clock.advance(1e6)
        assert ("zombie", True) == (process.state, 500 in fake_processes.pids())
        process.reap()
    fake_processes.clock.advance(gone_at or 0)
    assert ("gone", False) == (process.state, 500 in fake_processes.pids())


def test_living_process_cannot_be_reaped(fake_processes: FakeProcesses) -> None:
    """Only a process that has ended can be reaped."""
    with pytest.raises(ValueError, match="has not ended"):
        fake_processes.add("alive").reap()


@pytest.mark.parametrize(("init_reaps", "state"), [(True, "gone"), (False, "zombie")])
def test_orphans_go_to_init(init_reaps: bool, state: str) -> None:
    """Init gets the children and zombies of a dead parent, and reaps them by default."""
    table = FakeProcesses(init_reaps=init_reaps)
    parent = table.add("parent")
    child, zombie = parent.fork(), parent.fork(reaped_after=None)
    zombie.die()
    parent.die()
    assert (1, state) == (child.ppid, zombie.state)
    child.die()
    assert state == child.state


def test_pids_run_round_and_are_reused() -> None:
    """The next pid is the next free one, up to pid_max and on from 300."""
    table = FakeProcesses(caller_pid=50, pid_max=304)
    table.last_pid = 301
    first = [table.add("n") for _ in range(4)]
    assert [302, 303, 300, 301] == [process.pid for process in first]
    first[1].die()
    again = table.add("n")
    assert (303, True) == (again.pid, again.identity != first[1].identity)
    with pytest.raises(BlockingIOError) as caught:
        table.add("one too many")
    assert errno.EAGAIN == caught.value.errno


def test_next_pid_can_be_chosen(fake_processes: FakeProcesses) -> None:
    """A reused pid is another process, which the handle of the old one never reaches."""
    old = fake_processes.add("old")
    with fake_processes.open(old.identity) as handle:
        old.die()
        fake_processes.last_pid = old.pid - 1
        new = fake_processes.add("new")
        assert (old.pid, "running") == (new.pid, new.state)
        with pytest.raises(ProcessLookupError):
            handle.signal(KILL)
    with pytest.raises(ProcessLookupError):
        fake_processes.open(old.identity)
    assert ("running", []) == (new.state, fake_processes.signals)


def test_taken_pid_is_refused(fake_processes: FakeProcesses) -> None:
    """Two processes cannot have one pid."""
    fake_processes.add("first", pid=42)
    with pytest.raises(ValueError, match="42 is taken by <first 42, running>"):
        fake_processes.add("second", pid=42)


def test_missing_pid_says_who_there_is() -> None:
    """The error for an unknown pid names the declared processes."""
    table = FakeProcesses(caller_pid=7)
    with pytest.raises(NotRegistered, match="^no pid 9; there are .*<init 1, running>, <caller 7"):
        table[9]


@pytest.mark.parametrize(
    ("caller", "owner", "allowed"), [(0, 33, True), (33, 33, True), (33, 34, False), (33, 0, False)]
)
def test_caller_may_what_its_user_may(caller: int, owner: int, allowed: bool) -> None:
    """Root signals all and reads every executable, others their own."""
    table = FakeProcesses(caller_uid=caller)
    process = table.add("daemon", uid=owner, exe=(1, 2))
    assert allowed == bool(table.select(Criteria(file=(1, 2))))
    assert [process.identity] == table.select(Criteria(uid=owner, name=b"daemon"))
    with table.open(process.identity) as handle:
        if allowed:
            handle.signal(TERM)
        else:
            with pytest.raises(PermissionError):
                handle.signal(TERM)
    assert allowed == bool(table.signals)


def test_hidden_processes_are_not_there() -> None:
    """With hidepid an ordinary user sees only what it may signal."""
    table = FakeProcesses(caller_uid=33, caller_pid=50, hidepid=True)
    table.add("foreign", pid=60)
    table.add("own", pid=70, uid=33)
    assert [50, 70] == table.pids()
    assert [] == table.select(Criteria(pid=60, name=b"foreign"))
    # kill(2) says of a taken pid: it exists, and the caller may not signal it.
    assert Process(60, UNKNOWN_START) == table.process(60)


def test_signals_are_recorded_in_the_order_of_their_sending(fake_processes: FakeProcesses) -> None:
    """(time, pid, signal, process), oldest first; signal 0 is not recorded."""
    first, second = fake_processes.add("a", reactions={TERM: ignores()}), fake_processes.add("b")
    send(first, 0, TERM)
    fake_processes.clock.advance(30)
    send(first, KILL)
    send(second, TERM)
    expected = [(0, first.pid, TERM, first), (30, first.pid, KILL, first)]
    assert [*expected, (30, second.pid, TERM, second)] == fake_processes.signals
    assert ([(0, TERM), (30, KILL)], [(30, TERM)]) == (first.signals, second.signals)


def test_things_happen_at_their_time(fake_processes: FakeProcesses) -> None:
    """A process can appear, change its name and end at given times."""
    fake_processes.clock.at(5, lambda: fake_processes.add("late", pid=900))
    fake_processes.clock.at(7, lambda: fake_processes[900].rename("renamed"))
    fake_processes.clock.at(9, lambda: fake_processes[900].die())
    seen = []
    for until in (4, 5, 7, 9):
        fake_processes.wait([], until)
        seen.append(
            [name for name in (b"late", b"renamed") if fake_processes.select(Criteria(name=name))]
        )
    assert [[], [b"late"], [b"renamed"], []] == seen


def test_two_processes_of_one_moment_differ(fake_processes: FakeProcesses) -> None:
    """Start times are never the same, unless the test sets them."""
    identities = {fake_processes.add("n").identity for _ in range(5)}
    assert 5 == len({identity.start_time for identity in identities})
    assert 77 == fake_processes.add("old", start_time=77).identity.start_time


def test_first_process_of_a_namespace_may_be_the_caller() -> None:
    """A test that runs as pid 1 is init itself."""
    table = FakeProcesses(caller_pid=1)
    assert (table.init, [1]) == (table.caller, table.pids())


def test_closed_handle_is_not_asked(fake_processes: FakeProcesses) -> None:
    """Using a handle after its close is an error, as with a descriptor."""
    handle = fake_processes.open(fake_processes.add("n").identity)
    handle.close()
    handle.close()
    with pytest.raises(ValueError, match="closed"):
        handle.ended()


def test_several_tables_can_share_one_clock() -> None:
    """The clock is an object of its own."""
    clock = FakeClock(start=100)
    assert (100, 100) == (FakeProcesses(clock).now(), FakeProcesses(clock).now())


@pytest.mark.parametrize("caller_pid", [100, 1])
def test_caller_is_a_process_of_its_user(caller_pid: int) -> None:
    """It sees itself, also as another user; a user name is that of an account."""
    table = FakeProcesses(caller_uid=33, caller_pid=caller_pid, hidepid=True)
    for user, uid in (("nobody", 65534), (1000, 1000)):
        assert table[caller_pid].uid == table.caller_uid
        table.caller_uid = user  # type: ignore[assignment]
        assert (uid, uid, True) == (
            table.caller_uid, table[caller_pid].uid, caller_pid in table.pids(),
        )  # fmt: skip
    with pytest.raises(ssd.UnknownUser):
        table.caller_uid = "no such user"  # type: ignore[assignment]


def test_process_may_be_older_than_the_test(fake_processes: FakeProcesses) -> None:
    """A program that looks at ages sees a process that has run for an hour."""
    old = fake_processes.add("old", start_time=-360_000)
    assert [old.identity] == ssd.find(ssd.Match(name="old"), table=fake_processes)
