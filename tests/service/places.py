"""A folder of declarations, and the command that looks into it."""

import subprocess
from pathlib import Path

from ssd import pidfile


class Place:
    """A folder of declarations, and the command that looks into it."""

    def __init__(self, folder: Path, command: Path) -> None:
        self.folder = folder
        self.command = command
        self.pidfile = folder / "nap.pid"

    def declare(self, text: str = "", name: str = "nap") -> None:
        """Declare a nap, with more lines."""
        (self.folder / f"{name}.toml").write_text(
            'executable = "/bin/sleep"\narguments = ["1000"]\n'
            f'pidfile = "{self.folder}/{name}.pid"\n{text}'
            if "executable" not in text
            else f'pidfile = "{self.folder}/{name}.pid"\n{text}'
        )

    def __call__(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        argv = [self.command, f"--directory={self.folder}", *words]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, **options)

    def expect(self, status: int, *words: str) -> str:
        """Insist on an exit status; return what was printed."""
        done = self(*words)
        assert status == done.returncode, done.stdout + done.stderr
        return done.stdout

    @property
    def pid(self) -> int | None:
        """Return the pid in the pidfile."""
        return pidfile.read(str(self.pidfile))
