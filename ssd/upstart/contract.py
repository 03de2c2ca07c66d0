"""What the engine needs of processes: for type checkers only.

Import it under ``if TYPE_CHECKING``; nothing at run time needs it. ``ssd.upstart.processes`` is for
real machines, and tests have their own.
"""

from typing import Protocol

from ssd.matching import Process
from ssd.supervision.effects.held import Held, OwnChild
from ssd.upstart.job import Job

Child = OwnChild | Held


class Starter(Protocol):
    """What starts the processes of jobs: ``ssd.upstart.processes.Processes``."""

    def start(self, job: Job, stage: str, environment: dict[str, str]) -> OwnChild:
        """Start the process of a stage. Raises StageFailed."""

    def ended(self, job: Job, stage: str) -> None:
        """Write what is left of its output."""

    def terminals(self, job: Job) -> dict[str, int]:
        """Return the descriptors of the terminals of a job's stages."""

    def take_terminal(self, job: Job, stage: str, fd: int) -> None:
        """Go on with a terminal that the program before has left open."""

    def write_logs(self) -> None:
        """Write the output of ended jobs that no log could take before."""

    def close(self) -> None:
        """Let everything go."""


class Follower(Protocol):
    """What finds the process of a program that forks: ``ssd.upstart.following.follower``."""

    process: Process

    @property
    def expects(self) -> str:
        """What is still expected, as ``expect`` of a job says it."""

    def begin(self) -> None:
        """Begin to watch."""

    def main_ended(self, status: int | None) -> bool:
        """Tell whether the end of the first process was the fork that was expected."""

    def end(self) -> None:
        """Let go."""
