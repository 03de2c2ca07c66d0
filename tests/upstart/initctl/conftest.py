"""Fixtures for the client: a supervisor that answers from a table, and the commands."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.upstart.initctl import main, reach

from .fake import FakeJobs, serving


@pytest.fixture
def place(monkeypatch) -> Iterator[Path]:
    """Return a run directory, with a short path, that the client looks into."""
    for name in ("UPSTART_JOB", "UPSTART_INSTANCE", "UPSTART_SESSION", "RUNLEVEL"):
        monkeypatch.delenv(name, raising=False)
    with tempfile.TemporaryDirectory(prefix="ssd-", dir="/tmp") as directory:
        monkeypatch.setattr(reach, "run_directories", lambda *given: [directory])
        yield Path(directory)


@pytest.fixture
def jobs(place: Path, capfd) -> Iterator[FakeJobs]:
    """Return a supervisor; its ``run`` runs a command: (status, output, errors)."""
    fake = FakeJobs()

    def run(*words: str) -> tuple[int, str, str]:
        status = main(list(words))
        said = capfd.readouterr()
        return status, said.out, said.err

    fake.run = run
    with serving(fake, place / "socket"):
        yield fake
