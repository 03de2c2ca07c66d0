"""The lab, up in namespaces of its own, once for all tests that need a real nova."""

import subprocess
import time
from collections.abc import Callable, Iterator

import pytest
from lab.layout import Lab, Unsuitable
from lab.machine import Machine

from kit import namespace


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
