"""Numbers and signals as Upstart reads them: strtol(3), and names with or without SIG."""

from ssd.signals import INT_MAX, raw

LONG_MAX = (1 << 63) - 1
ULONG_MAX = (1 << 64) - 1
_SPACE = " \t\n\v\f\r"

# The names that Upstart knows; the numbers are this system's.
NAMES = (
    "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP "
    "TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS"
).split()


def signed(text: str, base: int = 10) -> "int | None":
    """Read a number as strtol(3) does; None if it is none, or does not fit in a long."""
    number = _digits(text, base)
    return number if number is not None and -LONG_MAX - 1 <= number <= LONG_MAX else None


def unsigned(text: str, base: int = 10) -> "int | None":
    """Read a number as strtoul(3) does: a minus sign counts down from the greatest."""
    number = _digits(text, base)
    if number is None or not -ULONG_MAX <= number <= ULONG_MAX:
        return None
    return number % (ULONG_MAX + 1)


def _digits(text: str, base: int) -> "int | None":
    stripped = text.lstrip(_SPACE)
    digits = stripped[1:] if stripped[:1] in ("+", "-") else stripped
    # int() also reads underscores and the digits of other scripts, and refuses thousands of them.
    if not digits or digits.strip("0123456789"[:base]) or len(digits.lstrip("0")) > 30:
        return None
    return -int(digits, base) if stripped[0] == "-" else int(digits, base)


def signal(text: str) -> "int | None":
    """Read a signal by its name or its number; None for any other text."""
    name = text.removeprefix("SIG")
    if name in NAMES:
        found: int | None = getattr(raw, f"SIG{name}", None)
        return found
    number = unsigned(text)
    return number if number is not None and number <= INT_MAX else None
