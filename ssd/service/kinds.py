"""What the value of a field may be: a row of ``TABLE`` for each kind.

A check takes a value as TOML, a shell file or Python gives it and returns its normal form, or
raises ``BadValue``. The row also names the form in which a shell file writes the value;
``ssd.service.sources.shell_values`` reads that, for only a shell file needs it.
"""

from ssd.service.errors import BadValue
from ssd.service.fields import DIRECTORY, TABLES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def check(kind: str, value: object) -> object:
    """Return the normal form of a value. Raises BadValue."""
    if kind in TABLE:
        return TABLE[kind][0](value)
    return _choice(value, kind.split()[1:])


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadValue(f"must be text, not {value!r}")
    if "\0" in value:
        raise BadValue("must not contain a NUL byte")
    if not value.isascii():
        try:
            value.encode("utf-8", "surrogateescape")  # as os.fsencode will
        except UnicodeEncodeError:
            raise BadValue("must be valid Unicode; it contains half of a surrogate pair") from None
    return value


def _line(value: object) -> str:
    text = _text(value)
    if "\n" in text:
        raise BadValue("must be a single line")
    return text


def _word(value: object) -> str:
    text = _line(value)
    if not text:
        raise BadValue("must not be empty; leave it out for none")
    return text


def _name(value: object) -> str:
    text = _line(value)
    # It becomes the name of files: pidfile, log, unit, init script.
    if not text or "/" in text or text[0] in ".-" or text != text.strip():
        raise BadValue(f"must be usable as a file name, not {text!r}")
    return text


def _path(value: object) -> str:
    text = _line(value)
    if not text.startswith("/"):
        raise BadValue(f"must be an absolute path, not {text!r}")
    return text


def _pidfile(value: object) -> str:
    return "none" if value == "none" else _path(value)


def _list(value: object, of: "Callable[[object], object]", what: str) -> "list[object]":
    if isinstance(value, (str, bytes)) or not isinstance(value, (list, tuple)):
        raise BadValue(f"must be a list of {what}, not {value!r}")
    return [of(each) for each in value]


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadValue(f"must be true or false, not {value!r}")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValue(f"must be a whole number, not {value!r}")
    return value


def _count(value: object) -> int:
    number = _integer(value)
    if number < 0:
        raise BadValue(f"must be 0 or more, not {number}")
    return number


def _seconds(value: object) -> "int | float":
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
        raise BadValue(f"must be a number of seconds, not {value!r}")
    return value


def _octal(value: object) -> str:
    if not isinstance(value, str) or not value or value.strip("01234567") or len(value) > 4:
        raise BadValue(f"must be octal digits in quotes, not {value!r}")
    return value


def _choice(value: object, choices: "list[str]") -> str:
    if value not in choices:
        raise BadValue(f"must be one of {', '.join(choices)}, not {value!r}")
    return str(value)


def _runlevel(value: object) -> str:
    return _choice(str(value), "0 1 2 3 4 5 6 S".split())


def _schedule(value: object) -> str:
    from ssd.schedule import Schedule, ScheduleError

    text = _text(value)
    try:
        Schedule.parse(text)
    except ScheduleError as error:
        raise BadValue(str(error)) from None
    return text


def _nice(value: object) -> int:
    number = _integer(value)
    if not -40 <= number <= 40:  # the niceness is -20 to 19 (nice(2)): no more can be added
        raise BadValue(f"must be -40 to 40, not {number}")
    return number


def _hook(value: object) -> str:
    """Check shell text; a list of words becomes the text that means them."""
    if isinstance(value, str):
        return _text(value)
    from ssd.service.words import join

    return join([str(each) for each in _list(value, _text, "texts, or text")])


def _mapping(value: object) -> "Mapping[str, object]":
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise BadValue(f"must be a table, not {value!r}")
    return value


def _table(value: object) -> "dict[str, str]":
    made = {}
    for key, text in _mapping(value).items():
        if not key or "=" in key or "\0" in key:
            raise BadValue("must be a valid variable name", key)
        try:
            made[key] = _text(text)
        except BadValue as error:
            raise BadValue(error.reason, key) from None
    return made


def entries(value: object, kinds: "Mapping[str, str]") -> "dict[str, object]":
    """Check a table whose keys are known. Raises BadValue."""
    made = {}
    for key, entry in _mapping(value).items():
        if key not in kinds:
            raise BadValue("unknown key", key, tuple(kinds))
        try:
            made[key] = check(kinds[key], entry)
        except BadValue as error:
            raise BadValue(error.reason, key) from None
    return made


def _directories(value: object) -> "list[object]":
    def one(each: object) -> object:
        made = entries({"path": each} if isinstance(each, str) else each, DIRECTORY)
        if "path" not in made:
            raise BadValue("must have a path")
        return {"mode": "0755", **made}

    return _list(value, one, "tables with a path")


def _keyed(kind: str) -> "Callable[[object], object]":
    """Make the check of a table with known keys, of which the rest is in ``rare_kinds``."""
    return _rare(lambda value: entries(value, TABLES[kind]), kind)


def _rare(first: "Callable[[object], object]", name: str) -> "Callable[[object], object]":
    """Make a check whose second part is loaded only if a declaration has such a value."""

    def both(value: object) -> object:
        from ssd.service import rare_kinds

        return getattr(rare_kinds, name)(first(value))

    return both


# kind -> its check, and its form in a shell file
TABLE: "dict[str, tuple[Callable[[object], object], str]]" = {
    "address": (_rare(_line, "address"), "text"),
    "capabilities": (_rare(_text, "capabilities"), "text"),
    "count": (_count, "integer"),
    "cpu": (_rare(_text, "cpu"), "text"),
    "directories": (_directories, "directories"),
    "exits": (
        _rare(lambda v: _list(v, lambda each: each, "statuses, signals"), "exits"),
        "exits",
    ),
    "flag": (_flag, "flag"),
    "hook": (_hook, "text"),
    "health": (_keyed("health"), "health"),
    "instances": (_rare(lambda value: value, "instances"), "words"),
    "io": (_rare(_text, "io"), "text"),
    "limits": (_rare(_mapping, "limits"), "pairs"),
    "line": (_line, "text"),
    "log": (_keyed("log"), "log"),
    "name": (_name, "text"),
    "nice": (_nice, "integer"),
    "octal": (_octal, "text"),
    "oom": (_rare(lambda value: value, "oom"), "oom"),
    "path": (_path, "text"),
    "paths": (lambda value: _list(value, _path, "paths"), "words"),
    "pidfile": (_pidfile, "text"),
    "readiness": (_keyed("readiness"), "readiness"),
    "reload": (_rare(_text, "reload"), "text"),
    "respawn": (_keyed("respawn"), "respawn"),
    "runlevels": (lambda value: _list(value, _runlevel, "runlevels"), "words"),
    "schedule": (_schedule, "text"),
    "seconds": (_seconds, "number"),
    "securebits": (_rare(_text, "securebits"), "text"),
    "table": (_table, "pairs"),
    "text": (_text, "text"),
    "word": (_word, "text"),
    "words": (lambda value: _list(value, _text, "texts"), "words"),
}
