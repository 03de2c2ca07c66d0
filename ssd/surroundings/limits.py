"""Resource limits as texts: ``nofile=65535``, ``core=0:unlimited``; setrlimit(2)."""

import resource

_NUMBERS: dict[str, int] = {
    name[7:].lower(): number
    for name, number in sorted(vars(resource).items())
    if name.startswith("RLIMIT_")
}
NAMES = tuple(_NUMBERS)
VALUE = "a number, unlimited, or SOFT:HARD"


def number(name: str) -> int:
    """Return the number of a resource by its name, as in ``NAMES``. Raises KeyError."""
    return _NUMBERS[name]


def name_of(number: int) -> str:
    """Return the name of a resource; its number as text if it has none."""
    return next((name for name, each in _NUMBERS.items() if each == number), str(number))


def pair(value: object) -> tuple[int, int]:
    """Return a soft and a hard limit from a text or a number. Raises ValueError with a reason."""
    soft, colon, hard = str(value).partition(":")
    words = (soft, hard) if colon else (soft, soft)
    if not all(map(_is_limit, words)):
        raise ValueError(f"must be {VALUE}, not {value!r}")
    low, high = (1 << 64 if word == "unlimited" else int(word) for word in words)
    if low > high:
        raise ValueError(f"SOFT must not exceed HARD in {value!r}")
    found = [resource.RLIM_INFINITY if limit == 1 << 64 else limit for limit in (low, high)]
    return found[0], found[1]


def _is_limit(text: str) -> bool:
    # setrlimit(2) takes more, Python's (a signed long) does not.
    digits = text.isascii() and text.isdigit() and len(text) < 20
    return text == "unlimited" or digits and int(text) < 1 << 63
