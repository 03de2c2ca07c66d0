"""The name of a signal, for people."""

from ssd.signals import SIGNAL_NAMES, raw


def signal_name(number: int) -> str:
    """Return a signal's name with SIG, or the number as text if the original has no name for it."""
    for name in SIGNAL_NAMES:
        if getattr(raw, f"SIG{name}") == number:
            return f"SIG{name}"
    return str(number)
