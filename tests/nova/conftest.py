"""The lab, up in namespaces of its own for all tests in here, and nova-compute in it."""

import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from kit import namespace
from lab import entry_points
from lab.entry_points import Compute
from lab.layout import Lab, Unsuitable
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


@pytest.fixture(scope="session")
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return a function that prints a line at once, captured or not."""
    plugins = request.config.pluginmanager
    reporter = plugins.getplugin("terminalreporter")

    def tell(text: str) -> None:
        with plugins.getplugin("capturemanager").global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(text)

    return tell


@pytest.fixture(scope="session")
def machine(tell: Callable[[str], None]) -> Iterator[Machine]:
    """Return the machine that runs the lab; the steps of its making are printed."""
    if namespace.obstacle():
        pytest.skip(str(namespace.obstacle()))
    try:
        lab = Lab.here()
    except Unsuitable as error:
        pytest.skip(str(error))
    outside = subprocess.run([lab.checkout / "scripts/nova-lab", "status"], capture_output=True)
    assert outside.returncode == 3, "the lab is up already; first: scripts/nova-lab down"
    machine = Machine(lab)
    try:
        began = time.monotonic()
        machine.build(tell)
        machine.furnish()
        yield machine
        tell(f"nova's tests took {time.monotonic() - began:.0f} s with the lab's start")
    finally:
        machine.close()


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
