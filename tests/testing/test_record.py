"""The record of a table, and its text."""

import signal

import pytest

import ssd
from ssd.testing import (
    FakeProcesses,
    daemonizes,
    dies,
    executes,
    forks,
    ignores,
    leaves_zombie,
    reloads,
    renames,
)
from ssd.testing.process import Sent, signal_name
from ssd.testing.record import explain

HUP, KILL, TERM, USR1 = signal.SIGHUP, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1

PICTURE = """\
   seconds     pid
      0.00     101 webd    appears, child of 1, user 33: webd -f
      0.00     101 webd    SIGTERM is ignored
     30.00     101 webd    SIGKILL ends it
     30.00     101 webd    ends of SIGKILL
     31.50     102 worker  appears, child of 1, user 0: worker
     33.00     101 webd    is reaped by 1
     33.00         now: worker 102 running"""


def test_name_cannot_break_the_picture(fake_processes: FakeProcesses) -> None:
    """A name may have any byte except NUL (prctl(2)), also a newline and part of a character."""
    fake_processes.add(b"a\nb\xff", argv=["one\ntwo"])
    assert [
        "   seconds     pid",
        r"      0.00     101 a\nb\udcff  appears, child of 1, user 0: one\ntwo",
        r"      0.00         now: a\nb\udcff 101 running",
    ] == fake_processes.timeline().split("\n")


def test_timeline_tells_what_happened_and_who_is_there(fake_processes: FakeProcesses) -> None:
    """A line for each event, in order, with the time, the pid and the name at that time."""
    fake_processes.add(
        "webd", argv=["webd", "-f"], uid=33, reactions={TERM: ignores()}, reaped_after=3
    )
    fake_processes.clock.at(31.5, lambda: fake_processes.add("worker"))
    ssd.stop(ssd.Match(name="webd"), table=fake_processes)
    fake_processes.clock.advance_to(33)
    assert PICTURE == fake_processes.timeline()


def test_timeline_can_be_cut_to_its_end(fake_processes: FakeProcesses) -> None:
    """It says how many events are not shown."""
    for name in "abcde":
        fake_processes.add(name)
    heading, cut, *rest, now = fake_processes.timeline(2).splitlines()
    assert ("(3 events before)", ["104", "105"]) == (cut.strip(), [row.split()[1] for row in rest])
    assert fake_processes.timeline() == fake_processes.timeline(5)
    assert [heading, now] == [fake_processes.timeline().splitlines()[at] for at in (0, -1)]


def test_machine_on_which_nothing_happened_says_so(fake_processes: FakeProcesses) -> None:
    """Init and the caller always exist, and have no line."""
    assert "   seconds     pid\n      0.00         now: no process" == fake_processes.timeline()


# reaction -> the lines of the timeline
WORDS = {
    "ignored": (ignores(), ["is ignored"]),
    "reload": (reloads(), ["is a reload", "reloads"]),
    "death": (dies(), ["ends it", "ends of SIGUSR1", "is reaped by 1"]),
    "late death": (dies(after=2), ["ends it in 2 s"]),
    "zombie": (leaves_zombie(), ["ends it", "ends of SIGUSR1"]),
    "rename": (renames("other"), ["has it renamed", "takes the name other"]),
    "exec": (executes("/bin/x", "-v"), ["has it execute", "executes /bin/x -v"]),
    "fork": (forks(), ["has it fork", "appears, child of 101, user 0: d"]),
    "lambda": (lambda process: None, ["is taken"]),
    "kernel's default": (None, ["ends it", "ends of SIGUSR1", "is reaped by 1"]),
}


@pytest.mark.parametrize("case", WORDS)
def test_timeline_says_how_a_signal_is_taken(case: str, fake_processes: FakeProcesses) -> None:
    """Each reaction has its words, and its effect is an event of its own."""
    reaction, words = WORDS[case]
    process = fake_processes.add("d", reactions={} if reaction is None else {USR1: reaction})
    with fake_processes.open(process.identity) as handle:
        handle.signal(USR1)
    first, *rest = words
    assert [f"SIGUSR1 {first}", *rest] == [each.what for each in fake_processes.events[1:]]


