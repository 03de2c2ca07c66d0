"""What the value of a field may be: a row of ``TABLE`` for each kind.

A check takes a value as TOML, a shell file or Python gives it and returns its normal form, or
raises ``BadValue``. The row also names the form in which a shell file writes the value;
``ssd.service.sources.shell_values`` reads that, for only a shell file needs it.
"""

from ssd.service.fields import DIRECTORY, READINESS, RESPAWN
from ssd.signals import SIGNAL_NAMES, signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class BadValue(ValueError):
    """A value that its field cannot have.

    key: the wrong entry of a table. known: the valid keys, if that key is unknown.
    """

    def __init__(self, reason: str, key: str = "", known: "tuple[str, ...]" = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.key = key
        self.known = known


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


def _reload(value: object) -> str:
    text = _text(value)
    return text if text == "none" else _signal(text)


def _signal(text: str) -> str:
    number = signal_number(text.removeprefix("SIG"))
    if number is None or not 0 < number <= 64:
        raise BadValue(f"must be one of {', '.join(SIGNAL_NAMES)}, not {text!r}")
    return text.removeprefix("SIG")


def _exits(value: object) -> "list[object]":
    """Check exit statuses and names of signals (Upstart's ``normal exit``)."""

    def one(each: object) -> object:
        if isinstance(each, str) and each.isascii() and each.isdigit() and len(each) < 4:
            each = int(each)
        if isinstance(each, int) and not isinstance(each, bool) and 0 <= each <= 255:
            return each
        return _signal(_text(each))

    return _list(value, one, "exit statuses and signals")


def _scheduling(value: object, names: "tuple[str, ...]", highest: int) -> str:
    text = _text(value)
    name, colon, priority = text.partition(":")
    fits = priority.isascii() and priority.isdigit() and len(priority) < 3
    if name not in names or colon and not (fits and int(priority) <= highest):
        words = f"{', '.join(names)}, optionally with :0 to :{highest}"
        raise BadValue(f"must be one of {words}, not {text!r}")
    return text


def _nice(value: object) -> int:
    number = _integer(value)
    if not -40 <= number <= 40:  # the niceness is -20 to 19 (nice(2)): no more can be added
        raise BadValue(f"must be -40 to 40, not {number}")
    return number


def _oom(value: object) -> "int | str":
    if value == "never":
        return "never"
    number = _integer(value)
    if not -1000 <= number <= 1000:  # proc(5), oom_score_adj
        raise BadValue(f"must be -1000 to 1000 or never, not {number}")
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


def _limits(value: object) -> "dict[str, object]":
    import resource

    known = tuple(n[7:].lower() for n in dir(resource) if n.startswith("RLIMIT_"))
    made = {}
    for key, limit in _mapping(value).items():
        if key not in known:
            raise BadValue("unknown resource limit", key, known)
        soft, colon, hard = str(limit).partition(":")
        if isinstance(limit, bool) or not all(map(_is_limit, (soft, hard) if colon else (soft,))):
            reason = f"must be a number, unlimited, or SOFT:HARD, not {limit!r}"
            raise BadValue(reason, key)
        if colon and _limit_number(soft) > _limit_number(hard):
            raise BadValue(f"SOFT must not exceed HARD in {limit!r}", key)
        made[key] = int(soft) if not colon and soft != "unlimited" else limit
    return made


def _is_limit(text: str) -> bool:
    # setrlimit(2) takes more, Python's (a signed long) does not.
    digits = text.isascii() and text.isdigit() and len(text) < 20
    return text == "unlimited" or digits and int(text) < 1 << 63


def _limit_number(text: str) -> int:
    return 1 << 63 if text == "unlimited" else int(text)


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


def _readiness(value: object) -> "dict[str, object]":
    made = entries(value, READINESS)
    if made.get("kind") == "command" and not made.get("command"):
        raise BadValue("must name a program if the kind is command", "command")
    return made


# kind -> its check, and its form in a shell file
TABLE: "dict[str, tuple[Callable[[object], object], str]]" = {
    "count": (_count, "integer"),
    "cpu": (lambda value: _scheduling(value, ("other", "fifo", "rr"), 99), "text"),
    "directories": (_directories, "directories"),
    "exits": (_exits, "exits"),
    "flag": (_flag, "flag"),
    "hook": (_hook, "text"),
    "io": (lambda value: _scheduling(value, ("real-time", "best-effort", "idle"), 7), "text"),
    "limits": (_limits, "pairs"),
    "line": (_line, "text"),
    "name": (_name, "text"),
    "nice": (_nice, "integer"),
    "octal": (_octal, "text"),
    "oom": (_oom, "oom"),
    "path": (_path, "text"),
    "paths": (lambda value: _list(value, _path, "paths"), "words"),
    "pidfile": (_pidfile, "text"),
    "readiness": (_readiness, "readiness"),
    "reload": (_reload, "text"),
    "respawn": (lambda value: entries(value, RESPAWN), "respawn"),
    "runlevels": (lambda value: _list(value, _runlevel, "runlevels"), "words"),
    "schedule": (_schedule, "text"),
    "seconds": (_seconds, "number"),
    "table": (_table, "pairs"),
    "text": (_text, "text"),
    "word": (_word, "text"),
    "words": (lambda value: _list(value, _text, "texts"), "words"),
}
