"""A fake and real children, driven through the same random steps, never differ."""

import os
import signal
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from ssd.matching import Criteria
from ssd.processes import default_table
from ssd.testing import FakeProcesses, FakeWorld, RealWorld, World

NAMES = [b"ssd one", b"ssd) S 1 (two", b"a name of twenty byt"]
IGNORABLE = [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]
SIGNALS = [
    *IGNORABLE, 0, signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGCHLD, signal.SIGWINCH,
]  # fmt: skip
MOST = 4  # children at a time: each is the start of an interpreter


class Half:
    """A process in one of the worlds, held from its first moment."""

    def __init__(self, world: World, pid: int) -> None:
        process = world.table.process(pid)
        assert process is not None
        self.world, self.pid, self.process = world, pid, process
        self.handle = world.table.open(process)

    def lives(self) -> bool:
        """Say whether its pid is its own."""
        return self.world.table.process(self.pid) == self.process

    def opens(self) -> None:
        """Hold it once more. Raises ProcessLookupError."""
        self.world.table.open(self.process).close()

    def is_called(self, name: bytes) -> bool:
        """Say whether it has a name."""
        return self.world.table.holds(Criteria(name=name[:15]), self.process)

    def has_child(self, other: "Half") -> tuple[bool, bool]:
        """Say whether another is its child, by both ways to ask."""
        table = self.world.table
        selected = table.select(Criteria(ppid=self.pid))
        return other.process in table.children(self.pid), other.process in selected

    def is_ours(self) -> bool:
        """Say whether it is the caller's child."""
        return self.process in self.world.table.children(self.world.caller)

    def is_listed(self) -> bool:
        """Say whether its pid is taken."""
        return self.pid in self.world.table.pids()

    def forked(self, name: bytes) -> "Half":
        """Have it make a child."""
        return Half(self.world, self.world.start(name, parent=self.pid))


def await_stop(pid: int) -> None:
    """Wait until a child of ours has stopped. Fails after a while, since waitid(2) would not."""
    how = os.WSTOPPED | os.WNOWAIT | os.WNOHANG
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    try:
        while os.waitid(os.P_PID, pid, how) is None:
            assert signal.sigtimedwait([signal.SIGCHLD], 5), f"{pid} has not stopped"
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Twins:
    """One process in both worlds. ``own``: our child, so that it can be told and reaped."""

    def __init__(self, fake: Half, real: Half, own: bool) -> None:
        self.fake, self.real, self.own = fake, real, own
        self.state = "there"  # until it is "reaped"


