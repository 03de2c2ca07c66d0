"""What belongs to a process, and a stop of all of it, on declared processes."""

import signal
from collections.abc import Callable

import pytest

import ssd
from ssd.matching import Match, Process
from ssd.stopping import NOTHING, STOPPED, SURVIVED, Stop, run
from ssd.testing import (
    FakeProcess,
    FakeProcesses,
    SsdCommand,
    daemonizes,
    dies,
    forks,
    ignores,
    in_turn,
    together,
)
from ssd.trees import GROUP, MAIN, MODES, TREE, Tree, left_behind, targets

TERM, KILL, STOP = signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP
MAIN_PID = 101
MARKER = "SSD_SUPERVISED=key:web:1"
USUAL = "TERM/30/KILL/5"

Setup = Callable[[FakeProcess], object]


def child(main: FakeProcess) -> None:
    """102 is a child."""
    main.fork()


def grandchild(main: FakeProcess) -> None:
    """103 is a child of the child 102."""
    main.fork().fork()


def leader(main: FakeProcess) -> None:
    """102 is a child with a session of its own, 103 a child of that one."""
    middle = main.fork()
    middle.lead()
    middle.fork()


def orphan(main: FakeProcess) -> None:
    """103 is in the session of the main process; its parent has ended."""
    middle = main.fork()
    middle.fork()
    middle.die()


def worker(main: FakeProcess) -> None:
    """102 is in the session of the main process, and leads a group."""
    process = main.fork()
    process.group = process.pid


def escaped(main: FakeProcess) -> None:
    """103 has a session of its own, and its parent has ended."""
    daemonizes()(main.fork())


def job(main: FakeProcess) -> None:
    """The main process, a job of the shell 102, leads only its group; 103 is another job."""
    shell = main.table.add("sh")
    main.ppid, main.session = shell.pid, shell.session
    main.table.add("other", ppid=shell.pid)


def hand_started(main: FakeProcess) -> None:
    """The main process leads nothing: it shares group and session with 102 and 103."""
    shell = main.table.add("sh")
    main.ppid, main.session, main.group = 1, shell.session, shell.group
    main.table.add("other", ppid=shell.pid)
    main.fork()


def marked_orphan(main: FakeProcess) -> None:
    """104 has left everything of the main process but its environment."""
    main.environment = {"A": "b", **dict([MARKER.split("=", 1)])}
    daemonizes()(main.fork())


# rule -> the processes beside the main process 101, a mode, and the pids that are found
FOUND: dict[str, tuple[Setup, str, list[int]]] = {
    "a child belongs to the tree": (child, TREE, [101, 102]),
    "a grandchild belongs to the tree": (grandchild, TREE, [101, 102, 103]),
    "a child with a session of its own belongs to it": (leader, TREE, [101, 102, 103]),
    "an orphan in the session of the main process belongs to it": (orphan, TREE, [101, 103]),
    "an orphan in no session of the tree cannot be found": (escaped, TREE, [101]),
    "an orphan with the marker is found": (marked_orphan, TREE, [101, 104]),
    "nobody in the session of a shell is hit": (job, TREE, [101]),
    "nobody in the group of a shell is hit, but for a child": (hand_started, TREE, [101, 104]),
    "the mode main is the main process alone": (leader, MAIN, [101]),
    "the mode group is the group that the main process leads": (leader, GROUP, [101]),
    "the mode main leaves the group alone": (child, MAIN, [101]),
    "the mode group leaves the session alone": (worker, GROUP, [101]),
    "a child in the group belongs to it": (grandchild, GROUP, [101, 102, 103]),
    "an orphan in the group belongs to it": (orphan, GROUP, [101, 103]),
    "the group of a shell is nobody's group": (hand_started, GROUP, [101]),
}


@pytest.mark.parametrize("rule", FOUND)
def test_tree_is_what_belongs_to_the_main_process(rule: str, fake_processes: FakeProcesses) -> None:
    """Each case is a row: some processes, a mode, and who is found, the main process first."""
    setup, mode, pids = FOUND[rule]
    main = fake_processes.add("d")
    setup(main)
    read = mode.encode().decode()  # as from a file: no object of the module
    found = targets(read, main.identity, fake_processes, marker=MARKER.encode())
    assert pids == [each.pid for each in found]


