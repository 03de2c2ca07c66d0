"""``start on`` and ``stop on`` at work: what of a condition has come true, and by which events.

An event that matches a part of a condition is blocked from then on, until the whole has come true
and is reset; so those who emitted the first half of an ``and`` wait for the second (init(5)).
"""

from ssd.service.sources.upstart.conditions import And, Or
from ssd.service.sources.upstart.conditions import Event as Named
from ssd.upstart.environment import expand
from ssd.upstart.errors import BadExpansion, UnknownParameter
from ssd.upstart.events import globs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ssd.service.sources.upstart.conditions import Condition
    from ssd.upstart.events.emissions import Emission


def meets(wanted: "Condition", emission: "Emission", variables: "Mapping[str, str]") -> bool:
    """Tell whether an emitted event is the one that a condition names.

    Values are compared by place until the first named one; after that the place goes on from
    where the named one was found. A value may be a glob, and have variables: an unknown one
    matches nothing. A variable that the event does not have matches nothing, not even ``!=``.
    """
    assert isinstance(wanted, Named)
    if wanted.name != emission.name:
        return False
    place = 0
    for argument in wanted.arguments:
        if argument.key:
            front = argument.key + "="
            places = (at for at, pair in enumerate(emission.pairs) if pair.startswith(front))
            place = next(places, len(emission.pairs))
        if place >= len(emission.pairs):
            return False
        given = emission.pairs[place].partition("=")[2]
        try:
            pattern = expand(argument.value, variables)
        except (UnknownParameter, BadExpansion):
            return False
        if globs.matches(given, pattern) == argument.negated:
            return False
        place += 1
    return True


class Matcher:
    """One condition and what has come true of it."""

    __slots__ = ("condition", "_parts", "_by")

    def __init__(self, condition: "Condition") -> None:
        self.condition = condition
        self._parts = _postfix(condition)
        self._by: dict[int, Emission] = {}  # the part's identity -> the event that made it true

    def see(self, emission: "Emission", variables: "Mapping[str, str]") -> bool:
        """Take an event; tell whether it has made the whole condition true."""
        matched = False
        for part in self._parts:
            if isinstance(part, (And, Or)) or id(part) in self._by:
                continue
            if meets(part, emission, variables):
                self._by[id(part)] = emission
                emission.block()
                matched = True
        return matched and self._truth()[id(self.condition)]

    def seen(self) -> "list[Emission]":
        """Return all events that have made a part of it true, the earliest part's first."""
        return list(dict.fromkeys(self._by.values()))

    @property
    def is_compound(self) -> bool:
        """Whether it has parts that may come true one after the other."""
        return isinstance(self.condition, (And, Or))

    def _truth(self) -> "dict[int, bool]":
        """Return which parts have come true."""
        made: dict[int, bool] = {}
        for part in self._parts:
            if isinstance(part, And):
                made[id(part)] = made[id(part.left)] and made[id(part.right)]
            elif isinstance(part, Or):
                made[id(part)] = made[id(part.left)] or made[id(part.right)]
            else:
                made[id(part)] = id(part) in self._by
        return made

    def events(self) -> "list[Emission]":
        """Return the events that have made it true, in the order of its text.

        Those of an ``and`` whose other half is missing had no part in it.
        """
        truth, found, ahead = self._truth(), [], [self.condition]
        while ahead:
            part = ahead.pop()
            if not truth[id(part)]:
                continue
            if isinstance(part, (And, Or)):
                ahead += [part.right, part.left]
            else:
                found.append(self._by[id(part)])
        return found

    def variables(self, key: str) -> "dict[str, str]":
        """Return the variables of these events, the later ones over the others.

        ``key`` has the names of the events.
        """
        made: dict[str, str] = {}
        events = self.events()
        for emission in events:
            made.update(_pairs(emission))
        made[key] = " ".join(emission.name for emission in events)
        return made

    def reset(self) -> None:
        """Begin anew, and block no event any more."""
        by, self._by = self._by, {}
        for emission in by.values():
            emission.unblock()


def _pairs(emission: "Emission") -> "Iterator[tuple[str, str]]":
    for pair in emission.pairs:
        key, _, value = pair.partition("=")
        yield key, value


def _postfix(condition: "Condition") -> "list[Condition]":
    """Return all parts, each after its own; a condition may be deeper than Python's stack."""
    found, ahead = [], [condition]
    while ahead:
        part = ahead.pop()
        found.append(part)
        if isinstance(part, (And, Or)):
            ahead += [part.left, part.right]
    return found[::-1]
