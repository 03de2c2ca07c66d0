"""Make ssd.pyz, the one file of scripts/zipapp, for tests."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def make(directory: Path, python: str = sys.executable, line: str = "") -> Path:
    """Make the file in a directory, for one interpreter; return its path.

    line: the interpreter that line 1 names, instead of that one.
    """
    file = directory / "ssd.pyz"
    words = [sys.executable, CHECKOUT / "scripts/zipapp", "--out", file, "--python", python]
    subprocess.run([*words, "--line", line or python], check=True, capture_output=True)
    return file
