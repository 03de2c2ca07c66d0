"""Resource limits of a program, set in its own process before it is executed."""

import errno
import resource

from ssd.errors import StartFailed
from ssd.starting.become import attempt


def apply(limits: "dict[int, tuple[int, int]]") -> None:
    """Set them (setrlimit(2)). Raises StartFailed."""
    for number, limit in limits.items():
        try:
            attempt("limit", name_of(number), resource.setrlimit, number, limit)
        except ValueError as error:  # how the module tells of EINVAL and EPERM
            raise StartFailed("limit", name_of(number), errno.EINVAL, str(error)) from error


def name_of(number: int) -> str:
    """Return what a resource limit is called, without the RLIMIT_ before it."""
    names = sorted(name for name in dir(resource) if name.startswith("RLIMIT_"))
    found = [name for name in names if getattr(resource, name) == number]
    return found[0][7:].lower() if found else str(number)
