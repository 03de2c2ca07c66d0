"""Read the values of rare options: umask, niceness, schedulers, and how long to wait."""

from ssd.cli.grammar import Unusable, Usage
from ssd.signals import INT_MAX, whole_number

_SPACE = " \t\n\v\f\r"
_LONG_MAX = 2**63 - 1


def convert(given: dict[str, str | None]) -> dict[str, object]:
    """Read the options of ``ssd.cli.options.RARE`` that are given, in that order."""
    found: dict[str, object] = {}
    if "procsched" in given:
        found["procsched"] = cpu_scheduling(str(given["procsched"]))
    if "iosched" in given:
        found["iosched"] = io_scheduling(str(given["iosched"]))
    if "umask" in given:
        mask = any_base(str(given["umask"]))
        if mask is None:
            raise Usage("umask value must be a positive number")
        found["umask"] = mask & 0o777  # umask(2) takes no more
    if "nicelevel" in given:
        found["nicelevel"] = leading_number(str(given["nicelevel"]))
    if "notify-timeout" in given:
        seconds = whole_number(str(given["notify-timeout"]))
        if seconds is None:
            raise Usage("invalid notify timeout value: --notify-timeout takes whole seconds")
        found["notify_timeout"] = seconds
    return found


def any_base(text: str) -> int | None:
    """Read a number as strtol(3) does with base 0: 0x for hexadecimal, 0 for octal."""
    stripped = text.lstrip(_SPACE)
    sign = -1 if stripped[:1] == "-" else 1
    digits = stripped[1:] if stripped[:1] in ("+", "-") else stripped
    base = 10
    if digits[:2] in ("0x", "0X"):
        digits, base = digits[2:], 16
    elif digits[:1] == "0":
        base = 8
    # int() would accept underscores and a second prefix.
    allowed = "0123456789abcdefABCDEF" if base == 16 else "0123456789"[:base]
    if not digits or digits.strip(allowed) or len(digits.lstrip("0")) > 20:
        return None
    value = sign * int(digits, base)
    return value if 0 <= value <= INT_MAX else None


def leading_number(text: str) -> int:
    """Read a number as atoi(3) does: its leading digits, and 0 if there are none."""
    stripped = text.lstrip(_SPACE)
    sign = -1 if stripped[:1] == "-" else 1
    digits = stripped[1:] if stripped[:1] in ("+", "-") else stripped
    length = 0
    while length < len(digits) and digits[length] in "0123456789":
        length += 1
    if length == 0:
        return 0
    significant = digits[:length].lstrip("0")[:20] or "0"  # 20 digits are beyond any long
    value = max(-_LONG_MAX - 1, min(_LONG_MAX, sign * int(significant)))
    # atoi(3) cuts a long down to an int, in two's complement.
    return (value + 2**31) % 2**32 - 2**31


def cpu_scheduling(text: str) -> tuple[str, int]:
    """Read policy[:priority]. Raises Usage; Unusable if the priority is not a number."""
    from ssd.starting.command import CPU_POLICIES
    from ssd.starting.rare.scheduling import priority_range

    policy, colon, priority = text.partition(":")
    value = whole_number(priority) if colon else 0
    if value is None:
        raise Unusable(f"invalid process scheduler priority in --procsched {text}")
    if policy not in CPU_POLICIES:
        raise Usage(f"invalid process scheduler policy {policy!r}: use other, fifo or rr")
    if policy == "other":
        value = 0
    try:
        lowest, highest = priority_range(policy)
    except OSError as error:
        raise Unusable(f"--procsched is not supported on this system ({error.strerror})") from error
    if value < lowest:
        raise Usage(f"process scheduler priority less than min ({lowest})")
    if value > highest:
        raise Usage(f"process scheduler priority greater than max ({highest})")
    return policy, value


def io_scheduling(text: str) -> tuple[str, int]:
    """Read class[:priority]. Raises Usage; Unusable if the priority is not a number."""
    from ssd.starting.command import IO_CLASSES

    io_class, colon, priority = text.partition(":")
    value = whole_number(priority) if colon else 4
    if value is None:
        raise Unusable(f"invalid IO scheduler priority in --iosched {text}")
    if io_class not in IO_CLASSES:
        raise Usage(f"invalid IO scheduler policy {io_class!r}: real-time, best-effort or idle")
    if io_class == "idle":
        value = 7
    if value > 7:
        raise Usage("IO scheduler priority greater than max (7)")
    return io_class, value
