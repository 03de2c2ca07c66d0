"""The C half of the signal module: the same numbers and calls, without its 5 ms of enums.

``_signal`` is private to CPython, so other interpreters get the public module.
"""

try:
    import _signal as raw  # type: ignore[import-not-found]
except ImportError:
    import signal as raw

__all__ = ["IGNORED", "raw", "set_ignored"]

# CPython ignores these from its start-up on. An ignored signal stays ignored across execve(2),
# and programs rely on the default, so whoever starts one gives it back.
IGNORED = [getattr(raw, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(raw, name)]


def set_ignored(action: int) -> None:
    """Give the signals that CPython ignores an action."""
    for signum in IGNORED:
        raw.signal(signum, action)
