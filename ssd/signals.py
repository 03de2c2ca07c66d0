"""The C half of the signal module: the same numbers and calls, without its 5 ms of enums.

``_signal`` is private to CPython, so other interpreters get the public module.
"""

try:
    import _signal as raw  # type: ignore[import-not-found]
except ImportError:
    import signal as raw

__all__ = ["raw"]
