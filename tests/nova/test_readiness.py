"""How to learn that nova-compute is ready, and what its log shows of its life."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from lab import entry_points
from lab.entry_points import Compute
from lab.machine import Machine

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]

SECONDS = 30  # enough to start in, as a rule


class Life(NamedTuple):
    """The results of one start that waited for READY=1, and of the stop after it."""

    failed: bool
    seconds: float
    status: int
    consumers: int
    log: list[str]
    told: str


@pytest.fixture(scope="module")
def life(machine: Machine) -> Iterator[Life]:
    """Start and stop nova-compute once, by scripts/nova-compute."""
    entry = entry_points.ours(machine.lab)
    awaits = f"START_ARGS=--notify-await --notify-timeout={SECONDS}"
    patience = "RETRY=TERM/180/KILL/60"  # for the last line of its log, on a slow machine
    settings = (*entry.settings, awaits, patience)
    compute = Compute(machine, entry._replace(settings=settings))
    offset, began = compute.log_size(), time.monotonic()
    try:
        failed = 0 != compute.verb("start", check=False)
        seconds, status = time.monotonic() - began, compute.status()
        compute.ready()
        compute.await_heartbeats(2)
        consumers = compute.consumers()
        told = compute.told("start") + compute.told("status").replace(str(compute.pid()), "PID")
    finally:
        compute.verb("stop")
    yield Life(failed, seconds, status, consumers, compute.log_since(offset), told)


def section(checkout: Path) -> str:
    """Return the part of docs/reference/compute.md that shows the life of nova-compute."""
    page = (checkout / "docs" / "reference" / "compute.md").read_text()
    return page.split("## How nova-compute comes up, and down")[1].split("\n### ")[0]


def test_nova_does_not_say_ready(life: Life) -> None:
    """With threads nova 34 sends no READY=1: the wait for it runs out, and leaves it running."""
    assert life.failed
    assert life.seconds >= SECONDS
    assert 0 == life.status


def test_consumer_on_its_queue_means_ready(life: Life) -> None:
    """The same process is ready nevertheless: its queue has one consumer."""
    assert 1 == life.consumers


def test_script_prints_what_the_page_shows(checkout: Path, life: Life) -> None:
    """A start that finds it running prints the same as the first one; then comes the status."""
    printed = re.findall(r"\| .*print(?:ed:|s) `(.*)` \|$", section(checkout), re.MULTILINE)
    assert 2 == len(printed)
    assert printed == life.told.splitlines()


def test_steps_of_a_life_leave_the_lines_that_the_page_shows(checkout: Path, life: Life) -> None:
    """docs/reference/compute.md has them in their order."""
    wanted = re.findall(r"^\| \d+ .*\| `(.*)` \|$", section(checkout), re.MULTILINE)
    assert 11 == len(wanted)
    lines = iter(life.log)
    missing = [text for text in wanted if not any(text in line for line in lines)]
    assert [] == missing


def test_probe_fails_without_a_consumer(machine: Machine, life: Life) -> None:
    """It gives up after its time, and names queue and seconds."""
    done = machine.nova_lab("ready", 1, check=False)
    assert 1 == done.returncode
    assert "no process consumes from compute.nova-lab after 1 seconds" in done.stdout


def test_declared_start_returns_when_a_consumer_is_there(machine: Machine) -> None:
    """The declaration has that probe, so that a restart, too, waits for the new process."""
    compute = Compute(machine, entry_points.declared(machine.lab))
    consumers = []
    try:
        for verb in ("start", "restart"):
            assert 0 == compute.verb(verb)
            consumers.append(compute.consumers())
    finally:
        compute.verb("stop")
    assert [1, 1] == consumers
