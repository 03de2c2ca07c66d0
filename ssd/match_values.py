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


def demand_sense(given: "tuple[object, ...]", interpreted: object, same_namespace: object) -> None:
    """Refuse criteria that make no sense together. Raises ValueError, and TypeError for no flag.

    given: pid, ppid, pidfile, exec, name and user of a Match.
    """
    pid, ppid, pidfile, exec, name, _ = given
    if all(each is None for each in given):
        raise ValueError("a Match needs at least one of pid, ppid, pidfile, exec, name, user")
    if pid is not None and pidfile is not None:
        raise ValueError("a Match takes either pid or pidfile, not both")
    for label, number in (("pid", pid), ("ppid", ppid)):
        if number is not None and not (isinstance(number, int) and number > 0):
            raise ValueError(f"{label} must be a number greater than 0, not {number!r}")
    for label, flag in (("interpreted", interpreted), ("same_namespace", same_namespace)):
        if not isinstance(flag, bool):
            raise TypeError(f"{label} must be True or False, not {flag!r}")
    if interpreted and exec is None and name is None:
        raise ValueError("interpreted needs exec or name: the script that must run, or its name")


def criterion(what: str, value: object, limit: int | None) -> str | bytes | int:
    """Return a criterion of a Match as a plain value; ``limit``: bytes of a name, or None.

    Raises TypeError; warns with MatchWarning of a longer name.
    """
    if what == "user":
        return int(value) if isinstance(value, int) else os.fsdecode(plain_text(what, value))
    found = plain_text(what, value)
    if what != "name" or limit is None:
        return found
    if len(os.fsencode(found)) > limit and sys.platform == "linux":
        import warnings

        text = (
            f"name {os.fsdecode(found)!r} finds nothing: the kernel's name of a process has at "
            f"most {limit} bytes; give exec or pidfile instead, its first {limit}, or also "
            "interpreted=True, for the program's own name"
        )
        warnings.warn(MatchWarning(text), stacklevel=3)
    return found
