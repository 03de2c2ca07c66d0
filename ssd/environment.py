"""The environment that the caller gave, without what Python added to it."""

import os

# What PEP 538 sets LC_CTYPE to when the interpreter starts in the C locale.
_COERCED = (b"C.UTF-8", b"C.utf8", b"UTF-8")


def inherited() -> dict[bytes, bytes]:
    """Return a copy of the environment, byte for byte as this process was given it.

    Changes that the program made to os.environ are kept; only the LC_CTYPE that the
    interpreter itself put there gives way to what was there before.
    """
    environment = dict(os.environb)
    if environment.get(b"LC_CTYPE") in _COERCED:
        given = _given()
        if given is None:
            del environment[b"LC_CTYPE"]
        else:
            environment[b"LC_CTYPE"] = given
    return environment


def _given() -> bytes | None:
    """Return the LC_CTYPE that was in the environment at execve(2), None if there was none."""
    now = os.environb[b"LC_CTYPE"]
    try:
        with open("/proc/self/environ", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        # No /proc: Python coerces only if neither of the stronger variables says otherwise.
        stronger = os.environb.get(b"LC_ALL") or os.environb.get(b"LANG", b"C") not in (b"C", b"")
        return now if stronger else None
    prefix = b"LC_CTYPE="
    given = (word.removeprefix(prefix) for word in words if word.startswith(prefix))
    return next(given, None)
