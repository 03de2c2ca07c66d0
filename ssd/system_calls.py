"""Functions of the C library that no module of Python offers, prctl(2) for one.

The C half of ctypes calls them: it takes 0.2 MB and 0.5 ms, all of ctypes 0.7 MB and 2.8 ms.
"""

import errno
import os

PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37  # linux/prctl.h


def prctl(option: int, *arguments: int) -> int:
    """Change or ask a setting of this process. Raises OSError: ENOSYS if there is no prctl(2)."""
    # Some options fail unless the arguments that they do not use are 0.
    return call("prctl", option, *arguments, *[0] * (4 - len(arguments)))


def is_subreaper() -> bool:
    """Tell whether orphans below this process become its children. Raises OSError as ``prctl``."""
    answer = words()
    call("prctl", PR_GET_CHILD_SUBREAPER, answer, 0, 0, 0)
    return bool(answer[0])


def set_subreaper(wanted: bool) -> None:
    """Make this process the parent of all orphans below it, or no longer. Raises OSError.

    Those that have become its children stay so.
    """
    prctl(PR_SET_CHILD_SUBREAPER, int(wanted))


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


def words(*numbers: int) -> "_Words":
    """Return up to six numbers of 32 bits as an argument. Raises OSError where none can be."""
    if _ctypes is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    return _Words(*numbers)


def call(name: str, *arguments: object) -> int:
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
