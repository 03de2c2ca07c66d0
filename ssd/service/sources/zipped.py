"""The declarations that ship with the package where that is a zip file (zipapp)."""

import os

from ssd.service import sources as catalogue


def text(path: str) -> str | None:
    """Return the text of a shipped declaration; None for what is none, or is in no zip file."""
    read = getattr(catalogue.__spec__.loader, "get_data", None) if catalogue.__spec__ else None
    if read is None or os.path.dirname(path) != catalogue.SHIPPED:
        return None
    try:
        found: bytes = read(path)
    except OSError:  # zipimport's word for no such name
        return None
    return found.decode()
