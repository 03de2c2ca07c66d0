"""The hosts of a simulation: how long each takes, and what goes wrong on it."""

import random
from typing import NamedTuple


class Fate(NamedTuple):
    """What will happen on one host, whatever the rollout is. Times are in seconds."""

    stop: float
    start: float
    heartbeat: float = 0.0  # from its start to the first sign of life that nova sees
    killed: bool = False  # it outlives its schedule, whose last signal is KILL
    reachable: bool = True
    fails: bool = False  # its restart fails, or the process ends ``lives`` seconds after it
    lives: float = 0.0
    done: bool = False  # an earlier run has restarted it: a resumed one only looks

    @property
    def restart(self) -> float:
        """Return how long it does not run."""
        return self.stop + self.start


class Fleet(NamedTuple):
    """Many hosts. A range is in seconds, and each value in it is as probable as any other.

    nova-compute takes 5 to 12 seconds to stop and about 15 for a restart, as measured with a real
    one (docs/howto/nova-compute.md). That one in a hundred needs KILL after the 30 seconds of its
    schedule is assumed, and so is each probability of a failure.
    """

    hosts: int = 10_000
    seed: int = 1
    stop: tuple[float, float] = (5.0, 12.0)
    start: tuple[float, float] = (4.0, 9.0)
    heartbeat: tuple[float, float] = (0.0, 10.0)  # nova's report_interval is 10
    killed: float = 0.01  # probability, 0 to 1
    schedule: float = 30.0  # seconds until KILL
    unreachable: float = 0.0  # probability
    bad: float = 0.0  # share of the hosts on which the new version fails
    lives: float = 0.0  # seconds after its restart at which it fails

    def fates(self) -> list[Fate]:
        """Draw all hosts. The same seed gives the same hosts, however many of them fail."""
        draw = random.Random(self.seed).random
        return [self._fate(*(draw() for _ in range(6))) for _ in range(self.hosts)]

    def _fate(
        self, stop: float, start: float, heartbeat: float, killed: float, lost: float, bad: float
    ) -> Fate:
        """Make a host of six numbers between 0 and 1."""
        late = killed < self.killed
        return Fate(
            stop=self.schedule if late else _between(self.stop, stop),
            start=_between(self.start, start),
            heartbeat=_between(self.heartbeat, heartbeat),
            killed=late,
            reachable=lost >= self.unreachable,
            fails=bad < self.bad,
            lives=self.lives,
        )


def _between(limits: tuple[float, float], share: float) -> float:
    low, high = limits
    return low + (high - low) * share
