"""Links that are replaced, never missing."""

import os
from pathlib import Path

from ssd.upstart.cli.links import replace


def test_link_is_made_and_replaced(tmp_path: Path) -> None:
    """Also after a process that was killed in between."""
    link = str(tmp_path / "link")
    replace(link, "one")
    assert "one" == os.readlink(link)
    os.symlink("half", f"{link}.new")
    replace(link, "two")
    assert "two" == os.readlink(link)
    assert ["link"] == os.listdir(tmp_path)
