"""Every process table keeps the same contract, also the fake one."""

import os
import sys
from collections.abc import Callable, Iterator

import pytest
from kit import kqueues

from ssd.processes import portable, psutil_starts, table_named
from ssd.processes.contract import ProcessTable
from ssd.processes.linux import LinuxTable
from ssd.testing import CHECKS, FakeProcesses, FakeWorld, RealWorld, World, check_process_table
from ssd.testing.finding_checks import HOSTILE_NAMES

TABLES: dict[str, Callable[[], ProcessTable]] = {
    "kernel": lambda: table_named("kernel"),
    "psutil": lambda: table_named("psutil"),
    "psutil elsewhere": lambda: table_named("psutil"),
    "fake": FakeProcesses,
    "fake of a user": lambda: FakeProcesses(caller_uid=1000),
    "fake with hidepid": lambda: FakeProcesses(caller_uid=1000, hidepid=True),
    "fake of a container": lambda: FakeProcesses(init_reaps=False),
}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have psutil's table do what it does where there is no /proc, and hold by kqueues."""
    monkeypatch.setattr(portable, "LINUX", False)
    monkeypatch.setattr(psutil_starts, "LINUX", False)
    monkeypatch.setattr(portable.PortableTable, "origin", None)
    monkeypatch.delattr(os, "pidfd_open")
    with kqueues.installed(kqueues.System(finds_zombies=False)):
        yield


@pytest.fixture(params=TABLES)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Make a world, and end all that the test started in it."""
    table = TABLES[request.param]()
    if request.param == "psutil elsewhere":
        request.getfixturevalue("elsewhere")
    world = FakeWorld(table) if isinstance(table, FakeProcesses) else RealWorld(table)
    yield world
    world.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_table_keeps_the_contract(check: Callable[[World], None], world: World) -> None:
    """Each rule of the contract, by its name, holds on each table."""
    check(world)


def test_check_process_table_runs_all_rules(fake_processes: FakeProcesses) -> None:
    """All rules run on declared processes, and none of the processes stays."""
    before = fake_processes.pids()
    check_process_table(fake_processes)
    assert before == fake_processes.pids()


class Renamed(LinuxTable):
    """A table derived from the kernel's."""


class Blind(LinuxTable):
    """A table that finds no children."""

    def children(self, pid: int) -> list:
        """Return no process."""
        return []


def test_own_table_is_checked_with_real_children() -> None:
    """The checks make and end the children."""
    check_process_table(Renamed())


@pytest.mark.skipif(sys.platform != "linux", reason="names can be changed on Linux only")
def test_checks_that_run_at_the_same_time_do_not_meet() -> None:
    """Other processes may have the names that the checks use."""
    table = Renamed()
    others = RealWorld(table)
    try:
        shell = others.start()
        for name in (*HOSTILE_NAMES, b"a name of twent", b"old name", b"new name"):
            others.start(name, parent=shell)
        check_process_table(table)
    finally:
        others.close()


def test_table_that_breaks_a_rule_is_found_out() -> None:
    """The error has the wrong answer, the expected one, and the rule."""
    with pytest.raises(AssertionError, match=r"^children\(\): \[\], not \[Process") as caught:
        check_process_table(Blind())
    assert ["children_are_of_their_parent: A child has its parent"] == [
        note.partition(" while")[0] for note in caught.value.__notes__
    ]


def test_world_of_ones_own_can_be_given(fake_processes: FakeProcesses) -> None:
    """It is made for each check, and closed after it."""
    made, closed = [], []

    class Counted(FakeWorld):
        """A world that counts how often it is made and closed."""

        def __init__(self, table: ProcessTable) -> None:
            assert table is fake_processes
            made.append(os.getpid())
            super().__init__(fake_processes)

        def close(self) -> None:
            """End all, and count it."""
            closed.append(os.getpid())
            super().close()

    check_process_table(fake_processes, Counted)
    assert ([os.getpid()] * len(CHECKS),) * 2 == (made, closed)