@pytest.mark.parametrize(
    ("marker", "pids"),
    [
        ("SSD_SUPERVISED=key:web:", [101, 104]),
        ("SSD_SUPERVISED=key:web", [101]),
        ("A=b", [101, 104]),
    ],
)
def test_marker_is_an_entry_or_its_beginning(
    fake_processes: FakeProcesses, marker: str, pids: list[int]
) -> None:
    """A colon at its end makes it a beginning: of each start of a service."""
    main = fake_processes.add("d")
    marked_orphan(main)
    found = targets(TREE, main.identity, fake_processes, marker=marker.encode())
    assert pids == [each.pid for each in found]


def test_mode_is_one_of_three() -> None:
    """Any other is an error that names them."""
    assert MODES == (MAIN, GROUP, TREE)
    with pytest.raises(ValueError, match="one of main, group, tree, not 'all'"):
        Tree("all")


@pytest.mark.parametrize("given", ["group", 1])
def test_tree_is_true_or_a_tree(fake_processes: FakeProcesses, given: object) -> None:
    """Any other value is an error, before anything is signalled."""
    with pytest.raises(TypeError, match=r"tree must be True, False or an ssd\.trees\.Tree"):
        Stop(Match(name="d"), "TERM/5", tree=given, table=fake_processes)  # type: ignore[arg-type]


def sent(table: FakeProcesses) -> list[tuple[float, int, int]]:
    """Return what was sent: time, pid and signal."""
    return [each[:3] for each in table.signals]


def test_stop_signals_all_at_once_and_the_main_process_first(
    fake_processes: FakeProcesses,
) -> None:
    """A main process that restarts its workers knows by then that it must end."""
    main = fake_processes.add("d")
    leader(main)
    stopped = ssd.stop(Match(name="d", ppid=1), USUAL, tree=True, table=fake_processes)
    assert [101, 102, 103] == [each.pid for each in stopped]
    assert [(0, pid, TERM) for pid in (101, 102, 103)] == sent(fake_processes)


def test_stop_without_tree_leaves_the_children(fake_processes: FakeProcesses) -> None:
    """It is off unless it is asked for."""
    main = fake_processes.add("d")
    child(main)
    ssd.stop(Match(pid=main.pid), table=fake_processes)
    assert [(0, 101, TERM)] == sent(fake_processes)
    assert not fake_processes[102].ended


def test_stop_waits_for_the_last_of_the_tree(fake_processes: FakeProcesses) -> None:
    """The main process is gone at once; a child takes 12 seconds."""
    main = fake_processes.add("d")
    main.fork(reactions={TERM: dies(after=12)})
    work = Stop(Match(pid=main.pid), USUAL, tree=True, table=fake_processes)
    run(work)
    assert (STOPPED, 12) == (work.outcome, fake_processes.now())


def test_survivor_of_the_wait_is_stopped_and_then_killed(fake_processes: FakeProcesses) -> None:
    """It is still in the tree though its parent is gone, and cannot fork before KILL comes."""
    main = fake_processes.add("d")
    middle = main.fork()
    middle.lead()
    middle.fork(reactions={TERM: ignores()})
    run(Stop(Match(pid=main.pid), USUAL, tree=True, table=fake_processes))
    later = [each for each in sent(fake_processes) if each[0] == 30]
    assert [(30, 103, STOP), (30, 103, KILL)] == later
    assert fake_processes[1] and fake_processes.process(103) is None


def test_survivor_of_kill_is_reported(fake_processes: FakeProcesses) -> None:
    """NotStopped carries the process of the tree."""
    main = fake_processes.add("d")
    main.fork(reactions={TERM: ignores(), KILL: ignores()})
    with pytest.raises(ssd.NotStopped) as caught:
        ssd.stop(Match(pid=main.pid), USUAL, tree=True, table=fake_processes)
    assert [102] == [each.pid for each in caught.value.processes]


