"""The order in which many services are started: what others need comes first."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service


def levels(services: "Iterable[Service]") -> "list[list[Service]]":
    """Return the services in levels: each needs nothing but what is in levels before it.

    Required-Start and Should-Start count as far as they name one of these services, by its
    name or by what it provides. Services that wait for each other share a level. Within a
    level the order is that of the names.
    """
    left = sorted(services, key=lambda service: service.name)
    homes = {facility: s.name for s in left for facility in (s.name, *s.provides)}
    needs = {
        s.name: {homes[w] for w in s.required_start + s.should_start if w in homes} - {s.name}
        for s in left
    }
    ordered = []
    while left:
        waiting = {service.name for service in left}
        ready = [service for service in left if not needs[service.name] & waiting]
        if not ready:  # a circle: nothing says who of it is first, but it is before the others
            circle = min((_needed(each.name, needs, waiting) for each in left), key=len)
            ready = [service for service in left if service.name in circle]
        ordered.append(ready)
        left = [service for service in left if service not in ready]
    return ordered


def _needed(name: str, needs: "dict[str, set[str]]", waiting: "set[str]") -> "set[str]":
    """Return a name and those that it needs, directly or not, as far as they wait."""
    found: set[str] = set()
    ahead = {name}
    while ahead:
        found |= ahead
        ahead = {need for each in ahead for need in needs[each] & waiting} - found
    return found
