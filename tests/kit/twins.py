"""Processes in two worlds, declared and real, and the state machine that compares them."""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule

from kit.children import WAIT_TIMEOUT
from kit.users import NOBODY
from ssd.matching import Criteria
from ssd.processes import table_named
from ssd.testing import FakeProcess, FakeProcesses, FakeWorld, RealWorld, World

NAMES = [b"ssd one", b"ssd) S 1 (two", b"a name of twenty byt"]
IGNORABLE = [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1]
SIGNALS = [
    *IGNORABLE, 0, signal.NSIG, signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT, signal.SIGCHLD,
    signal.SIGWINCH,
]  # fmt: skip
MAX_PROCESSES = 6  # processes at a time: each child starts an interpreter


class Half:
    """A process in one of the worlds, held from its first moment."""

    def __init__(self, world: World, pid: int) -> None:
        process = world.table.process(pid)
        assert process is not None
        self.world, self.pid, self.process = world, pid, process
        self.handle = world.table.open(process)

    def lives(self) -> bool:
        """Return whether the pid is still its own."""
        return self.world.table.process(self.pid) == self.process

    def opens(self) -> None:
        """Open it once more. Raises ProcessLookupError."""
        self.world.table.open(self.process).close()

    def is_called(self, name: bytes) -> bool:
        """Return whether it has this name."""
        return self.world.table.holds(Criteria(name=name[:15]), self.process)

    def has_child(self, other: "Half") -> tuple[bool, bool]:
        """Return whether another is its child, by both ways to look."""
        table = self.world.table
        selected = table.select(Criteria(ppid=self.pid))
        return other.process in table.children(self.pid), other.process in selected

    def is_ours(self) -> bool:
        """Return whether it is the caller's child."""
        return self.process in self.world.table.children(self.world.caller)

    def is_listed(self) -> bool:
        """Return whether its pid is in use."""
        return self.pid in self.world.table.pids()

    def has_file(self) -> bool:
        """Return whether the table sees that it runs the interpreter."""
        return self.world.table.holds(Criteria(file=self.world.file(self.pid)), self.process)

    def belongs_to(self, uid: int) -> bool:
        """Return whether it belongs to a user."""
        return self.world.table.holds(Criteria(uid=uid), self.process)

    def forked(self, name: bytes) -> "Half":
        """Make it fork a child."""
        return Half(self.world, self.world.start(name, parent=self.pid))


