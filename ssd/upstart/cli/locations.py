"""The locations of a supervisor of jobs: its link, the commands of jobs, their files and logs.

``start foo`` names no directory, so one supervisor of each user has a link beside all run
directories, which clients follow. A second one runs as well; only what has its run directory in
UPSTART_SESSION reaches that, as its own jobs do. The commands that jobs call, ``start``,
``initctl`` and others, are links in a directory beside that one. Other users may pass to it,
because jobs with ``setuid`` call them, too.
"""

import fcntl
import os

from ssd.service.sources.upstart import JOBS
from ssd.supervision import places
from ssd.upstart.initctl import links

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.supervision.places import Places

SESSIONS = "/usr/share/upstart/sessions"  # jobs of packages, for every user
SYSTEM_LOGS = "/var/log/upstart"
# ``service NAME VERB`` finds jobs, too, by ssd-service; that of Debian knows none.
NAMES = {**dict.fromkeys((*links.COMMANDS, "telinit"), links.COMMAND), "service": links.SERVICE}
COMMANDS = "%bin"  # beside the run directories; it is no name of one


def job_directories(uid: int, home: str) -> "list[str]":
    """Return the directories of a user's jobs, the first one first; they need not exist."""
    if uid == 0:
        return [JOBS]
    own = _absolute("XDG_CONFIG_HOME") or f"{home}/.config"
    shared = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    below = [f"{each}/upstart" for each in shared.split(":") if each.startswith("/")]
    return [f"{own}/upstart", f"{home}/.init", *below, SESSIONS]


def log_directory(uid: int, home: str) -> str:
    """Return the directory of the logs of a user's jobs."""
    if uid == 0:
        return SYSTEM_LOGS
    return f"{_absolute('XDG_CACHE_HOME') or f'{home}/.cache'}/upstart"


def _absolute(name: str) -> str:
    """Return a variable that is an absolute path; "" without one (XDG Base Directory)."""
    value = os.environ.get(name, "")
    return value if value.startswith("/") else ""


def claim(path: str, uid: int) -> "str | None":
    """Have the link of a user lead to a run directory; return where it leads if another keeps it.

    path: the run directory of a supervisor that has its lock. Raises OSError.
    """
    link = places.upstart_link(uid)
    above = os.open(os.path.dirname(link), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(above, fcntl.LOCK_EX)  # of two that begin at once, one is the first
        holder = _target(link)
        if holder not in (None, path) and places.is_locked(f"{holder}/socket"):
            return holder
        if holder != path:
            links.replace(link, path)
    finally:
        os.close(above)
    return None


def release(path: str, uid: int) -> None:
    """Remove the link if it leads to this run directory. Raises OSError."""
    link = places.upstart_link(uid)
    if _target(link) == path:
        os.unlink(link)


def _target(link: str) -> "str | None":
    try:
        return os.readlink(link)
    except OSError:
        return None  # there is none


def extend_path(path: str, place: "Places", programs: str) -> str:
    """Return a PATH for jobs in which the commands are found.

    programs: the directory of the installed programs, without links. Raises NoLinks of
    ``ssd.upstart.initctl.links`` if one is missing there, and OSError.
    """
    command = links.command(programs)
    for each in path.split(":"):
        found = f"{each}/initctl"
        if os.access(found, os.X_OK):
            if os.path.realpath(found) == command:
                return path
            break
    directory = f"{os.path.dirname(place.path)}/{COMMANDS}"
    if not os.path.isdir(directory):
        os.mkdir(directory)
        os.chmod(directory, 0o755)  # the umask may have changed the mode of mkdir(2)
    links.make(directory, programs, NAMES)
    return f"{directory}:{path}"
