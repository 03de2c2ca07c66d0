"""The fields of a Command that start-stop-daemon lacks: their defaults and their checks.

A Command keeps only those that differ from their defaults, in its ``__dict__``: so that tells
whether a start takes steps that the original does not know.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[object], object]

OOM_SCORES = range(-1000, 1001)  # proc(5), oom_score_adj
OOM_EXAMPLE = "from -1000 (never kill it) to 1000"


def _flag(name: str) -> "Check":
    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {value!r}")
        return value

    return check


def _path(name: str) -> "Callable[[object], bytes]":
    """Return the check of a path, which is kept as bytes."""

    def check(value: object) -> bytes:
        if not isinstance(value, (str, bytes, os.PathLike)):
            raise TypeError(f"{name} must be a text or a path, not {value!r}")
        path = os.fsencode(value)
        if not path or b"\0" in path:
            raise ValueError(f"{name} must be a path without NUL bytes, not {value!r}")
        return path

    return check


def _variables(value: object) -> dict[bytes, bytes]:
    """Return variables as bytes."""
    if not hasattr(value, "items"):
        raise TypeError("variables must be a mapping, {'NAME': 'text'}")
    try:
        found = {os.fsencode(name): os.fsencode(text) for name, text in value.items()}
    except TypeError as error:
        raise TypeError(f"variables must be texts: {error}") from None
    for name, text in found.items():
        if not name or b"=" in name:
            raise ValueError(f"variables: a name must not be empty or contain =, not {name!r}")
        if b"\0" in name + text:
            raise ValueError(f"variables: {name!r} has a NUL byte in it")
    return found


def _oom_score_adj(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value not in OOM_SCORES:
        raise ValueError(f"oom_score_adj must be {OOM_EXAMPLE}, not {value!r}")
    return int(value)


def _meaningful(name: str) -> "Check":
    """Make the check of a text that ``ssd.surroundings.capabilities`` reads."""

    def check(value: object) -> str:
        from ssd.surroundings import capabilities

        if not isinstance(value, str):
            raise TypeError(f"{name} must be a text, not {value!r}")
        try:
            read = capabilities.securebits if name == "securebits" else capabilities.inheritance
            read(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        return value[:]

    return check


def _logger(value: object) -> dict[str, object]:
    from ssd.logs.declared import normal

    return normal(value)


# Name -> its default, and what returns a value in its normal form. That raises ValueError and
# TypeError with a text that begins with the name.
RARE: "dict[str, tuple[object, Check]]" = {
    "login": (False, _flag("login")),
    "variables": ({}, _variables),
    "oom_score_adj": (None, _oom_score_adj),
    "capabilities": (None, _meaningful("capabilities")),
    "no_new_privs": (False, _flag("no_new_privs")),
    "securebits": (None, _meaningful("securebits")),
    "stdout": (None, _path("stdout")),
    "stderr": (None, _path("stderr")),
    "logger": (None, _logger),
    "tree": (False, _flag("tree")),
}


def checked(given: "Mapping[str, object]") -> dict[str, object]:
    """Return the rare fields that differ from their defaults, in their normal form.

    Raises TypeError for an unknown field, and what the checks raise.
    """
    found = {}
    for name, value in given.items():
        if name not in RARE:
            raise TypeError(f"Command() got an unexpected keyword argument {name!r}")
        default_value, check = RARE[name]
        if value != default_value:
            found[name] = check(value)
    return found


def default(fields: dict[str, object], name: str) -> object:
    """Return the default of a rare field. Raises AttributeError for another name.

    One that can be changed is kept in ``fields``, which the Command has: so it can be added to.
    """
    if name not in RARE:
        raise AttributeError(f"a Command has no field {name!r}")
    value = RARE[name][0]
    return fields.setdefault(name, dict(value)) if isinstance(value, dict) else value
