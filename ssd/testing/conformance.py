"""What every process table must do, as checks that run on any of them.

A check gets a world: a table, and the means to make things happen on it. ``RealWorld``
makes real children, ``FakeWorld`` declares processes (``ssd.testing.worlds``); write one of
your own for a table of your own (``ssd.testing.expectations.World`` says what it can do).
Each check raises AssertionError where its rule, which is its docstring, does not hold.
"""

from collections.abc import Callable

from ssd.testing import finding_checks, handle_checks
from ssd.testing.expectations import World

CHECKS: tuple[Callable[[World], None], ...] = (*finding_checks.CHECKS, *handle_checks.CHECKS)


def check_process_table(make_world: Callable[[], World]) -> None:
    """Run every check, each in a world of its own. Raises AssertionError at the first fault."""
    for check in CHECKS:
        world = make_world()
        try:
            check(world)
        finally:
            world.close()
