"""Signals by the names that every system has for them."""

from ssd.schedule import SIGNAL_NAMES
from ssd.signals import raw


def name_of(number: int) -> str:
    """Return the name of a signal with SIG, or its number if nobody has named it."""
    for name in SIGNAL_NAMES:
        if getattr(raw, f"SIG{name}") == number:
            return f"SIG{name}"
    return str(number)
