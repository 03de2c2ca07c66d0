"""Supervisors of jobs that are killed, and those that follow, with real processes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import TESTS
from kit import namespace
from kit.children import WAIT_TIMEOUT

from upstart.cli.running import TERMINALS

pytestmark = pytest.mark.requires_namespaces

KILLS = 40
NAP = "start on startup\nexec sleep 1000\n"


@pytest.fixture(scope="module")
def outcome(ssd_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what is left after many kills at random moments, with jobs that crash and obey."""
    place = tmp_path_factory.mktemp("killed")
    program = TESTS / "upstart" / "succession" / "killing.py"
    words = map(str, (ssd_path.with_name("ssd-supervise"), place, KILLS, 7))
    argv = ["sh", "-c", f'{TERMINALS} && exec "$@"', "sh", sys.executable, "-P", str(program)]
    done = subprocess.run(
        namespace.command([*argv, *words], keep=[place]), capture_output=True, text=True,
        timeout=WAIT_TIMEOUT, env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    assert "" == done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_job_is_doubled(outcome: dict[str, Any]) -> None:
    """Each takes a lock that only one process can have, and says if it is taken."""
    assert [] == outcome["doubled"]
    assert {"steady0": 1, "steady1": 1} == outcome["living"]


def test_no_job_is_lost(outcome: dict[str, Any]) -> None:
    """The same process was there all the time."""
    assert [] == outcome["faults"]
    assert {1} == {count for name, count in outcome["starts"].items() if "steady" in name}
    assert outcome["adopted"] > KILLS / 2
    assert outcome["starts"]["crash"] > KILLS / 4


def test_last_wish_counts(outcome: dict[str, Any]) -> None:
    """A stop or a start that was taken is not forgotten."""
    if outcome["expected"] is not None:
        assert outcome["expected"] == outcome["wished"]


def test_last_supervisor_stops_all(outcome: dict[str, Any]) -> None:
    """Whoever has started it."""
    assert 0 == outcome["exit"]
    assert {0} == {*outcome["left"].values()}