def test_child_that_appears_at_the_signal_gets_it_too(fake_processes: FakeProcesses) -> None:
    """A main process that forks when TERM comes leaves nobody without the signal."""
    reaction = together(forks(reactions={}), dies(after=1))
    fake_processes.add("d", reactions={TERM: reaction})
    ssd.stop(Match(name="d", ppid=1), USUAL, tree=True, table=fake_processes)
    assert [(0, 101, TERM), (0, 102, TERM)] == sent(fake_processes)


def test_orphan_that_appears_in_the_wait_is_killed_at_its_end(
    fake_processes: FakeProcesses,
) -> None:
    """It is in the session of the main process, which has ended: the wait goes on for it."""
    late = together(forks(reactions={TERM: ignores()}), dies())
    main = fake_processes.add("d", reactions={TERM: ignores()})
    main.after(3, late)
    work = Stop(Match(pid=main.pid), USUAL, tree=True, table=fake_processes)
    run(work)
    assert [(0, 101, TERM), (30, 102, STOP), (30, 102, KILL)] == sent(fake_processes)
    assert (STOPPED, 30) == (work.outcome, fake_processes.now())


def test_fork_storm_is_ended(fake_processes: FakeProcesses) -> None:
    """Each process makes two more when TERM or STOP comes, the first seven times."""
    two = together(forks(), forks())
    storm = in_turn(*[two] * 3, ignores())
    fake_processes.add("d", reactions={TERM: storm})
    ssd.stop(Match(name="d", ppid=1), USUAL, tree=True, table=fake_processes)
    assert [1, 100] == fake_processes.pids()


def test_stranger_with_the_number_of_a_led_group_is_not_hit(
    fake_processes: FakeProcesses,
) -> None:
    """The leader 102 ends, and its pid is given to a process that leads a group of its own."""
    main = fake_processes.add("d", reactions={TERM: ignores()})
    leader(main)
    fake_processes[103].die()
    fake_processes[102].reactions = {}
    work = Stop(Match(pid=main.pid), USUAL, tree=True, table=fake_processes)
    assert not work.advance()
    assert fake_processes.process(102) is None
    fake_processes.add("stranger", pid=102).fork()
    run(work)
    assert (STOPPED, True) == (work.outcome, fake_processes.process(101) is None)
    assert [102, 104] == [each.pid for each in fake_processes.inhabitants() if each.pid > 100]


def test_caller_and_its_ancestors_are_not_hit() -> None:
    """A daemon's own child stops the daemon, and the tree below: only its own line lives."""
    table = FakeProcesses()
    main = table.add("d")
    shell = main.fork()
    other = main.fork()
    below = shell.fork()
    table.caller.ppid, table.caller.group, table.caller.session = shell.pid, 101, 101
    table.caller.fork(name="ours").lead()
    stopped = ssd.stop(Match(pid=main.pid), USUAL, tree=True, table=table)
    assert [main.pid, other.pid, below.pid] == [each.pid for each in stopped]
    assert not shell.ended and not table.caller.ended


def test_tree_of_init_is_init(fake_processes: FakeProcesses) -> None:
    """Everybody descends from it."""
    fake_processes.add("d")
    init = fake_processes.init.identity
    assert [init] == Tree().look([init], fake_processes)


def test_denied_child_is_not_waited_for() -> None:
    """It belongs to another user; the round has the reason, and the stop ends."""
    table = FakeProcesses(caller_uid=1000)
    main = table.add("d", uid=1000)
    main.fork(uid=0)
    work = Stop(Match(pid=main.pid), USUAL, tree=True, table=table)
    run(work)
    assert (STOPPED, 0) == (work.outcome, table.now())
    assert [102] == [each.pid for each, _ in work.rounds[0].denied]


def test_nothing_is_found_without_a_main_process(fake_processes: FakeProcesses) -> None:
    """What is left of one that ended before is not looked for."""
    main = fake_processes.add("d")
    orphan(main)
    main.die()
    work = Stop(Match(pid=main.pid), USUAL, tree=True, table=fake_processes)
    run(work)
    assert (NOTHING, []) == (work.outcome, sent(fake_processes))


