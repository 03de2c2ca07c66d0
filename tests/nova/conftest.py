"""nova-compute in the lab's machine (kit.nova_machine), behind each of its entry points."""

from collections.abc import Iterator

import pytest
from lab import entry_points
from lab.entry_points import Compute
from lab.machine import Machine

ENTRY_POINTS = {
    "debian": entry_points.debian,
    "ours": entry_points.ours,
    "declared": entry_points.declared,
}


@pytest.fixture(autouse=True, scope="session")
def durations(request: pytest.FixtureRequest) -> None:
    """Print how long each test takes, with its setup."""
    plugins = request.config.pluginmanager
    plugins.register(Durations(plugins.getplugin("terminalreporter")))


class Durations:
    """Adds up the parts of each test."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self.reporter = reporter
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the time of one part; print the sum when the last has come."""
        name = report.nodeid.rpartition("::")[2]
        self.seconds[name] = self.seconds.get(name, 0) + report.duration
        if report.when == "teardown":
            self.reporter.ensure_newline()
            self.reporter.write_line(f"  {self.seconds[name]:6.1f} s  {name}")


@pytest.fixture(scope="module", params=ENTRY_POINTS)
def entry(request: pytest.FixtureRequest, machine: Machine) -> Iterator[Compute]:
    """Return nova-compute behind each entry point, one after the other."""
    compute = Compute(machine, ENTRY_POINTS[request.param](machine.lab))
    yield compute
    compute.verb("stop")


@pytest.fixture
def compute(entry: Compute) -> Compute:
    """Return a nova-compute that runs and is ready; one that an earlier test left is used."""
    if entry.status() != 0:
        entry.verb("start")
    entry.ready()
    return entry
