"""What proves that a process belongs to a tree, and what does not; each on declared processes."""

import signal

import pytest

from ssd import cgroups
from ssd.matching import Match, Process
from ssd.processes.kin import Kin
from ssd.stopping import Stop, run
from ssd.testing import FakeProcess, FakeProcesses, dies, ignores
from ssd.trees import GROUP, Tree, left_behind, targets

TERM, KILL, STOP = signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP
DEAF = {TERM: ignores()}


def pids_of(found: list[Process]) -> list[int]:
    """Return the pids of processes."""
    return [each.pid for each in found]


def sent(table: FakeProcesses) -> list[tuple[float, int, int]]:
    """Return what was sent: time, pid and signal."""
    return [each[:3] for each in table.signals]


class Cgroup:
    """A cgroup with these members; ``killed`` says whether it was."""

    def __init__(self, *processes: FakeProcess) -> None:
        self.processes = processes
        self.killed = False

    def members(self) -> list[int]:
        """Return the pids."""
        return [each.pid for each in self.processes]

    def kill(self) -> bool:
        """Kill all of them."""
        self.killed = True
        for each in self.processes:
            each.die()
        return True


def test_tree_has_what_belongs_and_not_the_main_process(fake_processes: FakeProcesses) -> None:
    """A main process is matched again when it is held; the others cannot be."""
    main, other = fake_processes.add("d"), fake_processes.add("other")
    child = main.fork()
    tree = Tree()
    tree.look([main.identity], fake_processes)
    expected = [False, True, False]
    assert expected == [each.identity in tree for each in (main, child, other)]


def test_orphan_with_a_group_of_its_own_is_in_the_session(fake_processes: FakeProcesses) -> None:
    """A shell with job control makes such groups."""
    main = fake_processes.add("d")
    orphan = main.fork()
    orphan.group, orphan.ppid = orphan.pid, 1
    assert [101, 102] == pids_of(targets("tree", main.identity, fake_processes))


def test_stranger_with_the_pid_of_a_main_process_has_no_tree(
    fake_processes: FakeProcesses,
) -> None:
    """What belongs to it does not belong to the one that was meant."""
    stranger = fake_processes.add("stranger")
    stranger.fork()
    gone = Process(stranger.pid, 1_000_000)
    assert [gone] == targets("tree", gone, fake_processes)