def test_subreaper_looks_among_its_own_children() -> None:
    """Orphans become its children; others of its children are not asked for."""
    table = FakeProcesses()
    table.caller.subreaper = True
    main = table.add("d", ppid=table.caller.pid, environment=dict([MARKER.split("=", 1)]))
    other = table.add("other", ppid=table.caller.pid)
    for each in (main, other):
        each.lead()
        daemonizes()(each.fork())
    asked: list[int] = []

    def among() -> list[int]:
        asked.extend(set(table.kin.children(table.caller.pid)) - {main.pid, other.pid})
        return asked

    tree = Tree(marker=MARKER.encode(), among=among)
    assert [101, 105] == [each.pid for each in tree.look([main.identity], table)]
    assert [105, 108] == sorted(asked)


def ended_main(table: FakeProcesses) -> Process:
    """Return a main process that has ended; 105 and 106 are left, 105 in a session of its own."""
    table.caller.subreaper = True
    main = table.add("d", ppid=table.caller.pid, environment=dict([MARKER.split("=", 1)]))
    main.lead()
    daemonizes()(main.fork())
    main.fork()
    main.die()
    return main.identity


def test_left_behind_is_found_after_the_end() -> None:
    """By its group and session, and by the marker."""
    table = FakeProcesses()
    main = ended_main(table)
    known = table.add("other", ppid=table.caller.pid)
    for marker, pids in ((None, [105]), (MARKER.encode(), [104, 105])):
        found = left_behind(main, table, marker=marker, mains={known.pid})
        assert pids == [each.pid for each in found]


def test_nothing_left_behind_needs_no_look() -> None:
    """Neither a child that is not known nor a group: nobody's kin is read."""
    table = FakeProcesses()
    table.caller.subreaper = True
    main = table.add("d", ppid=table.caller.pid)
    known = table.add("other", ppid=table.caller.pid)
    main.lead()
    main.die()
    table.pids = lambda: pytest.fail("all processes were read")  # type: ignore[method-assign]
    assert [] == left_behind(main.identity, table, mains={known.pid})


def test_left_behind_of_no_subreaper_is_looked_for_everywhere() -> None:
    """The group lives, and is below init."""
    table = FakeProcesses()
    main = table.add("d", ppid=table.caller.pid)
    main.lead()
    main.fork()
    main.die()
    assert [102] == [each.pid for each in left_behind(main.identity, table)]


def test_command_stops_the_tree(ssd_command: SsdCommand, fake_processes: FakeProcesses) -> None:
    """``--tree`` names all pids that were stopped; ``--tr`` is short for it."""
    leader(fake_processes.add("d"))
    done = ssd_command("--stop", "--tr", "--pid", MAIN_PID, "--retry=5", "--verbose")
    expected = "Stopped process with pid 101 (pid 101 102 103).\n"
    assert (0, expected, "") == done
    assert [1, 100] == fake_processes.pids()


def test_command_tells_the_tree(ssd_command: SsdCommand, fake_processes: FakeProcesses) -> None:
    """``--test`` says whom the signal would reach, the last first, as it does without a tree."""
    leader(fake_processes.add("d"))
    done = ssd_command("--stop", "--tree", "--pid", MAIN_PID, "--test")
    assert [f"Would send signal 15 to {pid}." for pid in (103, 102, 101)] == done[1].splitlines()
    assert [] == fake_processes.signals


def test_survived_tree_is_a_failure(ssd_command: SsdCommand, fake_processes: FakeProcesses) -> None:
    """The exit status is 2, and the message counts the processes."""
    main = fake_processes.add("d")
    main.fork(reactions={TERM: ignores()})
    done = ssd_command("--stop", "--tree", "--pid", MAIN_PID, "--retry=TERM/5")
    expected = "Program process with pid 101, 1 process(es), refused to die.\n"
    assert (2, expected) == done[:2]
    assert SURVIVED == "survived"


def test_process_that_executes_a_program_is_asked_again(fake_processes: FakeProcesses) -> None:
    """It has no environment at that moment; another without the marker is asked once."""
    main = fake_processes.add("d")
    late, other = fake_processes.add("late"), fake_processes.add("other", environment={"A": "b"})
    tree = Tree(marker=MARKER.encode())
    assert [main.identity] == tree.look([main.identity], fake_processes)
    late.environment = other.environment = dict([MARKER.split("=", 1)])
    assert [main.identity, late.identity] == tree.look([main.identity], fake_processes)