def await_stop(pid: int) -> None:
    """Wait until our child has stopped. Fails after WAIT_TIMEOUT, which waitid(2) cannot."""
    how = os.WSTOPPED | os.WNOWAIT | os.WNOHANG
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
    try:
        while os.waitid(os.P_PID, pid, how) is None:
            assert signal.sigtimedwait([signal.SIGCHLD], WAIT_TIMEOUT), f"{pid} has not stopped"
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def status_of(pid: int) -> int:
    """Return the status of an ended child, in the form of ``FakeProcess.status``."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert ended is not None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


class Twins:
    """One process in both worlds, and their parents if those are twins, too."""

    def __init__(self, fake: Half, real: Half, parent: "Twins | None" = None) -> None:
        self.fake, self.real, self.parent = fake, real, parent
        self.reaped = False


class Worlds(RuleBasedStateMachine):
    """Declared processes beside real ones; after each step both tables must agree."""

    twins: Bundle[Twins] = Bundle("twins")

    def __init__(self, kind: str = "kernel") -> None:
        super().__init__()
        # Root's children may belong to other users; an unprivileged caller cannot signal them.
        self.fake = FakeWorld(FakeProcesses(caller_uid=os.geteuid()))
        self.real = RealWorld(table_named(kind))
        self.all: list[Twins] = []

    def teardown(self) -> None:
        """End all processes, also stopped ones without a parent that obeys."""
        for twins in self.all:
            with twins.real.handle, contextlib.suppress(ProcessLookupError):
                twins.real.handle.signal(signal.SIGKILL)
        self.real.close()

    def both(self, action: Callable[..., Any], *given: Any) -> Any:
        """Do something in both worlds; the results must be equal."""
        done = []
        for which in ("fake", "real"):
            arguments = [
                getattr(each, which) if isinstance(each, Twins) else each for each in given
            ]
            try:
                done.append(action(*arguments))
            except OSError as error:
                done.append(type(error))
        assert done[0] == done[1], f"{done}\n{self.fake.fake.timeline()}"

    def state_of(self, twins: Twins) -> str:
        """Return the state of the declared process."""
        return next((each.state for each in self.declared(twins)), "gone")

    def declared(self, twins: Twins) -> list[FakeProcess]:
        """Return the declared process, if it is on the table."""
        pids = self.fake.fake.pids()
        found = [self.fake.fake[twins.fake.pid]] if twins.fake.pid in pids else []
        return [each for each in found if each.identity == twins.fake.process]

    def obeys(self, twins: Twins) -> bool:
        """Return whether it can execute an order."""
        return self.state_of(twins) == "running"

    def has_parent(self, twins: Twins) -> bool:
        """Return whether its parent can wait for it: we, or a process that obeys."""
        return twins.parent is None or self.obeys(twins.parent)

    def keep(self, twins: Twins) -> Twins:
        """Remember a process."""
        self.all.append(twins)
        return twins

    def few(self) -> bool:
        """Return whether there may be more processes."""
        return sum(each.fake.lives() for each in self.all) < MAX_PROCESSES

    @precondition(few)
    @rule(target=twins, name=st.none() | st.sampled_from(NAMES))
    def start(self, name: bytes | None) -> Twins:
        """Start a child."""
        fake, real = (Half(world, world.start(name)) for world in (self.fake, self.real))
        return self.keep(Twins(fake, real))

    @rule(target=twins, parent=twins, name=st.sampled_from(NAMES))
    def fork(self, parent: Twins, name: bytes) -> Twins:
        """Make a process fork a child, if it can."""
        if not self.obeys(parent) or not self.few():
            return parent
        return self.keep(Twins(parent.fake.forked(name), parent.real.forked(name), parent))

    @rule(twins=twins, how=st.sampled_from(["rename", "execute"]), name=st.sampled_from(NAMES))
    def rename(self, twins: Twins, how: str, name: bytes) -> None:
        """Make a process take another name, or execute a program of that name."""
        ours = all(each.uid == os.geteuid() for each in self.declared(twins))
        if self.obeys(twins) and (
            ours or how == "rename"
        ):  # one of another user cannot reach our files
            self.both(lambda half: getattr(half.world, how)(half.pid, name), twins)

    @rule(twins=twins, how=st.sampled_from(["ignore", "catch"]), signum=st.sampled_from(IGNORABLE))
    def defy(self, twins: Twins, how: str, signum: int) -> None:
        """Make a process survive a signal."""
        if self.obeys(twins):
            self.both(lambda half: getattr(half.world, how)(half.pid, signum), twins)

    @precondition(lambda self: os.geteuid() == 0)
    @rule(twins=twins)
    def become(self, twins: Twins) -> None:
        """Make a process of root change to another user."""
        if self.obeys(twins) and all(each.uid == 0 for each in self.declared(twins)):
            self.both(lambda half: half.world.become(half.pid, NOBODY), twins)

    @rule(twins=twins, signum=st.sampled_from(SIGNALS), caller=st.sampled_from([0, NOBODY]))
    def signal(self, twins: Twins, signum: int, caller: int = 0) -> None:
        """Send a signal by the handle, and wait until the real process has taken it."""
        stops = signum == signal.SIGSTOP and self.obeys(twins)
        if stops and not self.has_parent(twins):
            return  # only a parent learns that it has stopped
        with self.calling(caller):
            self.both(lambda half: half.handle.signal(signum), twins)
        if stops and self.state_of(twins) == "stopped":
            if twins.parent is None:
                await_stop(twins.real.pid)
            else:
                self.real.await_stop(twins.real.pid)
        self.settle()

    @rule(twins=twins)
    def kill(self, twins: Twins) -> None:
        """End a process that has a parent to wait for it, also one that is a zombie already."""
        if self.has_parent(twins) and not twins.reaped:
            self.both(lambda half: half.world.kill(half.pid), twins)
            self.settle()

    @rule(twins=twins)
    def reap(self, twins: Twins) -> None:
        """Reap a process that has ended, ourselves or by its parent."""
        if self.has_parent(twins) and not twins.reaped and twins.fake.handle.ended():
            if twins.parent is None:
                assert self.declared(twins)[0].status == status_of(twins.real.pid)
            self.both(lambda half: half.world.reap(half.pid), twins)
            twins.reaped = True

    @contextlib.contextmanager
    def calling(self, uid: int) -> Iterator[None]:
        """Be another user for a while, in both worlds; only root can."""
        if uid == 0 or os.geteuid() != 0:
            yield
            return
        self.fake.fake.caller_uid = uid
        os.setresuid(uid, uid, 0)  # the real one, too: kill(2) looks at both
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)
            self.fake.fake.caller_uid = 0

    def settle(self) -> None:
        """Wait for the end of each real process whose declared twin has ended.

        Signals take effect after a while, lower numbers first; a survivor answers an order.
        """
        table = self.real.table
        for twins in self.all:
            if twins.fake.handle.ended():
                table.wait([twins.real.handle], table.now() + WAIT_TIMEOUT)
            elif self.obeys(twins):
                self.real.ignore(twins.real.pid, signal.SIGURG)

    @invariant()
    def each_is_the_same(self) -> None:
        """Both worlds agree on its life, handle, name, file and owner."""
        for twins in self.all:
            self.both(lambda half: half.handle.ended(), twins)
            self.both(Half.lives, twins)
            self.both(Half.opens, twins)
            for name in NAMES:
                self.both(Half.is_called, twins, name)
            for uid in (0, NOBODY):
                self.both(Half.belongs_to, twins, uid)
                with self.calling(uid):
                    self.both(lambda half: half.handle.signal(0), twins)
                    self.both(Half.has_file, twins)

    @invariant()
    def families_are_the_same(self) -> None:
        """Both worlds agree on parents and children, and on the pids of the table."""
        for twins in self.all:
            if twins.reaped or not self.has_parent(twins):
                continue
            self.both(Half.is_ours, twins)
            self.both(Half.is_listed, twins)
            for other in self.all:
                self.both(Half.has_child, twins, other)
