"""Every process table keeps the one contract, the fake one too."""

from collections.abc import Callable, Iterator

import pytest

from ssd.processes import table_named
from ssd.testing import CHECKS, FakeWorld, RealWorld, check_process_table
from ssd.testing.expectations import World

WORLDS: dict[str, Callable[[], World]] = {
    "kernel": lambda: RealWorld(table_named("kernel")),
    "psutil": lambda: RealWorld(table_named("psutil")),
    "fake": FakeWorld,
}


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Make a world, and end all that the test started in it."""
    world = WORLDS[request.param]()
    yield world
    world.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_table_keeps_the_contract(check: Callable[[World], None], world: World) -> None:
    """Each rule of the contract, by its name, holds on each table."""
    check(world)


def test_all_checks_run_at_once() -> None:
    """check_process_table is one call for a table of one's own."""
    check_process_table(FakeWorld)


def test_a_table_that_breaks_a_rule_is_found_out() -> None:
    """The checks tell which answer was wrong, and what was expected."""
    world = FakeWorld()
    world.fake.pids = lambda: [2, 1]  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match=r"^pids\(\): \[2, 1\], not \[1, 2\]$"):
        check_process_table(lambda: world)
