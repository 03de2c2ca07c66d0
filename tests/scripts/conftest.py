"""Machines with the init script on them: under ssd, and under the original."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.debian import ORACLE, skip_without_oracle

from .machine import Machine, subreaper
from .places import Place


@pytest.fixture
def script(checkout: Path) -> Path:
    """Return the init script."""
    return checkout / "scripts" / "nova-compute"


@pytest.fixture(params=["ssd", "original", "declared"])
def machine(
    request: pytest.FixtureRequest, tmp_path: Path, script: Path, ssd_path: Path
) -> Iterator[Machine]:
    """Return a machine without any daemon: the script with ssd or the original, and its twin."""
    if request.param == "original":
        skip_without_oracle()
    with made(request.param, tmp_path, script, ssd_path) as machine:
        yield machine


@pytest.fixture(params=["ssd", "declared"])
def ssd_machine(
    request: pytest.FixtureRequest, tmp_path: Path, script: Path, ssd_path: Path
) -> Iterator[Machine]:
    """Return a machine with ssd, for what the original does not do or has no part in."""
    with made(request.param, tmp_path, script, ssd_path) as machine:
        yield machine


@pytest.fixture
def shell_machine(tmp_path: Path, script: Path, ssd_path: Path) -> Iterator[Machine]:
    """Return a machine with ssd, for what only a script that calls a tool can get wrong."""
    with made("ssd", tmp_path, script, ssd_path) as machine:
        yield machine


@contextlib.contextmanager
def made(kind: str, root: Path, script: Path, ssd_path: Path) -> Iterator[Machine]:
    """Make a machine and see to its end; ``declared`` has the twin in the script's place."""
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
def place(tmp_path: Path, scripts: Path) -> Place:
    """Return a prefix without an interpreter and without packages."""
    return Place(tmp_path / "prefix", scripts)
