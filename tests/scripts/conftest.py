"""Machines with the init script on them: under ssd, and under the original."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ORACLE, skip_without_oracle

from .machine import Machine, subreaper


@pytest.fixture
def script(checkout: Path) -> Path:
    """Return the init script."""
    return checkout / "scripts" / "nova-compute"


@pytest.fixture(params=["ssd", "original"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, script: Path, ssd_path: Path
) -> Iterator[Machine]:
    """Return a machine without any daemon; once with ssd, once with the original."""
    if request.param == "original":
        skip_without_oracle()
    with subreaper():
        machine = Machine(tmp_path, script, ssd_path if request.param == "ssd" else ORACLE)
        try:
            yield machine
        finally:
            machine.end()


@pytest.fixture
def ssd_machine(tmp_path: Path, script: Path, ssd_path: Path) -> Iterator[Machine]:
    """Return a machine with ssd, for what the original does not do or has no part in."""
    with subreaper():
        machine = Machine(tmp_path, script, ssd_path)
        try:
            yield machine
        finally:
            machine.end()
