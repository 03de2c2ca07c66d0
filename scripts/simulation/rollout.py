"""A rolling restart as Ansible's strategy ``linear`` does it, on the clock of ssd.testing.

The hosts are divided into batches (``serial``). A batch goes through the tasks one by one, and
each task waits for the slowest host of the batch. The main process queues one host after another
for a worker, of which ``forks`` run at once; workers share the processors of the controller until
their host has its work. A host that fails lets its batch finish, and ends the rollout.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from simulation.fleet import Fate
from ssd.testing.clock import FakeClock

Serial = int | str  # hosts, or a percentage of all hosts: "5%"
Finished = Callable[[], None]
SHORTEST = 0.001  # seconds; a main process that takes no time would queue all hosts at once


class Controller(NamedTuple):
    """Where ansible-playbook runs. CPU seconds are for one host and one task.

    ``main`` is the part of the main process, which works on one host at a time. The rest is that
    of a worker: ``remote`` for a module over ssh, ``local`` for a task that stays on the
    controller. As measured: 85 ms for a module, 6 to 14 of them in the main process, which takes
    most with 10,000 hosts; 12 to 20 ms for a worker that stays (docs/explanation/fleet.md).
    """

    processors: int = 4
    main: float = 0.010
    remote: float = 0.075
    local: float = 0.016


class Tasks(NamedTuple):
    """What the role rolling_restart does for each host, here with the hooks of nova."""

    drain: bool = True  # the hooks drain and resume; without them a host is only restarted
    before: int = 5  # other tasks that stay on the controller, before the restart
    after: int = 3  # and after it
    module: float = 0.35  # seconds on the host of a module that finds nothing to do
    answer: float = 0.3  # seconds of a question to nova's API
    timeout: float = 10.0  # seconds until ssh gives a host up


WITHOUT_HOOKS = Tasks(drain=False, before=0, after=1)


class Rollout(NamedTuple):
    """How a fleet is restarted."""

    serial: tuple[Serial, ...] = (1, "1%", "5%", "10%")
    forks: int = 100
    soak: float = 120.0  # seconds after the canary, the first batch
    max_failed: int = 0  # hosts that may fail, or be unreachable, before it stops
    tasks: Tasks = Tasks()
    controller: Controller = Controller()


class Result(NamedTuple):
    """What came out. Hosts are counted; times are in seconds."""

    seconds: float
    batches: int
    most_down: int  # hosts whose process did not run, at the worst moment
    down_seconds: float  # the same over all hosts and time
    most_out: int  # hosts that were drained or down, at the worst moment
    out_seconds: float
    touched: int  # hosts whose process was told to stop
    failed: int  # of them, those that are down at the end
    unreachable: int
    stopped: bool  # before its time
    processor_seconds: float  # on the controller


def size(serial: Serial, hosts: int) -> int:
    """Return how many hosts one value of ``serial`` means; a percentage is at least one host."""
    if isinstance(serial, int):
        return serial
    return int(int(serial.removesuffix("%")) / 100.0 * hosts) or 1


def batches(hosts: int, serial: tuple[Serial, ...]) -> list[range]:
    """Return the batches of a play: its last value of ``serial`` is repeated, as in Ansible."""
    found: list[range] = []
    begin = 0
    sizes = [size(each, hosts) for each in serial]
    while begin < hosts:
        count = sizes[min(len(found), len(sizes) - 1)] if sizes else 0
        end = min(begin + count, hosts) if count > 0 else hosts
        found.append(range(begin, end))
        begin = end
    return found


class Gauge:
    """How many hosts are in a state now, at the worst moment, and for how long altogether."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._seconds = 0.0
        self.most = 0

    def enter(self, host: int) -> None:
        """Count a host from now on; it may be counted already."""
        self._since.setdefault(host, self._clock.now())
        self.most = max(self.most, len(self._since))

    def leave(self, host: int) -> None:
        """Count it no more."""
        self._seconds += self._clock.now() - self._since.pop(host, self._clock.now())

    def hosts(self) -> set[int]:
        """Return those that are in the state now."""
        return set(self._since)

    def seconds(self) -> float:
        """Return the sum of all hosts until now."""
        return self._seconds + sum(self._clock.now() - since for since in self._since.values())


class Strategy:
    """What ``linear`` does with one task: when it reaches which host."""

    def __init__(self, clock: FakeClock, controller: Controller, forks: int) -> None:
        if controller.main < SHORTEST or controller.processors < 1 or forks < 1:
            raise ValueError(f"{controller}, {forks} forks: each must be more")
        self._clock = clock
        self._main = controller.main
        self._idle = forks
        self._processors = [0.0] * controller.processors  # when each is free
        self._main_idle = True
        self.processor_seconds = 0.0

    def run(
        self, hosts: Iterable[int], worker: float, work: Callable[[int, Finished], None]
    ) -> None:
        """Do a task on all hosts, and return when the last one has finished.

        ``worker`` is its CPU seconds; ``work(host, finished)`` begins what is done on a host.
        """
        queue = deque(hosts)
        left = len(queue)

        def dispatch() -> None:
            if not (queue and self._idle and self._main_idle):
                return
            self._idle, self._main_idle = self._idle - 1, False
            ready = self._compute(self._main + worker)
            self._clock.after(self._main, main_has_queued)
            self._clock.at(ready, partial(work, queue.popleft(), finished))

        def main_has_queued() -> None:
            self._main_idle = True
            dispatch()

        def finished() -> None:
            nonlocal left
            self._idle, left = self._idle + 1, left - 1
            dispatch()

        dispatch()
        self._clock.advance_until(lambda: not left and self._main_idle)

    def _compute(self, seconds: float) -> float:
        """Take a processor, in turn; return when it has worked for so long."""
        free = max(heapq.heappop(self._processors), self._clock.now())
        heapq.heappush(self._processors, free + seconds)
        self.processor_seconds += seconds
        return free + seconds


