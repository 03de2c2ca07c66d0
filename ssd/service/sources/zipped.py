"""Read a declaration that ships with the package in a zip file (zipapp)."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec


def text(path: str, directory: str, spec: "ModuleSpec | None") -> "str | None":
    """Return the text of a file of a directory in a zip file; None for any other path.

    ``spec``: of a module in the same zip file; other modules have no such files.
    """
    read: Callable[[str], bytes] | None = getattr(spec and spec.loader, "get_data", None)
    if read is None or os.path.dirname(path) != directory:
        return None
    try:
        found = read(path)
    except OSError:  # zipimport raises it for an unknown name
        return None
    return found.decode()
