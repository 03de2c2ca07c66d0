"""The marker of a start with ``tree``, and what it tells a stop, on declared processes."""

from collections.abc import Callable

import pytest

import ssd
from ssd.cli.options import Options, read
from ssd.cli.start import command_of
from ssd.matching import Match
from ssd.processes.markers import Markers, value
from ssd.service import Service
from ssd.service.commands import command
from ssd.testing import FakeProcess, FakeProcesses, daemonizes, ignores
from ssd.trees import GROUP, MAIN, TREE, Tree

TREE_OF_101 = "SSD_TREE=101:aa"


def family(table: FakeProcesses, entry: str) -> FakeProcess:
    """Make 101 with an entry of the environment, and 104, which has left all else of it."""
    main = table.add("d")
    main.environment = {"A": "b", **dict([entry.split("=", 1)])}
    daemonizes()(main.fork())
    return main


# An entry of the main process 101, a mode, a marker that is given, and who is found
FOUND = {
    "its own": (TREE_OF_101, TREE, None, [101, 104]),
    "of another": ("SSD_TREE=1:aa", TREE, None, [101]),
    "of a longer pid": ("SSD_TREE=1011:aa", TREE, None, [101]),
    "of a supervisor": ("SSD_SUPERVISED=101:web:1", TREE, None, [101]),
    "without a pid": ("SSD_TREE=", TREE, None, [101]),
    "another is given": (TREE_OF_101, TREE, b"C=d", [101]),
    "by group": (TREE_OF_101, GROUP, None, [101]),
    "alone": (TREE_OF_101, MAIN, None, [101]),
}


@pytest.mark.parametrize("case", FOUND)
def test_marker_counts_with_the_pid_of_the_main_process(
    fake_processes: FakeProcesses, case: str
) -> None:
    """Any other is of a tree that the main process is only a part of."""
    entry, mode, given, pids = FOUND[case]
    main = family(fake_processes, entry)
    found = Tree(mode, marker=given).look([main.identity], fake_processes)
    assert pids == [each.pid for each in found]


def test_marker_of_each_main_process_counts(fake_processes: FakeProcesses) -> None:
    """Also of one that a later look finds; what was unmarked before is asked again."""
    mains = [family(fake_processes, TREE_OF_101), fake_processes.add("d")]
    mains[1].environment = {"SSD_TREE": f"{mains[1].pid}:bb"}
    daemonizes()(mains[1].fork())
    tree = Tree()
    looks = [tree.look([each.identity for each in some], fake_processes) for some in (
        mains[:1], mains, mains,
    )]  # fmt: skip
    assert [[101, 104], [101, 105, 104, 108], [101, 105, 104, 108]] == [
        [each.pid for each in look] for look in looks
    ]


def test_caller_and_its_shell_are_spared(fake_processes: FakeProcesses) -> None:
    """A stop inside the tree ends the rest of it; what another user hides is left, too."""
    main = family(fake_processes, TREE_OF_101)
    shell = fake_processes.add("sh")
    fake_processes.caller.ppid = shell.pid
    fake_processes.caller_uid = 1000
    hidden = fake_processes.add("hidden", uid=1)
    for each in (fake_processes.caller, shell, hidden, main, fake_processes[104]):
        each.environment = dict([TREE_OF_101.split("=")])
    for each in (main, fake_processes[104]):
        each.uid = 1000
    stopped = ssd.stop(Match(pid=101), "TERM/5", tree=True, table=fake_processes)
    assert [101, 104] == [each.pid for each in stopped]


def test_started_tree_is_stopped_whole(fake_processes: FakeProcesses) -> None:
    """By KILL; two starts have two markers, and the variables of the caller cannot hide one."""
    fake_processes.register("/x", reactions={15: ignores()})
    environment = {"SSD_TREE": "1:outer"}
    command = ssd.Command(["/x"], environment=environment, variables=environment, tree=True)
    one, other = (ssd.start(Match(name="none"), command, table=fake_processes) for _ in range(2))
    marks = [fake_processes[each.pid].environment["SSD_TREE"] for each in (one, other)]
    assert [each.pid for each in (one, other)] == [int(mark.partition(":")[0]) for mark in marks]
    daemonizes()(fake_processes[one.pid].fork())
    stopped = ssd.stop(Match(pid=one.pid), "TERM/1/KILL/5", tree=True, table=fake_processes)
    assert one.pid == stopped[0].pid
    assert 2 == len(stopped)
    assert not fake_processes[other.pid].ended


