"""What tests of this room can ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .asked import Asked

Ask = Callable[..., Asked]


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Ask]:
    """Return a function that makes a machine of jobs, given by the texts of their files."""
    made: list[Asked] = []

    def one(is_system: bool = True, **texts: str) -> Asked:
        made.append(Asked(tmp_path, is_system, **texts))
        return made[-1]

    yield one
    for each in made:
        each.close()
