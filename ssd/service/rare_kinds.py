"""Checks of values that few declarations have; loaded when one of them has such a value.

Each takes what the first check in ``ssd.service.kinds`` has made, and returns the normal form.
"""

from ssd.service.errors import BadValue
from ssd.signals import SIGNAL_NAMES, signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Table = dict[str, object]


def cpu(text: str) -> str:
    """Check a policy of the kernel's scheduler."""
    return _scheduling(text, ("other", "fifo", "rr"), 99)


def io(text: str) -> str:
    """Check a class of the scheduler for disks."""
    return _scheduling(text, ("real-time", "best-effort", "idle"), 7)


def _scheduling(text: str, names: "tuple[str, ...]", highest: int) -> str:
    name, colon, priority = text.partition(":")
    fits = priority.isascii() and priority.isdigit() and len(priority) < 3
    if name not in names or colon and not (fits and int(priority) <= highest):
        words = f"{', '.join(names)}, optionally with :0 to :{highest}"
        raise BadValue(f"must be one of {words}, not {text!r}")
    return text


def reload(text: str) -> str:
    """Check the signal for a reload."""
    return text if text == "none" else _signal(text)


def exits(given: "list[object]") -> "list[int | str]":
    """Check exit statuses and names of signals (Upstart's ``normal exit``)."""
    return [_exit(each) for each in given]


def _exit(value: object) -> "int | str":
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255:
        return value
    if not isinstance(value, str):
        raise BadValue(f"must be text, not {value!r}")
    return _signal(value)


def _signal(text: str) -> str:
    number = signal_number(text.removeprefix("SIG"))
    if number is None or not 0 < number <= 64:
        raise BadValue(f"must be one of {', '.join(SIGNAL_NAMES)}, not {text!r}")
    return text.removeprefix("SIG")


def instances(value: object) -> "list[str]":
    """Refuse instances of a single service; ``sources.templates`` takes them out of a file."""
    if value == []:
        return []
    raise BadValue("only a file can declare instances, one Service is one of them")


def oom(value: object) -> "int | str":
    """Check an adjustment of the out-of-memory score."""
    if value == "never":
        return "never"
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValue(f"must be a whole number, not {value!r}")
    if not -1000 <= value <= 1000:  # proc(5), oom_score_adj
        raise BadValue(f"must be -1000 to 1000 or never, not {value}")
    return value


def capabilities(text: str) -> str:
    """Check libcap's IAB text, and return it as libcap writes it."""
    from ssd.surroundings.capabilities import inheritance

    try:
        return inheritance(text).text()
    except ValueError as error:
        raise BadValue(str(error)) from None


def securebits(text: str) -> str:
    """Check names of securebits, or a number; return the names in the order of the bits."""
    from ssd.surroundings.capabilities import securebit_names
    from ssd.surroundings.capabilities import securebits as read

    try:
        return " ".join(securebit_names(read(text)))
    except ValueError as error:
        raise BadValue(str(error)) from None


def limits(given: "Mapping[str, object]") -> "Table":
    """Check resource limits."""
    from ssd.surroundings.limits import NAMES, VALUE, pair

    made: Table = {}
    for key, limit in given.items():
        if key not in NAMES:
            raise BadValue("unknown resource limit", key, NAMES)
        if isinstance(limit, bool):
            raise BadValue(f"must be {VALUE}, not {limit!r}", key)
        try:
            pair(limit)
        except ValueError as error:
            raise BadValue(str(error), key) from None
        made[key] = int(str(limit)) if str(limit).isdigit() else limit
    return made


def address(text: str) -> str:
    """Check an address of a port or of a Unix socket; an empty text is none."""
    if text:
        from ssd.service.addresses import AddressError, parse

        try:
            parse(text)
        except AddressError as error:
            raise BadValue(str(error)) from None
    return text


STAYS = 5  # seconds that a service of kind stays must run, unless it says another time


def readiness(made: "Table") -> "Table":
    """Check that a kind has what it needs."""
    if made.get("kind") == "stays" and not made.setdefault("timeout", STAYS):
        raise BadValue("must be more than 0 if the kind is stays", "timeout")
    return _needs(made)


def health(made: "Table") -> "Table":
    """Check that a kind has what it needs, and that the checks end and leave time."""
    for key in ("interval", "timeout", "retries"):
        if made.get(key, 1) == 0:
            raise BadValue("must be more than 0", key)
    return _needs(made)


def _needs(made: "Table") -> "Table":
    """Check the program or the address that the kind is about."""
    kind, given = made.get("kind"), str(made.get("address", ""))
    if kind == "command" and not made.get("command"):
        raise BadValue("must name a program if the kind is command", "command")
    if kind == "port" and (not given or given[0] in "/@"):
        raise BadValue("must be PORT, or HOST:PORT, if the kind is port", "address")
    if kind == "socket" and given[:1] not in ("/", "@"):
        raise BadValue("must be the path of a socket if the kind is socket", "address")
    return made


def respawn(made: "Table") -> "Table":
    """Check that the first delays are not longer than the longest."""
    longest = made.get("delay_max")
    for key in ("delay", "backoff"):
        first = made.get(key)
        if isinstance(first, (int, float)) and isinstance(longest, (int, float)):
            if first > longest:
                raise BadValue(f"must not be less than {key}, which is {first:g}", "delay_max")
    return made


SMALLEST_LOG = 1000  # bytes: smaller ones would be rotated for every few lines


def log(made: "Table") -> "Table":
    """Check that a log is not rotated all the time, and that two streams have two files."""
    size = made.get("max_size")
    if isinstance(size, int) and 0 < size < SMALLEST_LOG:
        raise BadValue(
            f"must be 0 for any size, or at least {SMALLEST_LOG}, not {size}", "max_size"
        )
    if made.get("path") is not None and made.get("path") == made.get("stderr_path"):
        raise BadValue(
            "must differ from path; without it both streams are in one log", "stderr_path"
        )
    return made
