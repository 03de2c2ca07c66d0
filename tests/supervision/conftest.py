"""What tests of this room can ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kit.supervise import supervise as supervised

from .asked import SERVICES, Asked
from .controlled import Controlled

Supervise = Callable[..., Controlled]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Return a function that makes a supervisor of services, given by their fields."""
    made: list[Controlled] = []

    def one(*services: dict[str, Any], **options: Any) -> Controlled:
        made.append(Controlled(tmp_path, services, **options))
        return made[-1]

    yield one
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def command(ssd_path: Path) -> Path:
    """Return the installed ssd-service."""
    return ssd_path.with_name("ssd-service")


@pytest.fixture
def asked(command: Path, tmp_path: Path) -> Iterator[Asked]:
    """Return a supervisor of all kinds of services, which runs."""
    with supervised(command.with_name("ssd-supervise"), tmp_path / "d", SERVICES) as running:
        running.until("nap runs as process", "named runs as process")
        made = Asked(running, command, tmp_path / "d")
        for name in ("nap", "file"):  # they are ready then
            made.expect(0, name, "start")
        yield made
