"""Stops as data: the processes, the match, the signals with their times, and the outcome."""

import signal
from collections.abc import Callable

from ssd.stopping import NOTHING, STOPPED, SURVIVED
from ssd.testing import FakeProcess, FakeProcesses, dies, ignores, renames

HUP, KILL, TERM, CONT = (
    signal.SIGHUP, signal.SIGKILL, signal.SIGTERM, signal.SIGCONT,
)  # fmt: skip
USER = 1000
FIRST = 101  # the pid that a table gives first
USUAL = "TERM/30/KILL/5"

Setup = Callable[[FakeProcesses], object]
Signals = list[tuple[float, int, int]]  # time, pid, signal


def calm(table: FakeProcesses) -> None:
    """A process ends at once after TERM."""
    table.add("d")


def slow(seconds: float) -> Setup:
    """A process ends some seconds after TERM."""
    return lambda table: table.add("d", reactions={TERM: dies(after=seconds)})


def stubborn(table: FakeProcesses) -> None:
    """A process ignores TERM."""
    table.add("d", reactions={TERM: ignores()})


def immortal(table: FakeProcesses) -> None:
    """A process sleeps uninterruptibly."""
    table.add("d", reactions={TERM: ignores(), KILL: ignores()})


def unreaped(table: FakeProcesses) -> None:
    """A process stays a zombie."""
    table.add("d", reaped_after=None)


def zombie(table: FakeProcesses) -> None:
    """A process is a zombie already."""
    table.add("d", reaped_after=None).die()


def renaming(table: FakeProcesses) -> None:
    """A process takes another name on TERM."""
    table.add("d", reactions={TERM: renames("other")})


def latecomer(table: FakeProcesses) -> None:
    """A process dies at 10 s; another of its name appears at 5 s and ignores TERM."""
    table.add("d", reactions={TERM: dies(after=10)})
    table.clock.at(5, lambda: table.add("d", reactions={TERM: ignores()}))


def newcomer(table: FakeProcesses) -> None:
    """A process ignores TERM; another of its name, which does too, appears beside it at 5 s."""
    stubborn(table)
    table.clock.at(5, lambda: stubborn(table))


def successor(table: FakeProcesses) -> None:
    """A process forks a child of its name on TERM, and ends."""
    table.add("d", reactions={TERM: lambda process: (process.fork(reactions={}), process.die())})


def reused(table: FakeProcesses) -> None:
    """A process dies 10 s after TERM; another one of the same name gets its pid at once."""

    def replace() -> None:
        if not table[FIRST].ended:
            table[FIRST].die()
        table.add("d", pid=FIRST, reactions={TERM: ignores()})

    table.add("d", reactions={TERM: lambda process: table.clock.after(10, replace)})


def two(table: FakeProcesses) -> None:
    """One process dies at once, one ignores TERM."""
    calm(table)
    stubborn(table)


def strangers(table: FakeProcesses) -> None:
    """A process belongs to another user, so that an ordinary caller may not signal it."""
    table.caller_uid = USER
    table.add("d", uid=0)


def mixed(table: FakeProcesses) -> None:
    """One process is the caller's, one another user's."""
    strangers(table)
    table.add("d", uid=USER)


def nobody(table: FakeProcesses) -> None:
    """No process matches."""


def later(table: FakeProcesses) -> None:
    """A process appears at 3 s."""
    table.clock.at(3, lambda: table.add("d"))


BY_NAME, BY_PID = {"name": "d"}, {"pid": FIRST}

