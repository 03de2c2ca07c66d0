"""A system whose only programs are BusyBox's applets and Python, as on a small distribution.

A command runs in namespaces of its own, in which all directories of programs are replaced: sh is
BusyBox's, and an option that only GNU's tools have is an error.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from kit import debian, namespace

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# $1: the programs. /bin is a link to /usr/bin on most systems, a directory of its own on others.
_REPLACE = """
programs=$1; shift
mount --bind "$programs" /usr/bin
mount -o bind "$programs" /usr/sbin
for each in /bin /sbin; do [ -L "$each" ] || mount -o bind "$programs" "$each"; done
exec "$@"
"""


def programs(directory: Path) -> Path:
    """Make a directory with BusyBox, a link for each of its applets, and Python.

    Skips the test if there is no BusyBox, and none can be fetched.
    """
    found = shutil.which("busybox") or next(debian.unpack("busybox").glob("**/bin/busybox"))
    made = directory / "programs"
    made.mkdir(parents=True)
    made.chmod(0o755)
    shutil.copy(found, made / "busybox")
    applets = subprocess.run([found, "--list"], capture_output=True, text=True, check=True)
    for applet in applets.stdout.split():
        if applet != "busybox":
            (made / applet).symlink_to("busybox")
    python = os.path.realpath(sys.executable)
    shutil.copy(python, made / os.path.basename(python))
    (made / "python3").symlink_to(os.path.basename(python))
    return made


def command(
    argv: Sequence[str | bytes], programs: Path, keep: Iterable[str | Path] = ()
) -> list[str | bytes]:
    """Return the words that run ``argv`` with these programs; see ``namespace.command``."""
    reason = namespace.obstacle()
    if reason:
        pytest.skip(reason)
    inside = ["sh", "-ec", _REPLACE, "sh", str(programs), *argv]
    return namespace.command(inside, keep=[programs, *keep])
