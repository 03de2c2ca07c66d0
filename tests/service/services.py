"""A directory of declarations, and the command that reads it."""

import subprocess
from pathlib import Path

from ssd import pidfile


class Services:
    """A directory of declarations, and the command that reads it."""

    def __init__(self, directory: Path, command: Path) -> None:
        self.directory = directory
        self.command = command
        self.pidfile = directory / "nap.pid"

    def declare(self, text: str = "", name: str = "nap") -> None:
        """Declare the service nap, with more lines."""
        (self.directory / f"{name}.toml").write_text(
            'executable = "/bin/sleep"\narguments = ["1000"]\n'
            f'pidfile = "{self.directory}/{name}.pid"\n{text}'
            if "executable" not in text
            else f'pidfile = "{self.directory}/{name}.pid"\n{text}'
        )

    def __call__(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        argv = [self.command, f"--directory={self.directory}", *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, **options)

    def expect(self, status: int, *words: str) -> str:
        """Check the exit status; return the output."""
        done = self(*words)
        assert status == done.returncode, done.stdout + done.stderr
        return done.stdout

    @property
    def pid(self) -> int | None:
        """Return the pid in the pidfile."""
        return pidfile.read(str(self.pidfile))
