"""Uptime and memory of a process, compared with the clock and psutil."""

import os
import time
from subprocess import PIPE

import psutil
import pytest
from kit.children import child

from ssd.matching import Process
from ssd.processes import default_table
from ssd.service.verbs.vitals import duration, size, vitals


def now() -> float:
    """Return the seconds since the boot, from which start times count."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def test_uptime_is_the_time_since_the_start() -> None:
    """To the tick; a second has at least a hundred."""
    before = now()
    with child() as process:
        after, tick = now(), 1 / os.sysconf("SC_CLK_TCK")
        least = now() - after
        found = vitals(default_table().process(process.pid))
        assert least <= found.uptime <= now() - before + tick


def test_memory_is_that_of_psutil() -> None:
    """Of a process that sleeps."""
    with child("sh", "-c", "echo ready; read line", stdin=PIPE, stdout=PIPE) as process:
        assert b"ready\n" == process.stdout.readline()  # its memory is what it will be
        found = vitals(default_table().process(process.pid))
        known = psutil.Process(process.pid)
        assert known.memory_info().rss == pytest.approx(found.memory, rel=0.3)


def test_vitals_of_a_reused_pid_are_none() -> None:
    """And of a pid without a process."""
    with child() as process:
        assert vitals(Process(process.pid, 1)) is None
    assert vitals(Process(2**22 + 1, 1)) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3700, "1 h 1 min"), (200000, "2 d 7 h")],
)
def test_duration_has_its_two_largest_units(seconds, text) -> None:
    """The seconds of a day do not matter."""
    assert text == duration(seconds)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0.0 kB"), (1700, "1.7 kB"), (140_200_000, "140.2 MB"), (2_500_000_000, "2.5 GB")],
)
def test_size_has_a_unit_that_fits(count, text) -> None:
    """In thousands, as for disks and psutil's bytes."""
    assert text == size(count)
