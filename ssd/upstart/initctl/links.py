"""Make the links by which scripts and jobs find the commands: ``ssd-initctl --make-links DIR``."""

import os

import ssd
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
        target = _target(programs, program)
        if not os.access(target, os.X_OK):
            raise NoLinks(f"{target}: there is no such program")
        path = f"{directory}/{name}"
        if os.path.lexists(path) and not _is_ours(path):
            raise NoLinks(f"{path}: it is there already, and is no link of ssd")
    for name, program in names.items():
        replace(f"{directory}/{name}", _target(programs, program))


def command(programs: str) -> str:
    """Return the file, without links, that every link to the command initctl leads to."""
    return os.path.realpath(_target(programs, COMMAND))


def _target(programs: str, program: str) -> str:
    """Return what links to a program lead to: it, or the one file that is all of them."""
    return f"{programs}/{program}" if ssd.archive is None else ssd.archive


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
    if not os.path.islink(path):
        return False
    target = os.readlink(path)
    return os.path.basename(target) in PROGRAMS or target == ssd.archive
