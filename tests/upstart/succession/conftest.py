"""What tests of this room can ask for."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .kept import Kept

Keep = Callable[..., Kept]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    """Return a function that makes a machine of jobs whose supervisor keeps a journal."""
    yield lambda **texts: Kept(tmp_path, **texts)
    while Kept.made:
        Kept.made.pop().let_go()
