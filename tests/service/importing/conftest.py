"""A configuration of supervisord, imported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ssd.service import Service
from ssd.service.importing import supervisord

Tell = Callable[..., tuple[dict[str, Service], list[str]]]


@pytest.fixture
def imported(tmp_path: Path) -> Tell:
    """Return a function that imports a text; it returns the services, and the notes."""

    def tell(text: str, **environment: str) -> tuple[dict[str, Service], list[str]]:
        file = tmp_path / "s.conf"
        file.write_text(f"[supervisord]\n{text}")
        made = supervisord.read(str(file), {"PATH": "/usr/bin:/bin", **environment})
        notes = [str(note).removeprefix(f"{tmp_path}/") for note in made.notes]
        return {service.name: service for service in made.services}, notes

    return tell
