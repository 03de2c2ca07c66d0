"""Read a file of shell assignments for what it puts into an environment."""

import os

from ssd.service.errors import DeclarationError
from ssd.service.sources.sh import SHELL, fault, run
from ssd.service.trust import check

# Set by a shell for itself.
_OWN = (b"PWD", b"OLDPWD", b"SHLVL", b"_")


def exported(path: str) -> dict[bytes, bytes]:
    """Return the variables that a file sets, exported or not; PATH is there to use in it.

    Raises DeclarationError, also for a file that others may write (``ssd.service.trust``).
    """
    try:
        check(path)
    except OSError as error:
        raise DeclarationError(error.strerror or str(error), file=path) from None
    given = {b"PATH": os.environb.get(b"PATH", os.defpath.encode())}
    status, output, said = run('set -ae; . "$1"; env -0 >&3', SHELL, given, path)
    if status:
        raise fault(path, status, said)
    pairs = (word.partition(b"=")[::2] for word in output.split(b"\0") if word)
    return {name: text for name, text in pairs if name not in _OWN and given.get(name) != text}
