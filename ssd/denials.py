"""The exit status of a failure of a service's verb: LSB knows the lack of a privilege."""

import errno

from ssd import errors
from ssd.statuses import FAILED, NOT_CONFIGURED, NOT_PRIVILEGED, UNKNOWN


def is_denial(error: BaseException) -> bool:
    """Tell whether the caller lacks a privilege (LSB's status 4)."""
    if isinstance(error, errors.StartFailed) and error.stage == "exec":
        return False  # the mode of the program decides whether it can be executed
    denials = (errors.StartFailed, errors.PidfileUnwritable, OSError)
    return isinstance(error, denials) and error.errno in (errno.EPERM, errno.EACCES)


def status_of(error: BaseException, verb: str) -> int:
    """Return the LSB status of a verb of a service that an error ended before its first look."""
    if verb == "status":
        return UNKNOWN
    if is_denial(error):
        return NOT_PRIVILEGED
    return NOT_CONFIGURED if isinstance(error, errors.Error) else FAILED
