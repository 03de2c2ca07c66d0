"""A stop schedule: what to send and how long to wait, ``TERM/30/KILL/5``.

The grammar is that of ``--retry`` in start-stop-daemon(8).
"""

from ssd.errors import Error
from ssd.signals import signal_number, whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

MIN_WAIT = 0.02  # seconds, as in the original: between repetitions of a tail without a wait
MAX_ITEM_LENGTH = 19  # characters, as in the original; no name or sensible number is longer

SEND = "send"
WAIT = "wait"


class ScheduleError(ValueError):
    """A text that is not a schedule. ``item`` is the wrong part."""

    def __init__(self, reason: str, item: str) -> None:
        super().__init__(f"{reason}: {item!r}")
        self.reason: str = reason
        self.item: str = item

    __reduce__ = Error.__reduce__


class Schedule:
    """A list of steps; the tail of it may repeat for ever.

    Each step is ``("send", signal number)`` or ``("wait", seconds)``. ``repeat`` is the
    index of the first step of the repeating tail, or None. Iteration gives the steps in
    order, without end if a tail repeats. Raises ValueError for an empty list.
    """

    __slots__ = ("steps", "repeat")

    def __init__(self, steps: "list[tuple[str, int]]", repeat: int | None = None) -> None:
        if not steps:
            raise ValueError("a schedule has at least one step")
        self.steps: list[tuple[str, int]] = steps
        self.repeat: int | None = repeat

    @classmethod
    def parse(cls, text: str, signum: int = 15) -> "Self":
        """Read ``timeout`` or ``item/item/...`` as ``--retry`` does.

        A lone timeout N (seconds) means signal/N/KILL/N, with ``signum`` as the signal.
        An item is a signal name, -signal-name, -signal-number, a timeout in seconds, or
        ``forever``, which repeats the rest. Raises ScheduleError.
        """
        if "/" not in text:
            kind, value = _item(text)
            if kind != WAIT:
                raise ScheduleError("it takes a timeout, or a list of at least two items", text)
            return cls([(SEND, signum), (WAIT, value), (SEND, 9), (WAIT, value)])
        steps: list[tuple[str, int]] = []
        repeat = None
        for item in text.split("/"):
            if item == "forever":
                if repeat is not None:
                    raise ScheduleError("'forever' appears more than once", text)
                repeat = len(steps)
            else:
                steps.append(_item(item))
        if repeat == len(steps):
            raise ScheduleError("'forever' appears last, nothing to repeat", text)
        return cls(steps, repeat)

    @classmethod
    def once(cls, signum: int) -> "Self":
        """Make the schedule of a stop without ``--retry``: send a signal, and do not wait."""
        return cls([(SEND, signum)])

    @property
    def spins(self) -> bool:
        """Whether the repeating tail has no wait of at least a second."""
        if self.repeat is None:
            return False
        return not any(kind == WAIT and value for kind, value in self.steps[self.repeat :])

    def __iter__(self) -> "Iterator[tuple[str, float]]":
        yield from self.steps
        while self.repeat is not None:
            if self.spins:
                yield WAIT, MIN_WAIT
            yield from self.steps[self.repeat :]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        return self.steps == other.steps and self.repeat == other.repeat

    def __hash__(self) -> int:
        return hash((tuple(self.steps), self.repeat))

    def __repr__(self) -> str:
        return f"Schedule({self.steps!r}, repeat={self.repeat!r})"


def _item(text: str) -> tuple[str, int]:
    """Read one item that is not ``forever``."""
    if len(text) > MAX_ITEM_LENGTH:
        raise ScheduleError("item far too long (items are separated by slashes)", text)
    if text[:1].isascii() and text[:1].isdigit():
        seconds = whole_number(text)
        if seconds is None:
            raise ScheduleError("invalid timeout value", text)
        return WAIT, seconds
    signum = signal_number(text[1:] if text[:1] == "-" else text)
    if signum is None:
        raise ScheduleError(
            "invalid item (must be [-]signal-name, -signal-number, timeout or 'forever')", text
        )
    return SEND, signum
