"""Say why nothing is supervised."""

from ssd.denials import status_of
from ssd.errors import Error, ProcessTableError
from ssd.statuses import FAILED
from ssd.stdio import write
from ssd.supervision import places
from ssd.supervision.cli import declared


def refuse(error: Error | OSError, program: str) -> int:
    """Say why nothing is supervised; return the exit status."""
    for line in declared.explain(error):
        write(2, f"{program}: {line}\n")
    if isinstance(error, (places.Occupied, ProcessTableError)):
        return FAILED
    if isinstance(error, declared.Broken):
        return max(status_of(cause, "") for cause in error.causes.values())
    return status_of(error, "")
