"""The checks of a Command, for its callers in a program.

The command ``ssd`` checks its options itself, so a usual start does not load this module.
"""

import os

from ssd.errors import PidfileUnwritable, StartFailed
from ssd.signals import INT_MAX

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeGuard

    from ssd.starting.command import Command

ID_MAX = 2**32 - 2  # (uid_t) -1 means "leave it" to setresuid(2)
UMASK_MAX = 0o777  # umask(2) ignores other bits
LIMIT_MAX = 2**63 - 1  # the largest that Python passes to setrlimit(2)
LIMITS_EXAMPLE = "{resource.RLIMIT_NOFILE: (1024, 4096)}"


def check(command: "Command") -> None:
    """Raise ValueError, which names the field, for a value that cannot work.

    That is: no whole number, a number out of range, a NUL byte (it would end the text early in
    the kernel), or a variable's name that no environment can hold (environ(7)).
    """
    umask = command.umask
    if umask is not None and not (_is_whole(umask) and 0 <= umask <= UMASK_MAX):
        raise ValueError(f"umask must be a number from 0 to 0o777, not {umask!r}")
    if not (_is_whole(command.nice) and abs(command.nice) <= INT_MAX):  # nice(2) takes an int
        raise ValueError(f"nice must be a whole number, not {command.nice!r}")
    for label, who in (("user", command.user), ("group", command.group)):
        if not (who is None or isinstance(who, str) or _is_whole(who) and 0 <= who <= ID_MAX):
            raise ValueError(f"{label} must be a name or a number from 0 to {ID_MAX}, not {who!r}")
    for name in command.environment or {}:
        if not name or b"=" in name:
            raise ValueError(f"environment: a name must not be empty or contain =, not {name!r}")
    for label, texts in _texts(command).items():
        for text in texts:
            if b"\0" in text:
                raise ValueError(f"{label} has a NUL byte in it: {text!r}")
    if vars(command):  # they may have been set since
        from ssd.starting.rare import checked

        command.__dict__ = checked(vars(command))


def pair(what: str, given: object, names: tuple[str, ...]) -> "tuple[str, int] | None":
    """Return a name and a priority as plain values, or None for None. Raises ValueError."""
    if given is None:
        return None
    if not (isinstance(given, (tuple, list)) and len(given) == 2 and _is_whole(given[1])):
        example = f"({given if given in names else names[0]!r}, 0)"
        raise ValueError(f"{what} must be a name and a priority, {example}, not {given!r}")
    if given[0] not in names:
        kind = "unknown scheduling policy" if what == "cpu_scheduling" else "unknown I/O class"
        raise ValueError(f"{kind} {given[0]!r}: {what} has one of {', '.join(names)}")
    return given[0][:], int(given[1])


def limits(given: "Mapping[int, tuple[int, int]] | None") -> dict[int, tuple[int, int]] | None:
    """Return the limits as plain numbers, or None for None. Raises ValueError."""
    if given is None:
        return None
    if not hasattr(given, "items"):
        raise ValueError(f"limits must be a mapping, {LIMITS_EXAMPLE}, not {given!r}")
    found = {}
    for number, both in given.items():
        if not _is_whole(number):
            raise ValueError(f"limits must be by number, {LIMITS_EXAMPLE}, not by {number!r}")
        if not (isinstance(both, (tuple, list)) and len(both) == 2 and all(map(_is_limit, both))):
            raise ValueError(
                f"limits[{number}] must be a soft and a hard limit, {LIMITS_EXAMPLE}, not {both!r}"
            )
        found[int(number)] = (int(both[0]), int(both[1]))
    return found


def shown(command: "Command", default: "Command") -> str:
    """Return the call that makes a Command, without the fields that are as in ``default``.

    An environment is shown by its names only, because it may hold a password.
    """
    given = [repr(command.argv)]
    for name in (*type(default).__slots__[1:-1], *vars(command)):
        value = getattr(command, name)
        if value == getattr(default, name):
            continue
        if name in ("environment", "variables"):
            names = ", ".join(map(repr, value))
            given.append(f"{name}=<{names}>")
        else:
            given.append(f"{name}={value!r}")
    return f"Command({', '.join(given)})"


def _texts(command: "Command") -> dict[str, list[bytes]]:
    """Return the texts of each field that go to the kernel."""
    environment = command.environment or {}
    return {
        "argv": command.argv,
        "directory": [command.directory],
        "root": [command.root or b""],
        "output": [command.output or b""],
        "user": [os.fsencode(command.user)] if isinstance(command.user, str) else [],
        "group": [os.fsencode(command.group)] if isinstance(command.group, str) else [],
        "environment": [text for pair in environment.items() for text in pair],
    }


def _is_limit(value: object) -> bool:
    return _is_whole(value) and -1 <= value <= LIMIT_MAX  # -1: resource.RLIM_INFINITY


def _is_whole(value: object) -> "TypeGuard[int]":
    return isinstance(value, int) and not isinstance(value, bool)


def absolute(path: bytes, what: str) -> bytes:
    """Return a relative path, "pidfile" or "output", with the working directory before it.

    Raises PidfileUnwritable or StartFailed if that directory does not exist any more.
    """
    try:
        return os.getcwdb() + b"/" + path
    except OSError as error:
        shown = os.fsdecode(path)
        if what == "pidfile":
            raise PidfileUnwritable(shown, error.strerror, error.errno) from error
        raise StartFailed(what, shown, error.errno, error.strerror) from error
