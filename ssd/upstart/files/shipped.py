"""Jobs that come with ssd: they are there unless a directory has one of their name."""

import os

from ssd.service.sources.upstart import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.service.sources.upstart import JobFile

NAMES = ("wait-for-state",)
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shipped")
PLACE = "@DIRECTORIES@"  # in a shipped file: the directories of jobs, as words of sh(1)


def shipped(name: str, directories: "Sequence[str]") -> "JobFile":
    """Return a job that comes with ssd, by one of NAMES.

    directories: of the other jobs. Raises OSError if the package is damaged.
    """
    path = f"{SHIPPED}/{name}.conf"
    words = " ".join("'" + each.replace("'", "'\\''") + "'" for each in directories)
    return parse(_text(path).replace(PLACE, words), name, file=path)


def _text(path: str) -> str:
    """Read a file of the package, which may be in a zip file (zipapp)."""
    read = getattr(__spec__.loader, "get_data", None) if __spec__ else None
    if read is not None:
        found: bytes = read(path)
        return found.decode()
    with open(path, encoding="utf-8") as file:
        return file.read()
