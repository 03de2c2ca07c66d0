"""The values of a Match that are no plain texts: paths as objects, bytes, and long names."""

import os
import sys


class MatchWarning(UserWarning):
    """A Match that no process can meet: its name is longer than the kernel stores."""


def plain_text(what: str, value: object) -> str | bytes:
    """Return a text or path as a str or bytes of no subclass. Raises TypeError."""
    if isinstance(value, (str, bytes, os.PathLike)):
        plain: str | bytes = os.fspath(value)[:]
        return plain
    raise TypeError(f"{what} must be a text or a path, not {value!r}")


def criterion(what: str, value: object, limit: int) -> str | bytes | int:
    """Return a criterion of a Match as a plain value; ``limit``: bytes of a name.

    Raises TypeError; warns with MatchWarning of a longer name.
    """
    if what == "user":
        return int(value) if isinstance(value, int) else os.fsdecode(plain_text(what, value))
    found = plain_text(what, value)
    if what == "name" and len(os.fsencode(found)) > limit and sys.platform == "linux":
        import warnings

        text = (
            f"name {os.fsdecode(found)!r} finds nothing: the kernel's name of a process has at "
            f"most {limit} bytes; give exec or pidfile instead, or its first {limit}"
        )
        warnings.warn(MatchWarning(text), stacklevel=3)
    return found
