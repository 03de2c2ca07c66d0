"""A supervisor of all kinds of services in a namespace, and ssd-service in there."""

import os
import subprocess
from pathlib import Path

from kit.supervise import NAP, Supervise

BAD = f'before_start = "echo one; echo two; exit 3"\nmanual = true\n{NAP}'
SERVICES = {
    "nap": f'description = "A nap"\nreload_signal = "CONT"\n{NAP}',
    "bad": BAD,
    "loop": f'{BAD}[respawn]\nwhen = "always"\ndelay = 1000\n',
    "gone": 'executable = "/bin/nosuch"\nmanual = true\n',
    "file": f'name = "named"\n{NAP}',
}


class Asked:
    """A supervisor in a namespace, and ssd-service in there."""

    def __init__(self, running: Supervise, command: Path, directory: Path) -> None:
        self.running = running
        self.directory = directory
        self.argv = [command, f"--directory={directory}"]

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run ssd-service."""
        return self.running.run(*self.argv, *words)

    @property
    def is_root(self) -> bool:
        """Whether the namespaces have our own users."""
        return os.geteuid() == 0

    def expect(self, status: int, *words: str) -> str:
        """Check the exit status; return the output."""
        done = self(*words)
        assert status == done.returncode, done.stdout + done.stderr
        return done.stdout

    def pids(self, name: str = "sleep") -> list[int]:
        """Return the processes of that name, by their pids in the namespace."""
        found = self.running.processes().items()
        # Nobody reaps orphans of ssd-service in there.
        return sorted(pid for pid, shown in found if shown[:2] != "Z " and shown[2:] == name)
