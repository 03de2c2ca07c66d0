"""The kernel's table and psutil's agree on every process of the machine."""

import os
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.matching import Criteria, Process
from ssd.processes import table_named
from ssd.processes.contract import ProcessTable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's table is Linux's")

KERNEL = table_named("kernel")
PSUTIL = table_named("psutil")
READINGS = 50  # before a difference counts as lasting


def facts(pid: int) -> dict[str, object]:
    """Return what /proc says of a process, by the names of Criteria; nothing if it has ended."""
    found: dict[str, object] = {}
    entry = f"/proc/{pid}"
    try:
        found["uid"] = os.stat(entry).st_uid
        with open(f"{entry}/comm", "rb") as comm:
            found["name"] = comm.read().removesuffix(b"\n")
        with open(f"{entry}/stat", "rb") as line:
            found["ppid"] = int(line.read().rpartition(b")")[2].split()[1])
        executable = os.stat(f"{entry}/exe")
        found["file"] = executable.st_dev, executable.st_ino
    except OSError:  # ended, a kernel thread, or not readable
        return found
    return found


def settled(difference: Callable[[], set[object]]) -> set[object]:
    """Return the differences that every reading has.

    The two tables read one after the other; a change in between makes a difference only once.
    """
    left = difference()
    for _ in range(READINGS):
        if not left:
            break
        left &= difference()
    return left


def identities(table: ProcessTable) -> set[object]:
    """Return everything that lives, and every pid."""
    # A process that has ended in between has no identity, and makes no difference.
    return {*table.pids(), *map(table.process, table.pids())} - {None}


def test_tables_list_the_same_processes() -> None:
    """Pids and start times are the same, and the same processes live."""
    assert set() == settled(lambda: identities(KERNEL) ^ identities(PSUTIL))


def test_tables_agree_on_every_fact_of_every_process() -> None:
    """Name, executable, owner and parent of each process are the same."""

    def verdicts(table: ProcessTable) -> set[object]:
        return {
            (process, fact)
            for pid in table.pids()
            if (process := table.process(pid))
            for fact, value in facts(pid).items()
            if table.holds(Criteria(**{fact: value}), process)  # type: ignore[arg-type]
        }

    assert set() == settled(lambda: verdicts(KERNEL) ^ verdicts(PSUTIL))
    processes = {process for process, _ in verdicts(KERNEL)}  # type: ignore[misc]
    assert processes >= {KERNEL.process(os.getpid())} | parent()


def parent() -> set[object]:
    """Return our parent; nothing if it is outside our PID namespace, as in a container."""
    return {KERNEL.process(os.getppid())} - {None}


def answers(table: ProcessTable, criteria: Criteria) -> set[object]:
    """Return all answers of a table about the processes that meet criteria."""
    selected = table.select(criteria)
    assert selected == sorted(set(selected), key=lambda process: process.pid)
    first = table.first(criteria)
    # In each reading another process may come first, or none.
    return {*selected, *([("first", first)] if first else [])}


KNOWN = [found for pid in KERNEL.pids() if (found := facts(pid))] if sys.platform == "linux" else []


def one_of(fact: str) -> "st.SearchStrategy[object]":
    """Choose a fact of any process of the machine, or none."""
    values = sorted({known[fact] for known in KNOWN if fact in known})  # type: ignore[type-var]
    return st.sampled_from([None, *values])


criterion = st.builds(
    Criteria,
    pid=st.sampled_from([None, 1, 2, os.getpid(), os.getppid()]),
    ppid=one_of("ppid"),
    file=one_of("file"),
    name=one_of("name"),
    uid=one_of("uid"),
)


@settings(max_examples=40, deadline=None)
@given(criterion)
def test_criteria_select_the_same_on_both_tables(criteria: Criteria) -> None:
    """Whatever facts are combined, both tables find the same processes."""
    assert set() == settled(lambda: answers(KERNEL, criteria) ^ answers(PSUTIL, criteria))


def test_children_are_the_same() -> None:
    """Both find the same children of each process."""

    def children(table: ProcessTable) -> set[object]:
        return {(parent, child) for parent in parents for child in table.children(parent)}

    parents = {1, 2, os.getpid(), os.getppid()}
    assert set() == settled(lambda: children(KERNEL) ^ children(PSUTIL))
    own = KERNEL.process(os.getpid())
    assert isinstance(own, Process)
    assert own in PSUTIL.children(os.getppid())
