"""What a test may declare: a slip is told where it is made, not when it strikes."""

from collections.abc import Callable, Mapping
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


def seconds(value: float, what: str) -> float:
    """Return a length of time. Raises ValueError for a negative one and for NaN."""
    if not value >= 0:
        raise ValueError(f"{what} is {value}, it has to be 0 seconds or more")
    return value


def pid(value: int) -> int:
    """Return a pid. Raises ValueError for what no process can have."""
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} cannot be a pid")
    return value


def reactions(given: Mapping[int, Function]) -> dict[int, Function]:
    """Return a copy. Raises TypeError for what is no function by a signal's number."""
    for signum, reaction in given.items():
        if not isinstance(signum, int) or not callable(reaction):
            raise TypeError(
                f"reactions are functions by signal number, not {signum!r}: {reaction!r}"
            )
    return dict(given)
