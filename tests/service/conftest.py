"""What tests of services can ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .services import Services


@pytest.fixture
def services(tmp_path: Path, ssd_path: Path) -> Iterator[Services]:
    """Return a directory of declarations, and stop what is left running."""
    services = Services(tmp_path, ssd_path.with_name("ssd-service"))
    yield services
    services("all", "stop")
