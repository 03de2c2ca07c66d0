"""Say why nothing is supervised, or why nothing is read anew."""

from ssd.denials import status_of
from ssd.errors import Error, ProcessTableError
from ssd.statuses import FAILED
from ssd.stdio import write
from ssd.supervision import places
from ssd.supervision.cli import declared


def refuse(error: Error | OSError, program: str) -> int:
    """Say why nothing is supervised; return the exit status."""
    for line in explain(error):
        write(2, f"{program}: {line}\n")
    if isinstance(error, (places.Occupied, ProcessTableError)):
        return FAILED
    if isinstance(error, declared.Broken):
        return max(status_of(cause, "") for cause in error.causes.values())
    return status_of(error, "")


def explain(error: "Error | OSError") -> "list[str]":
    """Return an error in words, a line for each declaration that is broken."""
    from ssd.sentences import describe

    causes = error.causes.values() if isinstance(error, declared.Broken) else [error]
    return [describe(each) for each in causes]