# rule -> the processes, the match, the schedule; then the signals, and the end's time and outcome
SCENARIOS: dict[str, tuple[Setup, dict, str, Signals, float, str]] = {
    "a process that dies at once gets one signal": (
        calm, BY_NAME, USUAL, [(0, 101, TERM)], 0, STOPPED,
    ),
    "a process that dies later is waited for and no longer": (
        slow(12.5), BY_NAME, USUAL, [(0, 101, TERM)], 12.5, STOPPED,
    ),
    "a process that dies at the very end of the wait is not killed": (
        slow(30), BY_NAME, USUAL, [(0, 101, TERM)], 30, STOPPED,
    ),
    "a process that ignores TERM is killed at the end of the wait": (
        stubborn, BY_NAME, USUAL, [(0, 101, TERM), (30, 101, KILL)], 30, STOPPED,
    ),
    "a survivor of all signals is given up at the end": (
        immortal, BY_NAME, USUAL, [(0, 101, TERM), (30, 101, KILL)], 35, SURVIVED,
    ),
    "an unreaped zombie is dead": (unreaped, BY_NAME, USUAL, [(0, 101, TERM)], 0, STOPPED),
    "a zombie is nothing to stop": (zombie, BY_NAME, USUAL, [], 0, NOTHING),
    "a zombie's pid is nothing to stop": (zombie, BY_PID, USUAL, [], 0, NOTHING),
    "without a process there is nothing to stop": (nobody, BY_NAME, USUAL, [], 0, NOTHING),
    "a process that renames itself is still the one that was signalled": (
        renaming, BY_NAME, USUAL, [(0, 101, TERM), (30, 101, KILL)], 30, STOPPED,
    ),
    "a process that appears during a wait is found at its end": (
        latecomer, BY_NAME, USUAL, [(0, 101, TERM), (30, 102, KILL)], 30, STOPPED,
    ),
    "a process that appears beside a survivor gets the next signal with it": (
        newcomer, BY_NAME, USUAL, [(0, 101, TERM), (30, 101, KILL), (30, 102, KILL)], 30, STOPPED,
    ),
    "a child that is left behind is found in the wait, and killed at its end": (
        successor,
        BY_NAME,
        USUAL,
        [(0, 101, TERM), (30, 102, KILL)],
        30,
        STOPPED,
    ),
    "the new owner of a given pid is another process": (
        reused, BY_PID, USUAL, [(0, 101, TERM)], 10, STOPPED,
    ),
    "two are signalled in the order of their pids, and the survivor again": (
        two, BY_NAME, USUAL, [(0, 101, TERM), (0, 102, TERM), (30, 102, KILL)], 30, STOPPED,
    ),
    "a process that may not be signalled is not waited for": (
        strangers, BY_NAME, USUAL, [], 0, NOTHING,
    ),
    "the caller's own process is stopped beside another user's": (
        mixed, BY_NAME, USUAL, [(0, 102, TERM)], 0, STOPPED,
    ),
    "a timeout of zero looks once": (
        stubborn, BY_NAME, "TERM/0/KILL/0", [(0, 101, TERM), (0, 101, KILL)], 0, STOPPED,
    ),
    "a timeout of zero does not hide a survivor": (
        immortal, BY_NAME, "TERM/0/KILL/0", [(0, 101, TERM), (0, 101, KILL)], 0, SURVIVED,
    ),
    "signal 0 only asks": (
        calm, BY_NAME, "-0/5/TERM/5", [(5, 101, TERM)], 5, STOPPED,
    ),
    "a schedule of three signals sends them in turn": (
        slow(100), BY_NAME, "TERM/1/CONT/2/KILL/3",
        [(0, 101, TERM), (1, 101, CONT), (3, 101, KILL)], 3, STOPPED,
    ),
    "a schedule that begins with a wait waits first": (
        calm, BY_NAME, "7/TERM/5", [(7, 101, TERM)], 7, STOPPED,
    ),
    "a schedule that begins with a wait has nothing to wait for": (
        nobody, BY_NAME, "7/TERM/5", [], 0, NOTHING,
    ),
    "a process that appears after the stop is not waited for": (
        later, BY_NAME, USUAL, [], 0, NOTHING,
    ),
    "a tail repeats until the end": (
        slow(5), BY_NAME, "forever/TERM/2",
        [(0, 101, TERM), (2, 101, TERM), (4, 101, TERM)], 5, STOPPED,
    ),
    "a tail repeats after its head": (
        stubborn, BY_NAME, "TERM/10/forever/TERM/5/KILL/1",
        [(0, 101, TERM), (10, 101, TERM), (15, 101, KILL)], 15, STOPPED,
    ),
    "a schedule that ends with a signal does not see its end": (
        stubborn, BY_NAME, "TERM/5/HUP", [(0, 101, TERM), (5, 101, HUP)], 5, SURVIVED,
    ),
}  # fmt: skip


def send(process: FakeProcess, *signums: int) -> None:
    """Send signals as any code would: through a handle."""
    with process.table.open(process.identity) as handle:
        for signum in signums:
            handle.signal(signum)
