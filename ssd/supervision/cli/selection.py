"""The services that a supervisor is to run if it is told their names."""

from ssd.service import sources
from ssd.service.errors import SeveralInstances
from ssd.service.sources.instances import members
from ssd.supervision.order import homes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.errors import Error
    from ssd.service.declaration import Service

    Services = dict[str, Service]
    Errors = dict[str, Error | OSError]


def select(
    services: "Services", broken: "Errors", names: "Sequence[str]", directory: str
) -> "tuple[Services, Errors]":
    """Return those of the services and errors that belong to names, or to what these require.

    The name of a template stands for its declared instances. One that the directory does not
    declare may be elsewhere. Raises what ``sources.find`` raises.
    """
    ahead = list(names)
    for name in ahead:
        if name not in services and name not in broken:
            try:
                services[name] = sources.find(name, directory)
            except SeveralInstances as several:
                ahead += (each for each in members(several, directory) if each not in ahead)
    wanted = _closure(services, broken, ahead)
    return (
        {name: service for name, service in services.items() if name in wanted},
        {name: broken[name] for name in sorted(wanted) if name in broken},
    )


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
