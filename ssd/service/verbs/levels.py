"""The order of services in a verb for all: what each needs comes before it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service


def levels(services: "Iterable[Service]") -> "list[list[Service]]":
    """Return the services in levels: each needs only services of earlier levels.

    What a service requires or comes after counts if it is one of these services, or what they
    provide. Services that wait for each other share a level. A level is sorted by name.
    """
    left = sorted(services, key=lambda service: service.name)
    homes: dict[str, set[str]] = {}
    for service in left:
        for facility in (service.name, *service.provides):
            homes.setdefault(facility, set()).add(service.name)
    none: set[str] = set()
    needs = {s.name: none.union(*(homes.get(w, ()) for w in awaited(s))) - {s.name} for s in left}
    ordered = []
    while left:
        waiting = {service.name for service in left}
        ready = [service for service in left if not needs[service.name] & waiting]
        if not ready:  # a circle: it has no first service, but it comes before the others
            circle = min((_needed(each.name, needs, waiting) for each in left), key=len)
            ready = [service for service in left if service.name in circle]
        ordered.append(ready)
        done = {service.name for service in ready}
        left = [service for service in left if service.name not in done]
    return ordered


def awaited(s: "Service") -> "list[str]":
    """Return the names of all that should run before a service."""
    return s.required_start + s.should_start + s.requires + s.after


def _needed(name: str, needs: "dict[str, set[str]]", waiting: "set[str]") -> "set[str]":
    """Return a name and all waiting names that it needs, directly or not."""
    found: set[str] = set()
    ahead = {name}
    while ahead:
        found |= ahead
        ahead = {need for each in ahead for need in needs[each] & waiting} - found
    return found
