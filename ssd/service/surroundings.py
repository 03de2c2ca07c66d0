"""From a declaration to the Command that ``ssd.start`` takes."""

import os

from ssd.environment import inherited
from ssd.starting.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service


def command(service: "Service") -> Command:
    """Return what to start. The caller has seen to it that there is something."""
    cpu, io = service.cpu_scheduling, service.io_scheduling
    return Command(
        argv(service),
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
        limits=limits(service.limits) if service.limits else None,
    )


def argv(service: "Service") -> list[str]:
    """Return the program and its arguments; a script is one for /bin/sh -e, as Upstart's."""
    if service.script:
        return ["/bin/sh", "-e", "-c", service.script, service.name, *service.arguments]
    return [service.executable or "", *service.arguments]


def scheduling(text: str, priority: int) -> tuple[str, int]:
    """Read ``NAME[:PRIORITY]``."""
    name, colon, given = text.partition(":")
    return name, int(given) if colon else priority


def limits(declared: dict[str, int | str]) -> dict[int, tuple[int, int]]:
    """Turn names into resource numbers and texts into (soft, hard)."""
    import resource

    made = {}
    for name, limit in declared.items():
        soft, _, hard = str(limit).partition(":")
        pair = [-1 if each == "unlimited" else int(each) for each in (soft, hard or soft)]
        soft_number, hard_number = (resource.RLIM_INFINITY if n < 0 else n for n in pair)
        made[getattr(resource, f"RLIMIT_{name.upper()}")] = (soft_number, hard_number)
    return made


def environment(service: "Service") -> dict[bytes, bytes]:
    """Return the whole environment: the caller's, with what the declaration adds.

    Raises DeclarationError for a file of variables that cannot be read.
    """
    made = inherited()
    for path in service.environment_files:
        from ssd.service.sources.sh import read_variables

        made.update(read_variables(path))
    for name, text in service.environment.items():
        made[os.fsencode(name)] = os.fsencode(text)
    return made
