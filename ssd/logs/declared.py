"""How a log is to be written, as a program declares it: the keyword ``logger`` of a Command."""

import os
from collections.abc import Mapping
from math import inf

from ssd.homes import log_directory
from ssd.logs import DEFAULTS
from ssd.logs.forms import FORMS

SYSLOG = "syslog"
_FILES = ("path", "stderr_path")


def normal(value: object) -> dict[str, object]:
    """Return the settings that a logger gets, without those that have their defaults.

    value: a path, ``"syslog"``, or a mapping like the field ``log`` of a declaration, which may
    have the ``name`` that syslog and the form json show. Raises TypeError and ValueError.
    """
    if value == SYSLOG:
        return {"kind": "none", "syslog": True}
    if isinstance(value, Mapping):
        return {
            str(key): _checked(str(key), each) for key, each in value.items() if each is not None
        }
    if isinstance(value, (str, bytes, os.PathLike)):
        return {"path": _checked("path", value)}
    raise TypeError(f"logger must be a path, {SYSLOG!r} or a mapping of settings, not {value!r}")


def files(settings: "Mapping[str, object]", program: str) -> tuple[str | None, str | None]:
    """Return the files of standard output and error, absolute; None for one that has none.

    settings: in their normal form. program: its base name is that of a log without path and name.
    """
    if settings.get("kind") == "none":
        return None, None
    name = settings.get("name") or os.path.basename(program)
    out = settings.get("path") or f"{log_directory(os.geteuid())}/{name}.log"
    err = settings.get("stderr_path") or out
    return os.path.abspath(str(out)), os.path.abspath(str(err))


def _checked(key: str, value: object) -> object:
    """Return a setting as a plain value. Raises TypeError and ValueError."""
    if key == "name" or key in _FILES:
        if not isinstance(value, (str, bytes, os.PathLike)):
            raise TypeError(f"logger: {key} must be a text, not {value!r}")
        text = os.fsdecode(value)[:]
        if not text or "\0" in text:
            raise ValueError(f"logger: {key} must be a text without NUL bytes, not {value!r}")
        return text
    if key not in DEFAULTS:
        raise ValueError(
            f"logger: unknown setting {key!r}; known: {', '.join(('name', *DEFAULTS))}"
        )
    default = DEFAULTS[key]
    choices = {"kind": ("file", "none"), "form": tuple(FORMS)}.get(key)
    if choices is not None:
        if value not in choices:
            raise ValueError(f"logger: {key} must be one of {', '.join(choices)}, not {value!r}")
        return str(value)
    if isinstance(default, bool) or isinstance(value, bool):
        if not (isinstance(default, bool) and isinstance(value, bool)):
            raise ValueError(f"logger: {key} must not be {value!r}")
        return value
    kinds = (int, float) if key == "max_age" else int
    if not (isinstance(value, kinds) and 0 <= value < inf):
        raise ValueError(f"logger: {key} must be a number from 0, not {value!r}")
    return value
