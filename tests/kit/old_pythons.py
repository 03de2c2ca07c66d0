"""Python 3.9 and 3.10, on which ssd.pyz runs and the installed ssd does not.

``needed`` is for a test that must run on one: ::

    old = old_pythons.needed("3.9")
    subprocess.run([old.python, "-IS", file, "--version"], env=old.environment)
"""

import functools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from kit import debian, roots

VERSIONS = ("3.9", "3.10")
# The release of Debian that has the version, and the packages: without what Debian 12 has.
PACKAGES = {
    "3.9": (
        "bullseye",
        ("python3.9-minimal", "libpython3.9-minimal", "libpython3.9-stdlib", "libffi7"),
    ),
}


@dataclass(frozen=True)
class Old:
    """An interpreter: its path, and the environment that it needs to find its libraries."""

    version: str
    python: str
    environment: dict[str, str]


def needed(version: str) -> Old:
    """Return an interpreter of a version: of PATH, or Debian's. Skips the test without one."""
    found = on_path(version)
    if found:
        return Old(version, found, dict(os.environ))
    if version not in PACKAGES:
        pytest.skip(f"there is no python{version} on PATH that runs")
    suite, names = PACKAGES[version]
    root = debian.unpack_from(suite, *names)
    return Old(version, f"{root}/usr/bin/python{version}", debian.environment(root))


@functools.cache
def on_path(version: str) -> str:
    """Return the path of an interpreter of a version that PATH finds and that runs, or ""."""
    code = "import sys; print(sys.executable)"
    # For pyenv's, which runs the version that this says.
    given = {**os.environ, "PYENV_VERSION": version}
    try:
        words = [f"python{version}", "-IS", "-c", code]
        done = subprocess.run(words, capture_output=True, text=True, env=given)
    except FileNotFoundError:
        return ""
    path = done.stdout.strip()
    return path if done.returncode == 0 and Path(path).is_file() else ""


def debian_11(directory: Path, shared: Path) -> list[Path]:
    """Return the layers of a Debian 11 with its python3, which is 3.9 (``roots.fresh``).

    For tests with the mark packages. ``directory`` takes the layers; ``shared`` is /srv.
    """
    layers = roots.clean("11", directory, shared)
    return roots.grown(layers, directory / "python3", shared, "apt-get -qq install -y python3")
