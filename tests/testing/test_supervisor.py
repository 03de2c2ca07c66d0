"""A small supervisor that uses public names only: tested on fakes, then on real children."""

import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

import ssd
from ssd.testing import FakeProcesses, dies, exits, ignores, in_turn

# The supervisor -------------------------------------------------------------------------


class Watched:
    """A program that must run: its child, and when it may be started again."""

    def __init__(self, name: str, command: ssd.Command) -> None:
        self.name = name
        self.command = command
        self.child: ssd.Child | None = None
        self.handle: Any = None
        self.failures = 0
        self.due = 0.0


class Supervisor:
    """Starts programs, watches them, and restarts those that end.

    A program that ended before it had run for ``settled`` seconds waits longer each time:
    1, 2, 4, ... seconds, ``longest`` at most. ``log`` holds what happened.
    """

    def __init__(
        self,
        commands: dict[str, ssd.Command],
        *,
        table: Any = None,
        first: float = 1.0,
        longest: float = 60.0,
        settled: float = 10.0,
        schedule: str = "TERM/5/KILL/5",
    ) -> None:
        self.table = table or ssd.default_table()
        self.first, self.longest, self.settled = first, longest, settled
        self.schedule = schedule
        self.watched = [Watched(name, command) for name, command in commands.items()]
        self.log: list[tuple[str, str]] = []

    def run(self, enough: Callable[["Supervisor"], bool]) -> None:
        """Supervise until ``enough``, which is called before each wait; then stop all."""
        try:
            self.start_due()
            while not enough(self):
                self.wait()
                self.start_due()
        finally:
            self.stop()

    def start_due(self) -> None:
        """Start each program that does not run and has waited long enough."""
        for each in self.watched:
            if each.child is None and each.due <= self.table.now():
                self.start(each)

    def wait(self) -> None:
        """Wait until a program is due or has ended, and handle the ends."""
        running = [each.handle for each in self.watched if each.child is not None]
        waiting = [each.due for each in self.watched if each.child is None]
        self.table.wait(running, min(waiting, default=None))
        for each in self.watched:
            if each.child is not None and each.handle.ended():
                self.ended(each)

    def start(self, each: Watched) -> None:
        """Start a program, or schedule its next start."""
        began = self.table.now()
        try:
            # No process has the name: a new child is wanted, whatever runs.
            match = ssd.Match(name=f"of {id(self):x}")
            child = ssd.start(match, each.command, background=False, table=self.table)
        except ssd.StartFailed as failure:
            self.log.append((each.name, f"failed at {failure.stage}"))
            self.put_off(each)
            return
        assert isinstance(child, ssd.Child)
        each.child, each.due = child, began
        self.log.append((each.name, "started"))
        try:
            each.handle = self.table.open(child)
        except ProcessLookupError:  # it has ended already
            self.ended(each)

    def ended(self, each: Watched) -> None:
        """Reap a program and schedule its next start."""
        assert each.child is not None
        if self.table.now() - each.due >= self.settled:
            each.failures = 0
        self.log.append((each.name, f"ended with {self.let_go(each)}"))
        self.put_off(each)

    def put_off(self, each: Watched) -> None:
        """Decide when a program may be started again."""
        each.due = self.table.now() + min(self.first * 2**each.failures, self.longest)
        each.failures += 1

    def let_go(self, each: Watched) -> int:
        """Reap a child that has ended; return its status."""
        assert each.child is not None
        status = each.child.wait()
        for held in (each.child, each.handle):
            if held is not None:
                held.close()
        each.child = each.handle = None
        return status

    def stop(self) -> None:
        """Stop all at the same time, and reap them."""
        running = [each for each in self.watched if each.child is not None]
        try:
            ssd.stop_all(
                [ssd.Match(pid=each.child.pid) for each in running if each.child is not None],
                self.schedule,
                table=self.table,
            )
        finally:
            for each in running:
                if each.handle.ended():
                    self.log.append((each.name, f"stopped with {self.let_go(each)}"))


def after(events: int) -> Callable[[Supervisor], bool]:
    """Return a function that is true once the log has so many lines."""
    return lambda supervisor: len(supervisor.log) >= events


# On fakes -------------------------------------------------------------------------------

TERM, KILL = signal.SIGTERM, signal.SIGKILL


@pytest.fixture
def supervise(fake_processes: FakeProcesses) -> Callable[..., Supervisor]:
    """Return a function that makes a supervisor of fake programs."""

    def supervise(*names: str, **options: float) -> Supervisor:
        commands = {name: ssd.Command([f"/usr/bin/{name}"]) for name in names}
        return Supervisor(commands, table=fake_processes, **options)

    return supervise


Supervise = Callable[..., Supervisor]


def starts(table: FakeProcesses) -> list[float]:
    """Return when processes appeared, from the record."""
    return [event.time for event in table.events if event.what.startswith("appears")]


