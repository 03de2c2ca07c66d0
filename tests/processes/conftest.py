"""Fixtures of the process tables' tests: the kernel's table, and a world for any table."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ssd.processes.contract import ProcessTable
from ssd.processes.linux import LinuxTable
from ssd.testing import RealWorld

Mirror = Callable[..., LinuxTable]


@pytest.fixture
def table() -> LinuxTable:
    """Return the machine's own table."""
    return LinuxTable()


@pytest.fixture
def world(table: ProcessTable) -> Iterator[RealWorld]:
    """Return a world of real children."""
    world = RealWorld(table)
    yield world
    world.close()


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    """Return a function that makes a /proc of some files of some processes."""

    def mirror(*pids: int, files: tuple[str, ...] = ("stat", "comm", "exe")) -> LinuxTable:
        (tmp_path / "self").symlink_to(str(os.getpid()))
        for pid in pids:
            (tmp_path / str(pid)).mkdir()
            for file in files:
                (tmp_path / str(pid) / file).symlink_to(f"/proc/{pid}/{file}")
        return LinuxTable(str(tmp_path))

    return mirror