class Worlds(RuleBasedStateMachine):
    """Declared processes beside real ones; after each step both tables say the same."""

    twins: Bundle[Twins] = Bundle("twins")

    def __init__(self) -> None:
        super().__init__()
        self.fake = FakeWorld(FakeProcesses(caller_uid=1000))
        self.real = RealWorld(default_table())
        self.all: list[Twins] = []

    def teardown(self) -> None:
        """End all children."""
        for twins in self.all:
            twins.real.handle.close()
        self.real.close()

    def both(self, action: Callable[..., Any], *given: Any) -> Any:
        """Do something in both worlds; what comes of it has to be the same."""
        done = []
        for which in ("fake", "real"):
            arguments = [
                getattr(each, which) if isinstance(each, Twins) else each for each in given
            ]
            try:
                done.append(action(*arguments))
            except OSError as error:
                done.append(type(error))
        assert done[0] == done[1], self.fake.fake.timeline()

    def state_of(self, twins: Twins) -> str:
        """Return the state of a child of ours, as the fake has it."""
        listed = twins.own and twins.fake.is_listed()
        return self.fake.fake[twins.fake.pid].state if listed else "gone"

    def obeys(self, twins: Twins) -> bool:
        """Say whether it can be told something: a child of ours that runs."""
        return self.state_of(twins) == "running"

    def keep(self, twins: Twins) -> Twins:
        """Remember a process."""
        self.all.append(twins)
        return twins

    @precondition(lambda self: sum(each.own and each.fake.lives() for each in self.all) < MOST)
    @rule(target=twins, name=st.none() | st.sampled_from(NAMES))
    def start(self, name: bytes | None) -> Twins:
        """Start a child."""
        fake, real = (Half(world, world.start(name)) for world in (self.fake, self.real))
        return self.keep(Twins(fake, real, own=True))

    @rule(target=twins, parent=twins, name=st.sampled_from(NAMES))
    def fork(self, parent: Twins, name: bytes) -> Twins:
        """Have a child make one of its own, where it can."""
        if not self.obeys(parent):
            return parent
        return self.keep(Twins(parent.fake.forked(name), parent.real.forked(name), own=False))

    @rule(twins=twins, name=st.sampled_from(NAMES))
    def rename(self, twins: Twins, name: bytes) -> None:
        """Have a child take another name."""
        if self.obeys(twins):
            self.both(lambda half: half.world.rename(half.pid, name), twins)

    @rule(twins=twins, signum=st.sampled_from(IGNORABLE))
    def ignore(self, twins: Twins, signum: int) -> None:
        """Have a child ignore a signal."""
        if self.obeys(twins):
            self.both(lambda half: half.world.ignore(half.pid, signum), twins)

    @rule(twins=twins, signum=st.sampled_from(SIGNALS))
    def signal(self, twins: Twins, signum: int) -> None:
        """Send a signal by the handle, and see to it that the real one has taken it."""
        if signum == signal.SIGSTOP and not twins.own:
            return  # only a parent is told when it has stopped
        self.both(lambda half: half.handle.signal(signum), twins)
        self.settle()

    @rule(twins=twins)
    def kill(self, twins: Twins) -> None:
        """End a child of ours, also one that is a zombie already."""
        if twins.own and twins.state != "reaped":
            self.both(lambda half: half.world.kill(half.pid), twins)
            self.settle()

    @rule(twins=twins)
    def reap(self, twins: Twins) -> None:
        """Wait for a child of ours that has ended."""
        if twins.own and twins.state == "there" and twins.fake.handle.ended():
            self.both(lambda half: half.world.reap(half.pid), twins)
            twins.state = "reaped"

    def settle(self) -> None:
        """Wait, where the fake has it that a process has ended, until the real one has.

        Signals take effect in their own time, and the lower number first; one that lives on
        says so by an answer.
        """
        table = default_table()
        for twins in self.all:
            if twins.fake.handle.ended():
                table.wait([twins.real.handle], table.now() + 5)
            elif self.obeys(twins):
                self.real.ignore(twins.real.pid, signal.SIGURG)
            elif self.state_of(twins) == "stopped":
                await_stop(twins.real.pid)

    @invariant()
    def each_is_the_same(self) -> None:
        """It lives, is held, is opened, and has the name it has."""
        for twins in self.all:
            self.both(lambda half: half.handle.ended(), twins)
            self.both(lambda half: half.handle.signal(0), twins)
            self.both(Half.lives, twins)
            self.both(Half.opens, twins)
            for name in NAMES:
                self.both(Half.is_called, twins, name)

    @invariant()
    def families_are_the_same(self) -> None:
        """Who is whose child, and who is on the table at all."""
        for twins in [each for each in self.all if each.own and each.state != "reaped"]:
            self.both(Half.is_ours, twins)
            self.both(Half.is_listed, twins)
            for other in self.all:
                self.both(Half.has_child, twins, other)


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(
    max_examples=12,
    stateful_step_count=30,
    deadline=None,
    # No shrinking: each step is a real process, and the timeline tells what was done.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

TERM, STOP, CONT, KILL = signal.SIGTERM, signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL
# What chance may miss: steps by their rules, with processes by the order of their making.
PATHS: dict[str, list[tuple[Any, ...]]] = {
    "the fork of a deaf process is deaf": [
        ("ignore", 0, TERM), ("fork", 0, NAMES[0]), ("signal", 1, TERM), ("signal", 1, KILL),
    ],
    "a fork does not lend its ears": [
        ("fork", 0, NAMES[0]), ("ignore", 0, TERM), ("signal", 1, TERM), ("signal", 0, TERM),
    ],
    "a stopped process keeps its signals": [
        ("signal", 0, STOP), ("signal", 0, TERM), ("signal", 0, CONT), ("reap", 0),
    ],
    "a stopped process keeps what it ignores, too": [
        ("ignore", 0, TERM), ("signal", 0, STOP), ("signal", 0, TERM), ("signal", 0, CONT),
    ],
    "a stopped process is stopped no more than once": [
        ("signal", 0, STOP), ("signal", 0, STOP), ("signal", 0, CONT),
    ],
    "a stopped process is killed": [("signal", 0, STOP), ("signal", 0, KILL), ("reap", 0)],
    "an orphan lives on, and is nobody's of ours": [
        ("fork", 0, NAMES[1]), ("fork", 0, NAMES[2]), ("kill", 0), ("signal", 1, TERM), ("reap", 0),
    ],
    "a zombie can be killed and stays one": [
        ("signal", 0, TERM), ("kill", 0), ("signal", 0, KILL), ("reap", 0),
    ],
    "a fork of another name has its own": [
        ("rename", 0, NAMES[0]), ("fork", 0, NAMES[2]), ("rename", 0, NAMES[1]),
    ],
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_known_path_leads_to_the_same(path: str) -> None:
    """The same machine, by hand: one child to begin with, and every question after each step."""
    worlds = Worlds()
    try:
        worlds.start(NAMES[0])
        for name, which, *given in PATHS[path]:
            getattr(worlds, name)(worlds.all[which], *given)
            worlds.each_is_the_same()
            worlds.families_are_the_same()
    finally:
        worlds.teardown()
