"""The services that a supervisor is to run: all of a directory, or some and what they require."""

import os

from ssd.errors import Error
from ssd.service import sources
from ssd.service.errors import SeveralInstances
from ssd.service.sources import toml
from ssd.supervision.order import homes_of

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
    stand_ins: "Mapping[str, Service | None] | None" = None,
) -> "list[Service]":
    """Read the services that a directory declares, or ``names`` and what these require.

    stand_ins: services to take where a declaration is broken, by their names; None for none.
    Raises Broken if one of them cannot be read: a part of what was declared together is not what
    anybody has declared. Raises UnknownService, what ``Order`` raises, and OSError for a
    directory that cannot be read.
    """
    services, broken = _read_all(directory)
    replaced = set()
    for name, service in (stand_ins or {}).items():
        causes = broken.keys() & files_of(name)
        if causes and service is not None:
            services.setdefault(name, service)
        replaced |= causes
    broken = {name: error for name, error in broken.items() if name not in replaced}
    if names is None:
        if broken:
            raise Broken(broken)
        return list(services.values())
    names = list(names)
    for name in names:
        if name not in services and name not in broken:
            try:
                services[name] = sources.find(name, directory)
            except SeveralInstances as several:
                from ssd.service.sources.instances import members

                names += (each for each in members(several, directory) if each not in names)
    wanted = _closure(services, broken, names)
    faults = {name: broken[name] for name in sorted(wanted) if name in broken}
    if faults:
        raise Broken(faults)
    return [service for name, service in services.items() if name in wanted]


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


def files_of(name: str) -> "set[str]":
    """Return the names of the declarations that a service may be in: its own, or a template."""
    prefix, mark, _ = name.partition("@")
    return {name, prefix, prefix + mark}


def _twice(service: "Service", other: "Service") -> Error:
    from ssd.service.errors import DeclarationError

    return DeclarationError(f"{other.file} has this name, too", "name", file=service.file)


def _closure(
    services: "dict[str, Service]", broken: "dict[str, Error | OSError]", names: "Sequence[str]"
) -> "set[str]":
    """Return these names and all that they require, also those that are broken."""
    homes = {**{name: [name] for name in broken}, **homes_of(services)}
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found.add(name)
        service = services.get(name)
        if service is not None:
            words = (*service.requires, *service.required_start)
            ahead += [home for word in words for home in homes.get(word, ())]
    return found


def explain(error: "Error | OSError") -> "list[str]":
    """Return an error in words, a line for each declaration that is broken."""
    from ssd.sentences import describe

    causes = error.causes.values() if isinstance(error, Broken) else [error]
    return [describe(each) for each in causes]
