"""Machines with the init script: with ssd, and with the original."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.debian import ORACLE, skip_without_oracle

from .machine import Machine, subreaper
from .prefixes import Prefix


@pytest.fixture
def script(checkout: Path) -> Path:
    """Return the init script."""
    return checkout / "scripts" / "nova-compute"


@pytest.fixture(params=["ssd", "original", "declared"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, script: Path, ssd_path: Path
) -> Iterator[Machine]:
    """Return a machine without a daemon: the script with ssd or the original, or its twin."""
    if request.param == "original":
        skip_without_oracle()
    with made(request.param, tmp_path, script, ssd_path) as machine:
        yield machine


@pytest.fixture(params=["ssd", "declared"])
def ssd_machine(
    request: pytest.FixtureRequest, tmp_path: Path, script: Path, ssd_path: Path
) -> Iterator[Machine]:
    """Return a machine with ssd, for tests in which the original has no part."""
    with made(request.param, tmp_path, script, ssd_path) as machine:
        yield machine


@pytest.fixture
def shell_machine(tmp_path: Path, script: Path, ssd_path: Path) -> Iterator[Machine]:
    """Return a machine with ssd, for faults that only a script that calls a tool can have."""
    with made("ssd", tmp_path, script, ssd_path) as machine:
        yield machine


@contextlib.contextmanager
def made(kind: str, root: Path, script: Path, ssd_path: Path) -> Iterator[Machine]:
    """Make a machine and end it; ``declared`` has the twin in place of the script."""
    with subreaper():
        if kind == "declared":
            twin = script.with_name("nova-compute-declared")
            machine = Machine.declared(root, twin, ssd_path.with_name("ssd-service"))
        else:
            machine = Machine(root, script, ORACLE if kind == "original" else ssd_path)
        try:
            yield machine
        finally:
            machine.end()


@pytest.fixture
def scripts(ssd_path: Path) -> Path:
    """Return the directory of the installed scripts."""
    return ssd_path.parent


@pytest.fixture
def prefix(tmp_path: Path, scripts: Path) -> Prefix:
    """Return a prefix without an interpreter and without packages."""
    return Prefix(tmp_path / "prefix", scripts)
