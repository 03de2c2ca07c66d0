"""The packages that scripts/packages builds, in layers of a clean Debian."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from conftest import CHECKOUT

from kit import roots

OURS = ("python3-ssd", "ssd", "ssd-divert")
# All that the three depend on.
NEEDED = "apt-get -qq install -y python3 python3-daemon python3-lockfile python3-psutil"


class Debian:
    """The layers of one release: bare, with what ours need, and with ours."""

    def __init__(self, release: str, directory: Path, packages: Path) -> None:
        self.release = release
        self.shared = directory / "shared"
        self.shared.mkdir()
        for file in packages.iterdir():  # with the source package
            shutil.copy(file, self.shared)
        self._directory = directory
        self.bare = roots.clean(release, directory, self.shared)

    def debs(self, *names: str) -> str:
        """Return the files of packages, as a machine sees them."""
        found = [
            f"/srv/{file.name}" for name in names for file in self.shared.glob(f"{name}_*.deb")
        ]
        assert len(names) == len(found), f"{names}: {found}"
        return " ".join(found)

    def copy(self, directory: Path, *names: str) -> None:
        """Copy the files of packages into a directory that is made for them."""
        directory.mkdir()
        for file in self.debs(*names).split():
            shutil.copy(self.shared / Path(file).name, directory)

    def needs(self) -> list[Path]:
        """Return the layers with what our packages depend on."""
        return self._once("needs", lambda: self.bare, NEEDED)

    def ours(self) -> list[Path]:
        """Return the layers with our packages, too."""
        return self._once("ours", self.needs, f"apt-get -qq install -y {self.debs(*OURS)}")

    def _once(self, name: str, below: Callable[[], list[Path]], script: str) -> list[Path]:
        layer = self._directory / name
        if layer.exists():
            return [*below(), layer / "up"]
        return roots.grown(below(), layer, self.shared, script)


def built(release: str, directory: Path) -> Path:
    """Return the directory of a release's packages: that of SSD_DEBS, or the script's."""
    given = os.environ.get("SSD_DEBS")
    if given:
        return Path(given) / release
    return build(release, directory)


def build(release: str, directory: Path) -> Path:
    """Let the script build a release's packages in there; return their directory."""
    words = ["--release", release, "--out", directory, "--cache", roots.cache()]
    done = subprocess.run(
        [CHECKOUT / "scripts" / "packages", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return directory / release
