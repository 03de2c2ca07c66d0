"""The directories that generated files make, where others can write what is above them."""

import os
import subprocess
from pathlib import Path

import pytest

from ssd.service.generators import systemd, sysv, upstart

# How the shell is to make the directory $1 with mode 0755 for the owner $2.
MAKERS = {
    "sysv": f'{sysv.MAKE_DIRECTORY}\nmake_directory "$1" 0755 "$2"',
    "systemd": f'set -- "$1" 0755 "$2"; {systemd.MAKE}',
    "upstart": upstart.MAKE.format(path='"$1"', mode="0755", owner='"$2"'),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_link_that_is_planted_meanwhile_gives_no_file_away(kind: str, tmp_path: Path) -> None:
    """The owner goes to the link itself: what it leads to is not touched."""
    victim, made = tmp_path / "victim", tmp_path / "made"
    victim.touch()
    planted = f"install() {{ ln -s {victim} {made}; }}\n"
    before = victim.stat().st_ctime_ns
    words = ["sh", "-ec", planted + MAKERS[kind], "sh", made, f"{os.getuid()}:{os.getgid()}"]
    assert 0 == subprocess.run(words).returncode
    assert (True, before) == (made.is_symlink(), victim.stat().st_ctime_ns)
