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


def lacks(path: str) -> str | None:
    """Ask our own stand-in for nova-compute what it lacks; None for nothing, or another program.

    Raises OSError where it cannot be executed.
    """
    if os.path.basename(path) != STAND_IN:
        return None
    import subprocess  # dear, and its start takes a hundred times as long

    asked = subprocess.run([path, "--installed"], capture_output=True, text=True, check=False)
    return asked.stderr.strip() if asked.returncode == NOT_INSTALLED else None


def first_line(path: str) -> str:
    """Return the beginning of a file's first line; nothing of one that cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:
            return os.fsdecode(file.read(256).partition(b"\n")[0])
    except OSError:
        return ""


def chooser(search: str, script: str) -> "Callable[[list[str]], str | None]":
    """Return a function that chooses the first program of a list that can be executed.

    A name without a slash is looked for in the directories of ``search``. ``script`` is
    never chosen: it may have the service's name, and lie in one of them.
    """

    def choose(candidates: list[str]) -> str | None:
        for candidate in candidates:
            paths = [candidate]
            if "/" not in candidate:
                paths = [f"{os.path.abspath(d or '.')}/{candidate}" for d in search.split(":")]
            # As command -v, which is satisfied with the first that it finds.
            found = next((path for path in paths if runnable(path)), None)
            if found is not None and not _same(found, script):
                return found
        return None

    return choose


def _same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:  # a text that came from no file
        return False
