"""The services that a supervisor is to run: all of a directory, or some and what they require."""

import os

from ssd.errors import Error
from ssd.service import sources
from ssd.service.errors import SeveralInstances
from ssd.service.sources import toml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ssd.service.declaration import Service


class Broken(Error):
    """Declarations that cannot be used. ``causes``: the error of each, by its name."""

    def __init__(self, causes: "Mapping[str, Error | OSError]") -> None:
        super().__init__("; ".join(map(str, causes.values())))
        self.causes: dict[str, Error | OSError] = dict(causes)


def read(
    directory: str,
    names: "Sequence[str] | None" = None,
    stand_ins: "Mapping[str, Sequence[Service]] | None" = None,
) -> "list[Service]":
    """Read the services that a directory declares, or ``names`` and what these require.

    stand_ins: services to take where a declaration is broken, by the name of that.
    Raises Broken if one of them cannot be read: a part of what was declared together is not what
    anybody has declared. Raises UnknownService, what ``Order`` raises, and OSError for a
    directory that cannot be read.
    """
    services, broken = _read_all(directory)
    if stand_ins:
        from ssd.supervision.cli.selection import replace

        names = replace(services, broken, stand_ins, names)
    if names is not None:
        from ssd.supervision.cli.selection import select

        services, broken = select(services, broken, names, directory)
    if broken:
        raise Broken(broken)
    return list(services.values())


def _read_all(directory: str) -> "tuple[dict[str, Service], dict[str, Error | OSError]]":
    """Read every declaration of a directory; return services and errors by name."""
    os.stat(directory)  # an empty directory is valid, a missing one is a mistake
    services: dict[str, Service] = {}
    broken: dict[str, Error | OSError] = {}
    ways: set[str] = set()
    names = sources.names(directory)
    for name in names:
        try:
            service = _find(name, directory, ways)
            if service.name in services:
                raise _twice(service, services[service.name])
            services[service.name] = service
        except SeveralInstances as several:
            names += (each for each in several.names if each not in names)
        except (Error, OSError) as error:
            broken[name] = error
    return services, broken


def _find(name: str, directory: str, ways: "set[str]") -> "Service":
    """Read one declaration; most are in TOML, so try that first."""
    try:
        return toml.read(f"{directory}/{name}.toml", ways=ways)
    except FileNotFoundError:
        return sources.find(name, directory)


def _twice(service: "Service", other: "Service") -> Error:
    from ssd.service.errors import DeclarationError

    return DeclarationError(f"{other.file} has this name, too", "name", file=service.file)
