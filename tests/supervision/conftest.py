"""What tests of this room can ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

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
