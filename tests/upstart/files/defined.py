"""A supervisor of jobs that only notes what files have it do, with the kernel's notices."""

import time
from collections.abc import Callable
from pathlib import Path

from kit.children import WAIT_TIMEOUT

from ssd.service.sources.upstart import JobFile
from ssd.supervision.supervisor import Supervisor
from ssd.upstart.files import Directory

SLEEP = "exec sleep 300\n"


class Noting(Supervisor):
    """Has the jobs of a directory. ``files``: by name; ``done``, ``said``: in order."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, JobFile] = {}
        self.shipped: set[str] = set()
        self.done: list[str] = []
        self.said: list[tuple[str, str]] = []
        self.directory: Directory | None = None

    def define(self, file: JobFile, shipped: bool = False) -> None:
        """Note it."""
        self.files[file.name] = file
        self.done.append(f"+{file.name}")
        (self.shipped.add if shipped else self.shipped.discard)(file.name)

    def undefine(self, name: str) -> None:
        """Note it."""
        del self.files[name]
        self.done.append(f"-{name}")

    def tell(self, level: str, text: str) -> None:
        """Note it."""
        self.said.append((level, text))

    def follow(self, *paths: Path) -> Directory:
        """Read and follow directories."""
        given = [str(path) for path in paths]
        self.directory = Directory(given, self.watch, self, self.tell)
        self.done.clear()
        return self.directory

    def wait(self, condition: Callable[[], object]) -> None:
        """Take turns, as a loop does, until a condition holds."""
        end = time.monotonic() + WAIT_TIMEOUT
        while not condition():
            assert time.monotonic() < end, (self.done, self.said)
            self.turn(0.2)

    def turn(self, seconds: float) -> None:
        """Wait for a notice or a timer, no longer than this, and take it."""
        until = min(filter(None, (self.until, self.table.now() + seconds)))
        self.table.wait(self.handles, until)
        self.advance()

    @property
    def own(self) -> list[str]:
        """The names of the jobs of the directories."""
        return sorted(self.files.keys() - self.shipped)

    def line(self, name: str) -> str:
        """Return what a job executes."""
        return self.files[name].stages["main"].text

    def faults(self) -> list[str]:
        """Return what was told of files."""
        return [text for level, text in self.said if level == "error"]

    def close(self) -> None:
        """Let all go."""
        if self.directory is not None:
            self.directory.close()
        super().close()


def write(path: Path, text: str = SLEEP) -> None:
    """Write a file beside its place and rename it, as a package manager does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new~")
    beside.write_text(text)
    beside.rename(path)
