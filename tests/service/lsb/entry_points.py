"""The entry points to the LSB functions: programs that take a function and its arguments.

``original`` is Debian's library in dash, for which it is written. The others are this project's
library in three shells, and its command.
"""

import os
import shutil
import sys
from pathlib import Path

from kit import debian

CASES = Path(__file__).with_name("cases.toml")
ORIGINAL = Path("/lib/lsb/init-functions")
NAME = "init-script"  # the $0 of all, at the beginning of messages

_LIBRARY = """\
#!/bin/sh
SSD_SERVICE={service}
export SSD_SERVICE
exec {shell} -c '. "{library}"; "$@"' {name} "$@"
"""
_COMMAND = '#!/bin/sh\nexec {service} lsb --as {name} "$@"\n'

SHELLS = ("dash", "bash", "busybox")
OURS = (*SHELLS, "command")


def shell_library() -> Path:
    """Return the shell library that was installed with the package under test."""
    return Path(sys.prefix, "share", "ssd", "init-functions")


def service() -> Path:
    """Return the installed ``ssd-service``."""
    return Path(sys.executable).with_name("ssd-service")


def shell(name: str, directory: Path) -> str:
    """Return the words that run a POSIX shell; a missing one is unpacked into ``directory``.

    Skips the test if Debian's package is not available.
    """
    if name == "busybox":
        found = directory / "bin" / name
        if not found.exists():
            (unpacked,) = debian.unpack(name).glob(f"**/bin/{name}")
            found.parent.mkdir(mode=0o755)
            shutil.copy(unpacked, found)
        return f"{found} sh"
    return f"{shutil.which(name)} --posix" if name == "bash" else str(shutil.which(name))


def build(directory: Path) -> dict[str, str]:
    """Write a program for each entry point into a directory that all users may read."""
    directory.chmod(0o755)
    words = {"service": service(), "name": NAME}
    texts = {"original": _LIBRARY.format(shell="/bin/dash", library=ORIGINAL, **words)}
    for name in SHELLS:
        text = _LIBRARY.format(shell=shell(name, directory), library=shell_library(), **words)
        texts[name] = text
    texts["command"] = _COMMAND.format(**words)
    for name, text in texts.items():
        path = directory / name
        path.write_text(text)
        os.chmod(path, 0o755)
    return {name: str(directory / name) for name in texts}
