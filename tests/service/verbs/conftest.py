"""A service on fake processes, for the tests of verbs."""

from pathlib import Path

import pytest

from ssd.service import Service
from ssd.service.verbs import performing
from ssd.testing import FakeProcesses


@pytest.fixture
def pidfile(tmp_path: Path) -> Path:
    """Return the path for the service's pidfile."""
    return tmp_path / "nap.pid"


@pytest.fixture
def do(pidfile: Path, capfd):
    """Return a function that performs a verb; it returns the status and both outputs."""

    def do(verb: str, table: FakeProcesses | None = None, **fields: object) -> tuple[int, str, str]:
        given = {"name": "nap", "description": "A nap", "executable": "/bin/sleep",
                 "pidfile": str(pidfile), **fields}  # fmt: skip
        status = performing.perform(
            Service(**given), verb, program="ssd-service", script="/etc/init.d/nap",
            table=FakeProcesses() if table is None else table,
        )  # fmt: skip
        return (status, *capfd.readouterr())

    return do


@pytest.fixture
def running(pidfile: Path) -> FakeProcesses:
    """Return a table on which the service runs as process 200."""
    table = FakeProcesses()
    table.add("sleep", pid=200)
    pidfile.write_text("200\n")
    return table
