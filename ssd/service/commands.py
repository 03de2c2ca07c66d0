"""What a declaration says of a start: its Command, and the environment of its programs.

Only a start loads this, and what writes files for other inits.
"""

import os

from ssd.environment import inherited
from ssd.starting.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service


def command(service: "Service") -> Command:
    """Return the command that ``ssd.start`` takes; see ``Service.command``."""
    if service.executable is None and not service.script:
        raise service.missing("executable", "must be declared for a start, or a script")
    cpu, io = service.cpu_scheduling, service.io_scheduling
    return Command(
        service.argv,
        directory=service.working_directory,
        root=service.root,
        user=service.user,
        group=service.group,
        umask=int(service.umask, 8),
        nice=service.nice,
        cpu_scheduling=None if cpu is None else scheduling(cpu, 0 if cpu[:5] == "other" else 1),
        io_scheduling=None if io is None else scheduling(io, 7 if io[:4] == "idle" else 4),
        output=service.output,
        environment=environment(service),
        limits=_limits(service.limits) if service.limits else None,
    )


def environment(service: "Service") -> "dict[bytes, bytes]":
    """Return the environment of the service: the caller's, and what the declaration adds.

    Raises DeclarationError for a file of variables that cannot be read.
    """
    made = inherited()
    for path in service.environment_files:
        from ssd.service.sh import read_variables

        made.update(read_variables(path))
    for name, text in service.environment.items():
        made[os.fsencode(name)] = os.fsencode(text)
    return made


def scheduling(text: str, priority: int) -> "tuple[str, int]":
    """Read ``NAME[:PRIORITY]``."""
    name, colon, given = text.partition(":")
    return name, int(given) if colon else priority


def _limits(declared: "dict[str, int | str]") -> "dict[int, tuple[int, int]]":
    """Return resource number -> (soft, hard) for setrlimit(2)."""
    from ssd import limits

    return {limits.number(name): limits.pair(limit) for name, limit in declared.items()}
