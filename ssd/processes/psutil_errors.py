"""What psutil's errors mean: one answer for each, whatever its version and system.

| psutil raises | it becomes | so a table answers |
|---|---|---|
| NoSuchProcess | ProcessLookupError | there is none, unless kill(2) finds one |
| ZombieProcess | the same error | there is none |
| AccessDenied, TimeoutExpired, another OSError, RuntimeError, SystemError | PermissionError | it \
cannot tell |
| OSError of a process without descriptors or memory | ProcessTableError | that error |

RuntimeError and SystemError come from psutil's extension where a system call fails without a
reason. An OSError with a number that psutil does not expect (EIO, EBUSY, EINVAL) is about the one
process that is looked at, so it must not keep the caller from seeing the others.
"""

import errno

import psutil

from ssd.errors import EXHAUSTED, VANISHED, ProcessTableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    Answer = TypeVar("Answer")
    Words = ParamSpec("Words")


def asked(
    question: "Callable[Words, Answer]", *words: "Words.args", **named: "Words.kwargs"
) -> "Answer":
    """Ask psutil; raise VANISHED (``ssd.errors``) or ProcessTableError in place of its errors.

    psutil's ZombieProcess is raised as it is.
    """
    try:
        return question(*words, **named)
    except psutil.ZombieProcess:  # before NoSuchProcess, which it is derived from
        raise
    except psutil.NoSuchProcess as error:
        raise ProcessLookupError(errno.ESRCH, str(error)) from error
    except (psutil.Error, RuntimeError, SystemError) as error:
        raise PermissionError(errno.EACCES, str(error)) from error
    except VANISHED:
        raise
    except OSError as error:
        raise of_the_system(error) from error


def asked_again(question: "Callable[[], Answer]") -> "Answer":
    """Do what ``asked`` does, and ask once more if the first answer is VANISHED.

    psutil may fail for a moment, also because the clock was set, which it takes for a reused pid.
    """
    try:
        return asked(question)
    except VANISHED:
        return asked(question)


def of_the_system(error: OSError) -> "ProcessTableError | PermissionError":
    """Return what an error of the system means that says nothing about who is gone."""
    if error.errno in EXHAUSTED:
        return ProcessTableError(f"psutil cannot read processes: {reason(error)}")
    return PermissionError(errno.EACCES, str(error))


def reason(error: Exception) -> str:
    """Return the text of an error."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
