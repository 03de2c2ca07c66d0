"""What a declaration says of a start: its Command, and the environment of its programs."""

import os

from ssd.environment import inherited
from ssd.service.fields import DEFAULTS
from ssd.starting.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service

# The fields that ``ssd.service.rare_commands`` makes keywords of.
RARE = "cpu_scheduling io_scheduling limits login oom_score capabilities no_new_privs securebits"
PLAIN = "stdout stderr log kill_mode"  # for ``ssd.service.streams``: not of a supervisor's start


def command(service: "Service", streams: bool = True) -> Command:
    """Return the command that ``ssd.start`` takes, or without ``streams`` that of a supervisor."""
    if service.executable is None and not service.script:
        raise service.missing("executable", "must be declared for a start, or a script")
    base, added = _inherited(service), _declared(service)
    rare = {}
    if any(getattr(service, name) != DEFAULTS[name] for name in RARE.split()):
        from ssd.service.rare_commands import keywords

        rare = keywords(service, added)
    if streams and any(getattr(service, name) != DEFAULTS[name] for name in PLAIN.split()):
        from ssd.service.streams import of_plain_start

        rare.update(of_plain_start(service))
    return Command(
        service.argv,
        directory=service.working_directory,
        root=service.root,
        user=service.user,
        group=service.group,
        umask=int(service.umask, 8),
        nice=service.nice,
        output=service.output,
        environment=base if service.login else {**base, **added},
        **rare,
    )


def environment(service: "Service") -> "dict[bytes, bytes]":
    """Return the environment of its hooks: the caller's, and what the declaration adds.

    Raises DeclarationError for a file of variables that cannot be read.
    """
    return {**_inherited(service), **_declared(service)}


def _inherited(service: "Service") -> "dict[bytes, bytes]":
    """Return what it gets of the caller's environment."""
    found = inherited()
    if not service.clear_environment:
        return found
    return {
        name: found[name] for name in map(os.fsencode, service.pass_environment) if name in found
    }


def _declared(service: "Service") -> "dict[bytes, bytes]":
    """Return the variables of its files and its declaration. Raises DeclarationError."""
    made: dict[bytes, bytes] = {}
    for path in service.environment_files:
        from ssd.service.sh import read_variables

        made.update(read_variables(path))
    for name, text in service.environment.items():
        made[os.fsencode(name)] = os.fsencode(text)
    return made
