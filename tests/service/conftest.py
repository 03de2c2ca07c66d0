"""What tests of services can ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .places import Place


@pytest.fixture
def place(tmp_path: Path, ssd_path: Path) -> Iterator[Place]:
    """Return a place, and stop whatever is left running in it."""
    place = Place(tmp_path, ssd_path.with_name("ssd-service"))
    yield place
    place("all", "stop")