def test_child_of_a_new_owner_of_the_pid_is_not_believed(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent is looked at once more, after its children."""
    main = fake_processes.add("d")
    main.fork().lead()
    answers = [Kin(Process(main.pid, 77), 1, 5, 5)]

    class Changing(type(fake_processes.kin)):  # type: ignore[misc]
        """A kinship that finds another process with the main one's pid from the third look on."""

        asked = 0

        def of(self, pid: int) -> Kin | None:
            """Return the kin of a process."""
            Changing.asked += pid == main.pid
            return answers[0] if pid == main.pid and Changing.asked > 2 else super().of(pid)

    monkeypatch.setattr(FakeProcesses, "kin", property(Changing))
    assert [main.identity] == targets("tree", main.identity, fake_processes)
    assert Changing.asked == 3


def test_member_of_the_group_takes_no_group_along(fake_processes: FakeProcesses) -> None:
    """With the mode group, one that makes a group of its own later does not bring its members."""
    main = fake_processes.add("d")
    child = main.fork()
    tree = Tree(GROUP.encode().decode())  # as from a file: no object of the module
    assert [101, 102] == pids_of(tree.look([main.identity], fake_processes))
    child.lead()
    child.fork()
    assert [101, 102] == pids_of(tree.look([main.identity], fake_processes))


def test_subreaper_sees_the_children_of_its_children(fake_processes: FakeProcesses) -> None:
    """And forgets a group whose number another process has by now."""
    main = fake_processes.add("d", ppid=fake_processes.caller.pid, reactions=DEAF)
    leader = main.fork(reactions={})
    leader.lead()
    member = leader.fork()
    tree = Tree(among=list)
    assert [101, 102, 103] == pids_of(tree.look([main.identity], fake_processes))
    member.die()
    leader.die()
    stranger = fake_processes.add("stranger", pid=leader.pid, ppid=1)
    other = fake_processes.add("other", ppid=main.pid)
    other.group = other.session = stranger.pid
    other.ppid = 1
    tree.among = lambda: [other.pid]
    assert [101] == pids_of(tree.look([main.identity], fake_processes))


def test_cgroup_that_was_made_for_it_holds_its_tree(fake_processes: FakeProcesses) -> None:
    """All in it belong to the tree, wherever they come from, and KILL ends it whole."""
    main, far = fake_processes.add("d", reactions=DEAF), fake_processes.add("far", reactions=DEAF)
    outside = fake_processes.add("outside")
    cgroup = Cgroup(main, far)
    for among in (None, list):
        tree = Tree(cgroup=cgroup, among=among)  # type: ignore[arg-type]
        assert [101, 102] == pids_of(tree.look([main.identity], fake_processes))
    run(Stop(Match(pid=main.pid), "TERM/1/KILL/5", tree=tree, table=fake_processes))
    assert (True, True, False) == (cgroup.killed, far.ended, outside.ended)


@pytest.mark.parametrize("shared", [False, True])
def test_own_cgroup_is_killed_only_if_nobody_else_is_in_it(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    """That of a shell's session is not; a stop by group kills none."""
    main = fake_processes.add("d", reactions=DEAF)
    child = main.fork()
    other = fake_processes.add("other")
    cgroup = Cgroup(main, child, *([other] if shared else []))
    monkeypatch.setattr(type(fake_processes.kin), "cgroup", lambda self, pid: b"/x")
    monkeypatch.setattr(cgroups, "find", lambda name: cgroup if name == b"/x" else None)
    run(Stop(Match(pid=main.pid), "KILL/5", tree=Tree(GROUP), table=fake_processes))
    assert not cgroup.killed
    main = fake_processes.add("d", pid=main.pid, reactions=DEAF)
    main.fork()  # is in another one
    cgroup.processes = (main, *([other] if shared else []))
    run(Stop(Match(pid=main.pid), "KILL/5", tree=True, table=fake_processes))
    assert (not shared, False) == (cgroup.killed, other.ended and shared)
    cgroup.killed = False
    main = fake_processes.add("d", pid=main.pid, reactions=DEAF)
    cgroup.processes = (main, *([other] if shared else []))
    tree = Tree(b"tree".decode())
    run(Stop(Match(pid=main.pid), "KILL/5", tree=tree, table=fake_processes))
    assert cgroup.killed != shared


def test_group_of_the_caller_is_not_signalled_as_one(fake_processes: FakeProcesses) -> None:
    """Its other members are, one by one."""
    main = fake_processes.add("d", reactions=DEAF)
    main.fork()
    fake_processes.caller.group = main.pid
    run(Stop(Match(pid=main.pid), "TERM/1/KILL/5", tree=True, table=fake_processes))
    assert [(1, 101, STOP), (1, 102, STOP), (1, 101, KILL), (1, 102, KILL)] == sent(fake_processes)[
        2:
    ]
    assert not fake_processes.caller.ended


def test_member_of_a_foreign_group_is_stopped_before_kill(fake_processes: FakeProcesses) -> None:
    """The group is not the tree's, so the process is signalled alone."""
    shell = fake_processes.add("sh")
    main = fake_processes.add("d", ppid=shell.pid, reactions=DEAF)
    run(Stop(Match(pid=main.pid), "TERM/1/KILL/5", tree=True, table=fake_processes))
    assert [(0, 102, TERM), (1, 102, STOP), (1, 102, KILL)] == sent(fake_processes)
    assert not shell.ended


def test_member_of_a_foreign_group_is_stopped_beside_a_group(
    fake_processes: FakeProcesses,
) -> None:
    """The group of the main process is stopped in one step, the other process alone."""
    shell = fake_processes.add("sh")
    main = fake_processes.add("d", reactions=DEAF)
    main.fork(group=shell.pid)
    run(Stop(Match(pid=main.pid), "KILL/5", tree=True, table=fake_processes))
    stops = [pid for _, pid, signum in sent(fake_processes) if signum == STOP]
    assert [102, 103] == stops
    assert not shell.ended


def test_newcomers_of_a_signal_are_looked_for_three_times(fake_processes: FakeProcesses) -> None:
    """Each makes another one when TERM comes; the wait and KILL are for the last."""
    main = fake_processes.add("d", reactions={TERM: lambda process: process.fork()})
    run(Stop(Match(pid=main.pid), "TERM/5", tree=True, table=fake_processes))
    assert [101, 102, 103] == [pid for _, pid, _ in sent(fake_processes)]


def test_schedule_that_begins_with_a_wait_kills_nobody(fake_processes: FakeProcesses) -> None:
    """No KILL was sent yet from which somebody could have escaped."""
    main = fake_processes.add("d")
    run(Stop(Match(pid=main.pid), "3/TERM/5", tree=True, table=fake_processes))
    assert [(3, 101, TERM)] == sent(fake_processes)


def test_subreaper_asks_only_its_children_for_what_is_left(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not all processes, which take as long as all of them are."""
    fake_processes.caller.subreaper = True
    main = fake_processes.add("d", ppid=fake_processes.caller.pid)
    main.lead()
    main.fork()
    main.die()
    monkeypatch.setattr(fake_processes, "pids", lambda: pytest.fail("all processes were read"))
    assert [102] == pids_of(left_behind(main.identity, fake_processes))
    assert [102] == pids_of(left_behind(main.identity, fake_processes, mode=GROUP))


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "TERM", "USR1", "CONT"])
def test_signal_other_than_kill_stops_nobody_before(
    fake_processes: FakeProcesses, name: str
) -> None:
    """Each process gets it once, and nothing else."""
    number = getattr(signal, f"SIG{name}")
    main = fake_processes.add("d", reactions={number: ignores()})
    main.fork()
    run(Stop(Match(pid=main.pid), f"{name}/1", tree=True, table=fake_processes))
    assert [(0, 101, number), (0, 102, number)] == sent(fake_processes)


def test_group_of_a_living_leader_stays_in_the_tree(fake_processes: FakeProcesses) -> None:
    """At each look it is the same process, though another object."""
    main = fake_processes.add("d")
    leader = main.fork()
    leader.lead()
    tree = Tree()
    tree.look([main.identity], fake_processes)
    orphan = leader.fork()
    orphan.ppid = 1
    leader.identity = Process(leader.pid, leader.identity.start_time)
    assert [101, 102, 103] == pids_of(tree.look([main.identity], fake_processes))


def test_listed_child_must_still_have_its_parent(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the list and the look its pid may have been given to another."""
    main = fake_processes.add("d")
    main.fork()
    others = [fake_processes.add("other", ppid=ppid).pid for ppid in (1, 100, 9999, 102)]
    monkeypatch.setattr(type(fake_processes.kin), "children", lambda self, pid: [102, *others])
    tree = Tree(among=list)
    assert [101, 102, 106] == pids_of(tree.look([main.identity], fake_processes))


def test_denied_or_ended_process_delays_no_kill() -> None:
    """One ends of the STOP of another, one belongs to another user; the last is stopped, too."""
    table = FakeProcesses(caller_uid=1000)
    shell = table.add("sh", uid=1000)
    main = table.add("d", ppid=shell.pid, uid=1000)
    foreign, frail, last = main.fork(uid=0), main.fork(), main.fork()
    main.reactions[STOP] = lambda process: frail.die()
    work = Stop(Match(pid=main.pid), "KILL/5", tree=True, table=table)
    run(work)
    assert [(0, last.pid, STOP), (0, main.pid, KILL), (0, last.pid, KILL)] == sent(table)[1:]
    assert ("stopped", [foreign.pid]) == (
        work.outcome, [each.pid for each, _ in work.rounds[0].denied],
    )  # fmt: skip


@pytest.mark.parametrize(("marker", "text", "count"), [
    (None, "KILL/5", 4), (b"A=b", "KILL/5", 14), (b"A=b", "TERM/5", 3), (None, "TERM/5", 3),
])  # fmt: skip
def test_looks_go_on_for_some_time_where_a_marker_tells(
    fake_processes: FakeProcesses, marker: bytes | None, text: str, count: int
) -> None:
    """What forks and ends at once may be between two processes; only KILL has this patience."""
    main, looks = fake_processes.add("d"), []
    tree = Tree(marker=marker, among=lambda: looks.append(1) or [])  # type: ignore[func-returns-value]
    run(Stop(Match(pid=main.pid), text, tree=tree, table=fake_processes))
    assert count == len(looks)


def test_executing_process_is_waited_for(fake_processes: FakeProcesses) -> None:
    """It has no environment for as long as that takes, which is longer than some looks."""
    main = fake_processes.add("d", reactions=DEAF)
    comet = fake_processes.add("comet")
    looks: list[int] = []

    def among() -> list[int]:
        looks.append(1)
        if len(looks) == 50:
            comet.environment = {"A": "b"}
        return [comet.pid]

    tree = Tree(marker=b"A=b", among=among)
    run(Stop(Match(pid=main.pid), "KILL/0", tree=tree, table=fake_processes))
    assert comet.ended


def test_newcomer_after_kill_is_killed_in_the_wait(fake_processes: FakeProcesses) -> None:
    """It has escaped the looks of KILL; the wait goes on until it has ended, too."""
    main = fake_processes.add("d", reactions={KILL: dies(after=2)})
    late: list[FakeProcess] = []

    def appear() -> None:
        late.append(main.fork(reactions={}))
        late[0].ppid = 1

    fake_processes.clock.at(1, appear)
    work = Stop(Match(pid=main.pid), "KILL/5", tree=True, table=fake_processes)
    main.reactions[STOP] = ignores()
    run(work)
    later = [each for each in sent(fake_processes) if each[1] == 102]
    assert [(2, 102, STOP), (2, 102, KILL)] == later
    assert ("stopped", 2) == (work.outcome, fake_processes.now())


@pytest.mark.parametrize("tree", [False, True])
def test_main_process_is_matched_again_when_it_is_held(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch, tree: bool
) -> None:
    """Between the look and the handle it may have become another program."""
    fake_processes.add("d")
    monkeypatch.setattr(fake_processes, "holds", lambda criteria, process: False)
    work = Stop(Match(name="d"), "TERM/5", tree=tree, table=fake_processes)
    run(work)
    assert ("nothing", []) == (work.outcome, sent(fake_processes))


def test_processes_are_compared_by_their_values(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table makes another object at each look."""
    fake_processes.last_pid = 1000  # CPython has only one object of each small number
    main = fake_processes.add("d")
    main.fork().fork().lead()
    orphans = [fake_processes.add("orphan", ppid=1) for _ in range(2)]
    orphans[0].group, orphans[1].session = main.pid, main.pid

    class Copying(type(fake_processes.kin)):  # type: ignore[misc]
        """A kinship that does so."""

        def of(self, pid: int) -> Kin | None:
            """Return the kin of a process."""
            kin = super().of(pid)
            if kin is None:
                return None
            numbers = kin.process.pid, kin.process.start_time, kin.ppid, kin.group, kin.session
            own, start, *others = [int(str(number)) for number in numbers]
            return Kin(Process(own, start), *others)

    monkeypatch.setattr(FakeProcesses, "kin", property(Copying))
    for among in (None, lambda: [each.pid for each in orphans]):
        tree = Tree(among=among)
        for _ in range(2):
            found = tree.look([main.identity], fake_processes)
            assert [1001, 1002, 1003, 1004, 1005] == sorted(pids_of(found))
