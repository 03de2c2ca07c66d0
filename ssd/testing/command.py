"""The command ``ssd``, run in this process on declared processes."""

import os
from typing import NamedTuple

from ssd.cli import run
from ssd.stdio import Voice
from ssd.testing.clock import WaitsForEver
from ssd.testing.fake import FakeProcesses
from ssd.testing.process import FakeProcess


class Result(NamedTuple):
    """The result of a command: its exit status and what it wrote."""

    exit_status: int
    stdout: str
    stderr: str


class Heard(Voice):
    """A voice that keeps its texts and writes to no descriptor."""

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.texts = {1: "", 2: ""}

    def write(self, fd: int, text: str) -> None:
        """Keep a text."""
        self.texts[fd] += text

    def on_terminal(self, fd: int = 1) -> bool:
        """Return False: it is no terminal."""
        return False


class SsdCommand:
    """``ssd`` as a function of its words: ``command("--stop", "--pidfile", path)``.

    Returns a Result. The descriptors, signals and umask of this process are not touched. A start
    makes a process of a program that is registered with ``table``. A start in the foreground
    lasts as long as the program, and has its exit status.
    """

    def __init__(self, table: FakeProcesses) -> None:
        self.table = table

    def __call__(self, *words: str | int | os.PathLike[str]) -> Result:
        """Run it with words, paths and numbers.

        Raises NotRegistered, and WaitsForEver if it would never return.
        """
        voice = Heard("ssd")
        before = len(self.table.started)
        status = run([str(word) for word in words], voice, self.table)
        for process in self.table.started[before:]:
            if process.ppid == self.table.caller.pid:  # by a start in the foreground
                status = self._end_of(process)
        return Result(status, voice.texts[1], voice.texts[2])

    def _end_of(self, child: FakeProcess) -> int:
        """Let time pass until a program in the foreground has ended; return its exit status."""
        if not self.table.clock.advance_until(lambda: child.ended):
            raise WaitsForEver(
                f"{child} runs in the foreground and no coming event ends it: "
                "start it with --background, or register it with runs=..."
            )
        child.reap()
        status = child.status or 0
        return 128 - status if status < 0 else status  # as in a shell
