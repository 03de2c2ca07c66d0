"""The C half of the signal module: the same numbers and calls, without its 5 ms of enums.

``_signal`` is private to CPython, so other interpreters get the public module.
"""

try:
    import _signal as raw  # type: ignore[import-not-found]
except ImportError:
    import signal as raw

__all__ = ["raw", "set_ignored"]


def set_ignored(action: int) -> None:
    """Give SIGPIPE and SIGXFSZ an action: CPython ignores them from its start-up on.

    An ignored signal stays ignored across execve(2), and programs rely on the default.
    """
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(raw, name):
            raw.signal(getattr(raw, name), action)
