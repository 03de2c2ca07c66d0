"""Symbolic links that others follow at any moment: replaced, never missing."""

import os


def replace(path: str, target: str) -> None:
    """Have a link lead somewhere else, at once. Raises OSError."""
    made = f"{path}.new"
    if os.path.lexists(made):  # of a process that was killed in between
        os.unlink(made)
    os.symlink(target, made)
    os.rename(made, path)
