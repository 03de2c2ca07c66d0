"""Find programs, as ``command -v`` of a shell does."""

import os
import stat

from ssd.statuses import NOT_INSTALLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

STAND_IN = "ssd-compute"


def runnable(path: str) -> bool:
    """Tell whether a path leads to a regular file that may be executed."""
    try:
        return stat.S_ISREG(os.stat(path).st_mode) and os.access(path, os.X_OK)
    except OSError:
        return False


def lacks(path: str) -> "str | None":
    """Ask ssd's stand-in for nova-compute what is missing; None if nothing, or another program.

    Raises OSError if it cannot be executed.
    """
    if os.path.basename(path) != STAND_IN:
        return None
    import subprocess  # slow to load, but the program takes a hundred times as long

    asked = subprocess.run([path, "--installed"], capture_output=True, text=True, check=False)
    return asked.stderr.strip() if asked.returncode == NOT_INSTALLED else None


def first_line(path: str) -> str:
    """Return the beginning of a file's first line, an empty text if it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return os.fsdecode(file.read(256).partition(b"\n")[0])
    except OSError:
        return ""


def chooser(search: str, script: str) -> "Callable[[list[str]], str | None]":
    """Return a function that chooses the first executable program of a list.

    It searches the directories of ``search`` (as in PATH) for a name without a slash. It never
    chooses ``script``, which may have the service's name and stand in one of them.
    """

    def choose(candidates: "list[str]") -> "str | None":
        for candidate in candidates:
            paths = [candidate]
            if "/" not in candidate:
                paths = [f"{os.path.abspath(d or '.')}/{candidate}" for d in search.split(":")]
            # As command -v, which takes the first one that it finds.
            found = next((path for path in paths if runnable(path)), None)
            if found is not None and not _same(found, script):
                return found
        return None

    return choose


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # a declaration that was not read from a file
        return False
