"""What a start leaves that has failed."""

from ssd import pidfile
from ssd.errors import PidfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.starting.become import Warn


def remove_pidfile(path: bytes | None, process: "Process | None", warn: "Warn") -> None:
    """Remove the pidfile of a failed start if it holds the pid of ``process``."""
    if path is None or process is None:
        return
    try:
        if pidfile.read(path, sole_criterion=False) == process.pid:
            pidfile.remove(path)
    except FileNotFoundError:
        return
    except PidfileError as error:
        warn("pidfile", error.path, error.reason)  # not raised: the failed start matters more