def test_program_that_ends_is_brought_back(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """After a second; the log has its status."""
    fake_processes.register("/usr/bin/a", runs=in_turn(exits(3, after=100), ignores()))
    supervisor = supervise("a")
    supervisor.run(after(3))
    assert ([("a", "started"), ("a", "ended with 3"), ("a", "started")], [0, 101]) == (
        supervisor.log[:3], starts(fake_processes),
    )  # fmt: skip


def test_restart_of_a_failing_child_waits_longer_each_time(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """Twice as long each time, up to the longest: a minute and a half without waiting."""
    fake_processes.register("/usr/bin/a", runs=exits(1))
    supervise("a", longest=30.0).run(after(16))
    assert [0, 1, 3, 7, 15, 31, 61, 91] == starts(fake_processes)


def test_restart_after_a_long_run_waits_the_first_time_again(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """Its failures are forgotten."""
    fake_processes.register(
        "/usr/bin/a", runs=in_turn(exits(1), exits(1), exits(1, after=10), exits(1))
    )
    supervise("a").run(after(8))
    assert [0, 1, 3, 14] == starts(fake_processes)


def test_restart_follows_a_failed_exec(supervise: Supervise, fake_processes: FakeProcesses) -> None:
    """As if it had ended at once."""
    fake_processes.register("/usr/bin/a", fails=2)
    fake_processes.clock.at(2, lambda: fake_processes.register("/usr/bin/a"))
    supervisor = supervise("a")
    supervisor.run(after(3))
    assert ["failed at exec", "failed at exec", "started"] == [
        what for _, what in supervisor.log[:3]
    ]


def test_failing_child_does_not_delay_another(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """Each waits for itself."""
    fake_processes.register("/usr/bin/a", runs=exits(1))
    fake_processes.register("/usr/bin/b", runs=exits(0, after=5))
    supervisor = supervise("a", "b")
    supervisor.run(lambda _: fake_processes.now() >= 7)
    assert [("b", "started"), ("b", "ended with 0"), ("b", "started")] == [
        each for each in supervisor.log if each[0] == "b"
    ][:3]


def test_stop_of_all_takes_the_time_of_the_slowest(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """TERM, and KILL for those that ignore it; no process is left, not even a zombie."""
    fake_processes.register("/usr/bin/a", reactions={TERM: dies(after=3, status=0)})
    fake_processes.register("/usr/bin/b", reactions={TERM: ignores()})
    before = fake_processes.pids()
    supervisor = supervise("a", "b")
    supervisor.run(after(2))
    assert ([("a", "stopped with 0"), ("b", "stopped with -9")], 5, before) == (
        supervisor.log[2:], fake_processes.now(), fake_processes.pids(),
    )  # fmt: skip


def test_child_that_survives_its_kill_is_reported(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """The others are still reaped."""
    fake_processes.register("/usr/bin/a", reactions={TERM: ignores(), KILL: ignores()})
    fake_processes.register("/usr/bin/b")
    supervisor = supervise("a", "b")
    with pytest.raises(ssd.NotStopped):
        supervisor.run(after(2))
    assert [("b", "stopped with -15")] == supervisor.log[2:]
    assert 10 == fake_processes.now()


def test_child_that_was_killed_from_outside_is_restarted(
    supervise: Supervise, fake_processes: FakeProcesses
) -> None:
    """As by the kernel when memory is short."""
    program = fake_processes.register("/usr/bin/a")
    fake_processes.clock.at(30, lambda: program.processes[0].die(status=-KILL))
    supervisor = supervise("a")
    supervisor.run(after(3))
    assert ("a", "ended with -9") == supervisor.log[1]


# On real children -----------------------------------------------------------------------

CRASHING = "import sys; sys.exit(3)"


def python(code: str) -> ssd.Command:
    """Make the command of a piece of Python."""
    return ssd.Command([sys.executable, "-IS", "-c", code])


@pytest.mark.parametrize("kind", ["kernel", "psutil"])
def test_same_supervisor_looks_after_real_children(kind: str) -> None:
    """It restarts a crashing child, later each time, and does not touch the other."""
    commands = {"crashing": python(CRASHING), "calm": ssd.Command(["/bin/sleep", "1000"])}
    table = ssd.table_named(kind)
    supervisor = Supervisor(commands, table=table, first=0.01, schedule="TERM/300")
    began = table.now()
    supervisor.run(after(8))
    assert table.now() - began >= 0.01 + 0.02 + 0.04
    assert [("calm", "started"), ("calm", "stopped with -15")] == [
        each for each in supervisor.log if each[0] == "calm"
    ]
    assert ["started", "ended with 3"] * 3 == [
        what for name, what in supervisor.log if name == "crashing"
    ][:6]
    assert [] == [each for each in supervisor.watched if each.child is not None]
