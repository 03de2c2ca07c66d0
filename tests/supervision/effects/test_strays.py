"""What services that were taken over have left is found by one look for many of them."""

import os
import subprocess
from pathlib import Path

import pytest
from kit.children import child, until_executed

from ssd.processes.linux import LinuxTable
from ssd.supervision.effects.strays import MOMENT, Strays


class Clocked(LinuxTable):
    """The kernel's processes under a clock of the test's."""

    time = 0.0

    def now(self) -> float:
        """Return the time."""
        return self.time


@pytest.fixture
def table() -> Clocked:
    """Return the table."""
    return Clocked()


KEY = f"k{os.getpid()}"  # another run of these tests may be on the machine


def marked(marker: str) -> dict[str, str]:
    """Return the environment of a program with a marker."""
    return {**os.environ, "MARK": f"{KEY}:{marker}"}


def test_strays_are_found_by_the_marker_of_any_start(table: Clocked) -> None:
    """Those of other services are not."""
    with child(env=marked("web:1")) as one, child(env=marked("web:2")) as two:
        with child(env=marked("web2:1")) as other:
            found = Strays(table, b"MARK").of(f"MARK={KEY}:web:".encode(), -1)
            assert {one.pid, two.pid} == set(found) - {other.pid}
            assert other.pid not in found


def test_strays_are_found_by_session_and_group(table: Clocked, tmp_path: Path) -> None:
    """Also those that have no marker any more, and another parent."""
    script = "env -i sleep 1000 & echo $!; exec sleep 1000"
    with subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True
    ) as shell:
        assert shell.stdout is not None
        inner = int(shell.stdout.readline())
        try:
            until_executed(inner)
            assert {shell.pid, inner} == set(
                Strays(table, b"MARK").of(f"MARK={KEY}:none:".encode(), shell.pid)
            )
        finally:
            for pid in (inner, shell.pid):
                os.kill(pid, 9)


def test_look_counts_for_a_moment(table: Clocked) -> None:
    """Many services are stopped at once, and one look serves them all."""
    strays = Strays(table, b"MARK")
    assert [] == strays.of(f"MARK={KEY}:web:".encode(), -1)
    with child(env=marked("web:1")) as process:
        assert [] == strays.of(f"MARK={KEY}:web:".encode(), -1)
        table.time += 2 * MOMENT
        assert [process.pid] == strays.of(f"MARK={KEY}:web:".encode(), -1)
