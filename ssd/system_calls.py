"""Functions of the C library that no module of Python offers: prctl(2), capget(2), capset(2).

The C half of ctypes calls them: it takes 0.2 MB and 0.5 ms, all of ctypes 0.7 MB and 2.8 ms.
"""

import errno
import os

PR_SET_KEEPCAPS = 8  # linux/prctl.h
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE, PR_CAP_AMBIENT_CLEAR_ALL = 2, 4
_CAPABILITY_VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: 64 capabilities


def prctl(option: int, *arguments: int) -> int:
    """Change or ask a setting of this process. Raises OSError: ENOSYS if there is no prctl(2)."""
    # Some options fail unless the arguments that they do not use are 0.
    return _call("prctl", option, *arguments, *[0] * (4 - len(arguments)))


def is_subreaper() -> bool:
    """Tell whether orphans below this process become its children. Raises OSError as ``prctl``."""
    if _ctypes is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    answer = _Words(0, 0, 0, 0, 0, 0)
    _call("prctl", PR_GET_CHILD_SUBREAPER, answer, 0, 0, 0)
    return bool(answer[0])


def set_subreaper(wanted: bool) -> None:
    """Make this process the parent of all orphans below it, or no longer. Raises OSError.

    Those that have become its children stay so.
    """
    prctl(PR_SET_CHILD_SUBREAPER, int(wanted))


def capget() -> tuple[int, int, int]:
    """Return this thread's effective, permitted and inheritable capabilities, as bits."""
    words = _Words(0, 0, 0, 0, 0, 0)
    _call("capget", _Words(_CAPABILITY_VERSION), words)
    low, high = list(words)[:3], list(words)[3:]
    effective, permitted, inheritable = (a | b << 32 for a, b in zip(low, high, strict=True))
    return effective, permitted, inheritable


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set them. Raises OSError."""
    sets = (effective, permitted, inheritable)
    halves = [bits & 0xFFFFFFFF for bits in sets] + [bits >> 32 for bits in sets]
    _call("capset", _Words(_CAPABILITY_VERSION), _Words(*halves))


try:
    import _ctypes

    class _Word(_ctypes._SimpleCData):  # type: ignore[type-arg]
        """An unsigned int of 32 bits."""

        _type_ = "I"

    class _Long(_ctypes._SimpleCData):  # type: ignore[type-arg]
        """An unsigned long: what prctl(2) takes."""

        _type_ = "L"

    class _Words(_ctypes.Array):  # type: ignore[type-arg]
        """Up to six words, which the kernel reads or writes."""

        _type_ = _Word
        _length_ = 6

    class _Integer(_ctypes._SimpleCData):  # type: ignore[type-arg]
        """What the functions return."""

        _type_ = "i"

    class _Function(_ctypes.CFuncPtr):
        """A function that leaves its errno for ``_ctypes.get_errno``."""

        _flags_ = _ctypes.FUNCFLAG_CDECL | _ctypes.FUNCFLAG_USE_ERRNO
        _restype_ = _Integer

except (ImportError, AttributeError):  # not CPython
    _ctypes = None  # type: ignore[assignment]


def _call(name: str, *arguments: object) -> int:
    """Call a function that returns -1 for an error. Raises OSError."""
    if _ctypes is None or os.uname().sysname != "Linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    try:
        address = _ctypes.dlsym(_ctypes.dlopen(None, 0), name)  # type: ignore[arg-type]
    except OSError as error:
        raise OSError(errno.ENOSYS, f"the C library has no {name}") from error
    given = [_Long(each) if isinstance(each, int) else each for each in arguments]
    result: int = _Function(address)(*given)
    if result == -1:
        code = _ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
