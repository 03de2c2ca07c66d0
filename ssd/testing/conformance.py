"""What every process table must do, as checks that run on any of them.

A check gets a world: a table, and the means to make things happen on it. ``RealWorld``
makes real children, ``FakeWorld`` declares processes (``ssd.testing.worlds``); write one of
your own for fake processes of your own (``ssd.testing.World`` says what it can do). Each
check raises AssertionError where its rule, which is its docstring, does not hold.
"""

from collections.abc import Callable

from ssd.processes.contract import ProcessTable
from ssd.testing import finding_checks, handle_checks
from ssd.testing.expectations import World
from ssd.testing.fake import FakeProcesses
from ssd.testing.worlds import FakeWorld, RealWorld

CHECKS: tuple[Callable[[World], None], ...] = (*finding_checks.CHECKS, *handle_checks.CHECKS)


def check_process_table(
    table: ProcessTable, make_world: Callable[[ProcessTable], World] | None = None
) -> None:
    """Hold a process table to the contract of ``ssd.processes.contract``, rule by rule.

    ``make_world`` makes, for each check, the means to start, rename and end processes that
    this table shows, and closes them after it. Unless given, they are declared on a
    FakeProcesses, and for any other table real children of this process.

    Raises AssertionError at the first fault; its note is the rule.
    """
    for check in CHECKS:
        world = _world(table) if make_world is None else make_world(table)
        try:
            check(world)
        except AssertionError as error:
            error.add_note(f"{check.__name__}: {check.__doc__}")
            raise
        finally:
            world.close()


def _world(table: ProcessTable) -> World:
    """Make the world that goes with a table."""
    return FakeWorld(table) if isinstance(table, FakeProcesses) else RealWorld(table)
