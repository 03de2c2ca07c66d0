"""Remove the pidfile after a stop, unless it is needed or is none."""

from ssd import pidfile
from ssd.errors import PidfileUnreadable, PidfileUnsafe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.processes.identity import Process
    from ssd.processes.types import ProcessTable

# Why a pidfile is kept.
IN_USE = "it names process {pid}, which runs and was not stopped by this call"
SPECIAL = "it is no regular file"


def clear(path: str, stopped: "Sequence[Process]", table: "ProcessTable") -> str | None:
    """Remove a pidfile; return why it is kept, None if it is gone.

    It is kept while it names a living process that is not one of ``stopped``, and where it
    is no regular file. Raises PidfileUnwritable.
    """
    try:
        pid = pidfile.read(path, alone=False)
    except FileNotFoundError:
        return None
    except (PidfileUnreadable, PidfileUnsafe) as error:
        return str(error.reason)
    owner = table.process(pid) if pid is not None else None
    if owner is not None and owner not in stopped:
        return IN_USE.format(pid=pid)
    return None if pidfile.remove(path) else SPECIAL
