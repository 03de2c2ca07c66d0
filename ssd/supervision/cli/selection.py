"""The services that a supervisor is to run if it is told their names, or if some are broken."""

from ssd.service import sources
from ssd.service.errors import SeveralInstances
from ssd.service.sources.instances import members
from ssd.service.sources.templates import MARK
from ssd.supervision.order import homes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def meant(names: "Iterable[str]", units: "Iterable[str]") -> "list[str]":
    """Return the names of units; the name of a template stands for all of its instances."""
    known, found = list(units), list[str]()
    for name in names:
        prefix = f"{name.removesuffix(MARK)}{MARK}"
        instances = [each for each in known if each.startswith(prefix)]
        found += [name] if name in known else instances
    return found


def replace(
    services: "Services",
    broken: "Errors",
    stand_ins: "Mapping[str, Sequence[Service]]",
    names: "Sequence[str] | None",
) -> "Sequence[str] | None":
    """Put services in place of the declarations that are broken, by the name of each.

    Changes ``services`` and ``broken``. Returns ``names`` with those of the stand-ins for a
    template in place of its own.
    """
    for name, others in stand_ins.items():
        if broken.pop(name, None) is None:
            continue
        for service in others:
            broken.pop(service.name, None)  # a link to a broken template
            services.setdefault(service.name, service)
        if names is not None and name in names:
            names = [*(each.name for each in others), *(each for each in names if each != name)]
    return names


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
