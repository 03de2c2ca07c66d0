"""The two commands that are compared."""

import os
from pathlib import Path

import pytest

from .programs import ORACLE, Tool


@pytest.fixture
def ssd(ssd_path: Path) -> Tool:
    """Return ssd, which is called with its arguments."""
    return Tool(str(ssd_path), is_original=False)


@pytest.fixture(params=["original", "ssd"])
def tool(request: pytest.FixtureRequest, ssd_path: Path) -> Tool:
    """Return the original in one run of the test and ssd in the other."""
    if request.param == "ssd":
        return Tool(str(ssd_path), is_original=False)
    if not os.access(ORACLE, os.X_OK):
        pytest.skip(f"{ORACLE} is not installed")
    return Tool(ORACLE, is_original=True)
