"""What a test may declare: a slip is told where it is made, not when it strikes."""

from collections.abc import Callable, Mapping
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])

MAKERS = "ssd.testing.reactions"  # the module whose functions make reactions


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


def reaction(given: Function) -> Function:
    """Return what is a function. Raises TypeError for ``dies`` where ``dies()`` is meant."""
    if not callable(given):
        raise TypeError(f"a reaction is a function of the process, not {given!r}")
    name = getattr(given, "__name__", "")
    if getattr(given, "__module__", "") == MAKERS and not hasattr(given, "words"):
        raise TypeError(f"{name} makes a reaction: call it, {name}(...)")
    return given


def reactions(given: Mapping[int, Function]) -> dict[int, Function]:
    """Return a copy. Raises TypeError for what is no reaction by a signal's number."""
    for signum in given:
        if not isinstance(signum, int):
            raise TypeError(f"reactions are by signal number (signal.SIGTERM), not {signum!r}")
    return {signum: reaction(each) for signum, each in given.items()}
