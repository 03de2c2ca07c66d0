"""Failures in words, and as exit statuses; only a failure loads this."""

import errno

from ssd import sentences as messages
from ssd import unforeseen
from ssd.errors import Error, NotReady, PidfileUnwritable, StartFailed
from ssd.statuses import FAILED, NOT_CONFIGURED, NOT_PRIVILEGED, UNKNOWN

_DENIALS = (errno.EPERM, errno.EACCES)


def describe(error: BaseException) -> str:
    """Say what went wrong, in one line."""
    if isinstance(error, NotReady) and error.reason == "timeout":
        known = f" (process {error.process.pid})" if error.process.pid else ""
        return f"it is not ready after {error.detail} seconds{known}"
    if isinstance(error, Error):
        spoken = isinstance(error, (NotReady, StartFailed))
        spoken = spoken or type(error).__name__ in messages.ERRORS
        return messages.describe(error) if spoken else str(error)
    if not isinstance(error, OSError):
        return unforeseen.describe(error)
    if error.filename is None:
        return str(error.strerror or error)
    return f"{error.filename}: {error.strerror}"


def is_denial(error: BaseException) -> bool:
    """Tell whether the caller lacks a privilege (LSB's status 4)."""
    if isinstance(error, StartFailed):
        # Not to be allowed to execute the program is a matter of the program's mode.
        return error.stage != "exec" and error.errno in _DENIALS
    if isinstance(error, (PidfileUnwritable, OSError)):
        return error.errno in _DENIALS
    return False


def exit_status(error: BaseException, verb: str) -> int:
    """Return the status of a verb that could not even look, because of an error."""
    if verb == "status":
        return UNKNOWN
    if is_denial(error):
        return NOT_PRIVILEGED
    return NOT_CONFIGURED if isinstance(error, Error) else FAILED