def test_timeline_shows_a_double_fork(fake_processes: FakeProcesses) -> None:
    """Three processes, of which one is left."""
    fake_processes.register("/bin/d", runs=daemonizes())
    ssd.start(ssd.Match(name="d"), ssd.Command(["/bin/d"]), table=fake_processes)
    assert [(101, 1), (102, 101), (103, 102)] == [
        (each.pid, int(each.what.split()[3].rstrip(",")))
        for each in fake_processes.events
        if each.what.startswith("appears")
    ]
    assert fake_processes.timeline().endswith("now: d 103 running")


def test_refused_signal_is_in_the_timeline_and_not_received(
    fake_processes: FakeProcesses,
) -> None:
    """``signals`` has only received signals."""
    fake_processes.caller_uid = 1000
    with pytest.raises(ssd.NotPermitted):
        fake_processes.add("d")
        ssd.stop(ssd.Match(name="d"), table=fake_processes)
    assert ([], "SIGTERM is denied to user 1000") == (
        fake_processes.signals, fake_processes.events[-1].what,
    )  # fmt: skip


def test_stopped_process_keeps_its_signals(fake_processes: FakeProcesses) -> None:
    """The timeline says that they wait."""
    process = fake_processes.add("d")
    with fake_processes.open(process.identity) as handle:
        handle.signal(signal.SIGSTOP)
        handle.signal(TERM)
    assert ["SIGSTOP stops it", "SIGTERM waits, as it is stopped"] == [
        each.what for each in fake_processes.events[1:]
    ]


def test_signal_without_effect_is_said_to_have_none(fake_processes: FakeProcesses) -> None:
    """By default the kernel ignores SIGCHLD, and init gets no signal that it does not handle."""
    process = fake_processes.add("d")
    with fake_processes.open(process.identity) as handle:
        handle.signal(signal.SIGCHLD)
    with fake_processes.open(fake_processes[1].identity) as handle:
        handle.signal(TERM)
    assert ["SIGCHLD does nothing", "SIGTERM does nothing"] == [
        each.what for each in fake_processes.events[1:]
    ]


def test_signals_differ_if_the_pid_has_another_owner(
    fake_processes: FakeProcesses,
) -> None:
    """The pid is the same, the process is not."""
    first = fake_processes.add("first")
    ssd.stop(ssd.Match(name="first"), table=fake_processes)
    fake_processes.last_pid = first.pid - 1
    second = fake_processes.add("second")
    ssd.stop(ssd.Match(name="second"), table=fake_processes)
    assert [(101, first), (101, second)] == [
        (each.pid, each.process) for each in fake_processes.signals
    ]


def test_signals_that_differ_are_explained_with_the_timeline(
    fake_processes: FakeProcesses,
) -> None:
    """The actual and the expected signals, line by line."""
    process = fake_processes.add("d")
    ssd.stop(ssd.Match(name="d"), table=fake_processes)
    wanted = Sent(5, process.pid, KILL, process)
    lines = explain(fake_processes.signals, [*fake_processes.signals, wanted])
    assert lines is not None
    assert ["the signals differ:", f"  {fake_processes.signals[0]!r}", f"+ {wanted!r}", ""] == (
        lines[:4]
    )
    assert fake_processes.timeline().splitlines() == lines[4:]


@pytest.mark.parametrize("sides", [([], []), (1, [2]), ([(0, 1)], [])], ids=repr)
def test_other_comparisons_are_left_to_others(sides: tuple) -> None:
    """None leaves the explanation to pytest."""
    assert None is explain(*sides)


def test_signal_names_exist_for_every_number() -> None:
    """A signal without a name is shown by its number."""
    assert ("SIGTERM", "signal 4000") == (signal_name(15), signal_name(4000))
