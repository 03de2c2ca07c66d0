"""Which services wait for which: only the decision.

``requires`` and Required-Start (``required_start``) are requirements; ``after`` and Should-Start
(``should_start``) only order. All name services, or facilities that services provide (LSB,
"Comment Conventions for Init Scripts"). The stop is in the opposite order.
"""

from ssd.errors import Error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ssd.service.declaration import Service


class Circle(Error):
    """Services that wait for each other, so that none could be first.

    names: the circle, each needs the next; the last is the first again.
    """

    def __init__(self, names: "Iterable[str]") -> None:
        self.names: list[str] = list(names)
        super().__init__(f"services wait for each other: {' -> '.join(self.names)}")


class MissingRequirement(Error):
    """``name`` requires ``missing``, which no service is and none provides."""

    def __init__(self, name: str, missing: str) -> None:
        super().__init__(f"{name} requires {missing}, which is not declared")
        self.name: str = name
        self.missing: str = missing


class Order:
    """Who needs whom. Raises Circle and MissingRequirement.

    required[name], wanted[name]: the services that it requires, and those that only come before
    it; both without a service's own name. dependents[name]: those that wait for it.
    """

    __slots__ = ("required", "wanted", "dependents")

    def __init__(self, services: "Iterable[Service]") -> None:
        declared = {service.name: service for service in services}
        homes = homes_of(declared)
        self.required: dict[str, tuple[str, ...]] = {}
        self.wanted: dict[str, tuple[str, ...]] = {}
        self.dependents: dict[str, list[str]] = {}
        for name, service in declared.items():
            for each in service.requires:
                if each not in homes:
                    raise MissingRequirement(name, each)
            required = _found(homes, [*service.requires, *service.required_start], name)
            wanted = _found(homes, [*service.after, *service.should_start], name)
            if required:
                self.required[name] = required
            if wanted:
                self.wanted[name] = wanted
            for each in {*required, *wanted}:
                self.dependents.setdefault(each, []).append(name)
        circle = self._circle(declared)
        if circle:
            raise Circle(circle)

    def needs(self, name: str) -> "list[str]":
        """Return all services that a service waits for."""
        return [*self.required.get(name, ()), *self.wanted.get(name, ())]

    def closure(self, names: "Iterable[str]") -> "set[str]":
        """Return these services and all that they require, directly or not."""
        found: set[str] = set()
        ahead = list(names)
        while ahead:
            name = ahead.pop()
            if name not in found:
                found.add(name)
                ahead += self.required.get(name, ())
        return found

    def _circle(self, names: "Iterable[str]") -> "list[str]":
        """Return a circle, each needs the next; empty if there is none."""
        done: set[str] = set()
        for first in names:
            if first not in done and (first in self.required or first in self.wanted):
                way = self._way_back(first, done)
                if way:
                    return way
        return []

    def _way_back(self, first: str, done: "set[str]") -> "list[str]":
        """Follow the needs of ``first`` until one of them leads back to the way."""
        way, ahead = [first], [iter(self.needs(first))]
        while ahead:
            need = next(ahead[-1], None)
            if need is None:
                done.add(way.pop())
                ahead.pop()
            elif need in way:
                return [*way[way.index(need) :], need]
            elif need not in done:
                way.append(need)
                ahead.append(iter(self.needs(need)))
        return []


def homes_of(declared: "Mapping[str, Service]") -> "dict[str, list[str]]":
    """Return the services of each name and facility."""
    homes: dict[str, list[str]] = {name: [name] for name in declared}
    for name, service in declared.items():
        for facility in service.provides:
            if facility != name and facility not in declared:
                homes.setdefault(facility, []).append(name)
    return homes


def _found(homes: "Mapping[str, list[str]]", words: "Iterable[str]", own: str) -> "tuple[str, ...]":
    """Return the services behind names and facilities; what nobody here provides is left out."""
    found = dict.fromkeys(name for word in words for name in homes.get(word, ()))
    found.pop(own, None)
    return tuple(found)