# Who is there beside the daemon 104 that 101 has become, and whether the marker of 101 is its own.
# 101 was started as "d -x".
BECOME: dict[str, tuple[Callable[[FakeProcesses, FakeProcess], object], bool]] = {
    "nobody": (lambda table, daemon: None, True),
    "it is a script": (lambda table, daemon: daemon.argv.insert(0, "sh"), True),
    "it runs another program": (lambda table, daemon: daemon.argv.append("-y"), False),
    "it has no command line": (lambda table, daemon: daemon.argv.clear(), False),
    "101 lives": (lambda table, daemon: table.add("d", pid=101, start_time=1), False),
    "101 is another process": (lambda table, daemon: table.add("other", pid=101), True),
    "its parent is marked": (lambda table, daemon: adopt(daemon, marked(table.add("d"))), False),
    "its parent is a subreaper": (
        lambda table, daemon: adopt(daemon, marked(table.add("d"), "A")),
        True,
    ),
    "its parent cannot be read": (lambda table, daemon: adopt(daemon, table.add("d")), False),
}
STARTED = value(101, [b"d", b"-x"]).decode()


def marked(process: FakeProcess, name: str = "SSD_TREE") -> FakeProcess:
    """Give a process the marker of 101, or another variable."""
    process.environment = {name: STARTED}
    return process


def adopt(process: FakeProcess, parent: FakeProcess) -> None:
    """Make a process the child of another."""
    process.ppid = parent.pid


@pytest.mark.parametrize("case", BECOME)
def test_daemon_that_forks_keeps_its_marker(fake_processes: FakeProcesses, case: str) -> None:
    """Another program that has inherited it does not, nor has a worker of the daemon."""
    change, own = BECOME[case]
    daemonizes()(marked(fake_processes.add("d", argv=["d", "-x"])))
    daemon = fake_processes[103]
    daemon.argv = list(daemon.argv)
    daemonizes()(daemon.fork())  # 106 is what it has left
    daemon = fake_processes[103]
    change(fake_processes, daemon)
    found = Tree().look([daemon.identity], fake_processes)
    assert own == (106 in [each.pid for each in found])


def test_value_is_a_pid_and_what_nobody_can_guess() -> None:
    """Sixty-four bits, and a sum of the command line, which may be of bytes."""
    pids, tokens, sums = zip(*(value(7, [b"/x", b"\xff"]).split(b":") for _ in "12"), strict=True)
    assert ({b"7"}, 2, {16}) == ({*pids}, len({*tokens}), {*map(len, tokens)})
    assert 1 == len({*sums})
    assert sums[0] != value(7, [b"/x\xff"]).split(b":")[2]


def test_process_without_an_environment_is_asked_again(fake_processes: FakeProcesses) -> None:
    """It may be about to execute a program; it is told once that one was missed."""
    process = fake_processes.add("d")
    kin = fake_processes.kin.of(process.pid)
    assert kin is not None
    markers = Markers([b"A=b"], fake_processes.kin)
    assert not markers.has(kin)
    assert [True, False] == [markers.missed(), markers.missed()]
    process.environment = {"A": "b"}
    assert markers.has(kin)
    other = Markers([b"C="], fake_processes.kin, markers)
    assert {b"A=b", b"C="} == other.entries


def test_option_and_kill_mode_ask_for_a_marker() -> None:
    """In a plain start; a supervisor has markers of its own."""
    options = Options()
    read(["--start", "--name", "d", "--startas", "/x", "--tree"], options)
    assert {"tree": True} == vars(command_of(options, "/x"))
    for mode, expected in (("tree", True), ("cgroup", True), ("group", False), ("main", False)):
        service = Service(name="nap", executable="/bin/sleep", kill_mode=mode)
        assert expected == service.command().tree
        assert not command(service, streams=False).tree
    with pytest.raises(TypeError, match="tree must be True or False, not 1"):
        ssd.Command(["/x"], tree=1)  # type: ignore[arg-type]
