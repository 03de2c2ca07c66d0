"""A prefix of its own for the scripts, as an installer makes one."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from kit.children import WAIT_TIMEOUT

import ssd

PYTHON = os.path.realpath(sys.executable)
VERSION = "python{}.{}".format(*sys.version_info)
PACKAGES = f"lib/{VERSION}/site-packages"
HERE = Path(
    str(ssd.__file__)
).parent.parent  # the packages that pip has installed: ssd and its dependencies
COMMANDS = ("ssd", "ssd-service", "ssd-supervise", "ssd-initctl")
HOME_LINE = re.compile('^home = ".*?"', re.MULTILINE)
STRANGER = "import os; os.write(2, b'a stranger\\n'); os._exit(77)\n"


class Prefix:
    """A prefix of its own, with the scripts and packages."""

    def __init__(self, root: Path, scripts: Path, packages: str = PACKAGES) -> None:
        self.root = root
        self.bin = root / "bin"
        self.packages = root / packages
        self.bin.mkdir(parents=True)
        self.packages.mkdir(parents=True, exist_ok=True)
        for command in COMMANDS:
            shutil.copy(scripts / command, self.bin)
        script = self.bin / "ssd"
        script.write_text(HOME_LINE.sub('home = ""', script.read_text()))  # as pip installs it
        self.noted(f"#!{self.bin}/python3 -IS\n")

    def furnish(self) -> "Prefix":
        """Install the packages."""
        for package in ("ssd", "daemon", "lockfile", "psutil"):
            (self.packages / package).symlink_to(HERE / package)
        return self

    def break_package(self, text: str) -> "Prefix":
        """Install a package ssd that consists only of this text."""
        (self.packages / "ssd").mkdir()
        (self.packages / "ssd/__init__.py").write_text(text)
        return self

    def python(self, program: str = PYTHON) -> "Prefix":
        """Put the interpreter beside the scripts, as in a virtual environment."""
        (self.bin / "python3").symlink_to(program)
        return self

    def venv(self) -> "Prefix":
        """Make it a virtual environment."""
        shutil.copy(Path(sys.prefix) / "pyvenv.cfg", self.root)
        return self

    def noted(self, text: str) -> "Prefix":
        """Write the first line of the script ssd, as pip does."""
        script = self.bin / "ssd"
        script.write_text(text + script.read_text().partition("\n")[2])
        return self

    def __call__(
        self, command: str, *words: object, **options: object
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command of this prefix."""
        argv = [str(self.bin / command), *map(str, words)]
        settings = {"capture_output": True, "text": True, "timeout": WAIT_TIMEOUT, **options}
        return subprocess.run(argv, **settings)  # type: ignore[call-overload, no-any-return]