class Play:
    """One run of the playbook."""

    def __init__(self, fates: Sequence[Fate], rollout: Rollout) -> None:
        self._fates = fates
        self._rollout = rollout
        self._clock = FakeClock()
        self._strategy = Strategy(self._clock, rollout.controller, rollout.forks)
        self._down, self._out = Gauge(self._clock), Gauge(self._clock)
        self._touched: set[int] = set()
        self._failed: set[int] = set()  # as Ansible has seen
        self._lost: set[int] = set()

    def result(self) -> Result:
        """Run it to its end, or until too many hosts have failed."""
        number, soaked, stopped = 0, False, False
        for batch in batches(len(self._fates), self._rollout.serial):
            number += 1
            restarted = self._batch(batch)
            stopped = self._stops(batch)
            if restarted and not soaked and not stopped:
                self._soak(restarted)
                soaked, stopped = True, self._stops(batch)
            if stopped:
                break
        return Result(
            seconds=self._clock.now(),
            batches=number,
            most_down=self._down.most,
            down_seconds=self._down.seconds(),
            most_out=self._out.most,
            out_seconds=self._out.seconds(),
            touched=len(self._touched),
            failed=len(self._down.hosts()),
            unreachable=len(self._lost),
            stopped=stopped,
            processor_seconds=self._strategy.processor_seconds,
        )

    def rest(self) -> list[Fate]:
        """Return the hosts of a resumed run: without those that are down or unreachable."""
        bad = self._failed | self._lost | self._down.hosts()
        return [
            fate._replace(done=fate.done or host in self._touched)
            for host, fate in enumerate(self._fates)
            if host not in bad
        ]

    def _stops(self, batch: range) -> bool:
        """Say whether too many have failed. Ansible stops also where a batch has no good host."""
        bad = self._failed | self._lost
        return len(bad) > self._rollout.max_failed or bad.issuperset(batch)

    def _batch(self, batch: range) -> list[int]:
        """Do all tasks on a batch; return the hosts that were restarted."""
        tasks, controller = self._rollout.tasks, self._rollout.controller
        self._strategy.run(batch, controller.remote, self._reach)
        if self._stops(batch):
            return []
        hosts = [host for host in batch if host not in self._lost and not self._fates[host].done]
        self._on_controller(hosts, tasks.before)
        if tasks.drain:
            self._strategy.run(hosts, controller.local, self._drain)
        self._strategy.run(hosts, controller.remote, self._restart)
        if tasks.drain:
            well = [host for host in hosts if host not in self._failed]
            self._strategy.run(well, controller.local, self._resume)
        self._on_controller(hosts, tasks.after)
        return hosts

    def _on_controller(self, hosts: Sequence[int], tasks: int) -> None:
        for _ in range(tasks):
            self._strategy.run(hosts, self._rollout.controller.local, _nothing)

    def _soak(self, hosts: Sequence[int]) -> None:
        """Wait, and look whether the canary still lives."""
        if self._rollout.soak:
            self._clock.advance(self._rollout.soak)
            self._strategy.run(hosts, self._rollout.controller.remote, self._look)

    def _reach(self, host: int, finished: Finished) -> None:
        if self._fates[host].reachable:
            self._clock.after(self._rollout.tasks.module, finished)
        else:
            self._lost.add(host)
            self._clock.after(self._rollout.tasks.timeout, finished)

    def _look(self, host: int, finished: Finished) -> None:
        if host in self._down.hosts():
            self._failed.add(host)
        self._clock.after(self._rollout.tasks.module, finished)

    def _drain(self, host: int, finished: Finished) -> None:
        self._out.enter(host)
        self._clock.after(self._rollout.tasks.answer, finished)

    def _restart(self, host: int, finished: Finished) -> None:
        fate = self._fates[host]
        self._touched.add(host)
        self._down.enter(host)
        self._out.enter(host)

        def up() -> None:
            if fate.fails and not fate.lives:
                self._failed.add(host)
            else:
                self._down.leave(host)
                if not self._rollout.tasks.drain:
                    self._out.leave(host)
                if fate.fails:
                    self._clock.after(fate.lives, partial(self._dies, host))
            finished()

        self._clock.after(self._rollout.tasks.module + fate.restart, up)

    def _dies(self, host: int) -> None:
        self._down.enter(host)
        self._out.enter(host)

    def _resume(self, host: int, finished: Finished) -> None:
        def seen() -> None:
            if host not in self._down.hosts():
                self._out.leave(host)
            finished()

        self._clock.after(self._rollout.tasks.answer + self._fates[host].heartbeat, seen)


def simulate(fates: Sequence[Fate], rollout: Rollout) -> Result:
    """Return what a rollout over these hosts takes."""
    return Play(fates, rollout).result()


def _nothing(_: int, finished: Finished) -> None:
    finished()


def attempts(fates: Sequence[Fate], rollout: Rollout) -> Iterator[Result]:
    """Yield each run until all is done: after a stop the rest resumes, without the bad hosts.

    The batches of a resumed run are of all hosts again. Those that are done are only looked at,
    and its first batch with a restart is a canary again.
    """
    while fates:
        play = Play(fates, rollout)
        result = play.result()
        yield result
        if not result.stopped:
            return
        fates = play.rest()
