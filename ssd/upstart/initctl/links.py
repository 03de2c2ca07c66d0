"""Make the links by which scripts and jobs find the commands: ``ssd-initctl --make-links DIR``."""

import os

from ssd.statuses import FAILED, SUCCESS
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.initctl.options import Call

COMMAND, SUPERVISOR = "ssd-initctl", "ssd-supervise"
SERVICE = "ssd-service"
PROGRAMS = (COMMAND, SUPERVISOR, SERVICE)
COMMANDS = ("initctl", "start", "stop", "restart", "reload", "status")
NAMES = {**dict.fromkeys((*COMMANDS, "telinit"), COMMAND), "upstart-init": SUPERVISOR}


class NoLinks(Exception):
    """The links cannot be made, and nothing was changed; the text names the obstacle."""


def perform(call: "Call") -> int:
    """Make the links in each directory that was given; return the exit status."""
    try:
        for directory in call.values("make-links"):
            make(directory, os.path.dirname(os.path.realpath(call.path)))
    except (NoLinks, OSError) as error:
        said = str(error) if isinstance(error, NoLinks) else f"{error.filename}: {error.strerror}"
        write(2, f"{call.program}: {said}\n")
        return FAILED
    return SUCCESS


def make(directory: str, programs: str, names: "dict[str, str]" = NAMES) -> None:
    """Make a directory with links to the programs in another one.

    names: of the links, and the program of each. A link of an earlier time is replaced, at once.
    Raises NoLinks for anything else in its place, and OSError.
    """
    os.makedirs(directory, exist_ok=True)
    for name, program in names.items():
        if not os.access(f"{programs}/{program}", os.X_OK):
            raise NoLinks(f"{programs}/{program}: there is no such program")
        path = f"{directory}/{name}"
        if os.path.lexists(path) and not _is_ours(path):
            raise NoLinks(f"{path}: it is there already, and is no link of ssd")
    for name, program in names.items():
        replace(f"{directory}/{name}", f"{programs}/{program}")


def replace(path: str, target: str) -> None:
    """Have a link lead somewhere else, at once; it is made if it is missing. Raises OSError."""
    directory, name = os.path.split(path)
    made = f"{directory}/.{name}.new"
    if os.path.lexists(made):  # of a process that was killed in between
        os.unlink(made)
    os.symlink(target, made)
    os.rename(made, path)


def _is_ours(path: str) -> bool:
    """Tell whether a path is a link to one of our programs, which need not exist any more."""
    return os.path.islink(path) and os.path.basename(os.readlink(path)) in PROGRAMS
