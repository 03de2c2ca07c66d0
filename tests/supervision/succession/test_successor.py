"""Supervisors that are killed, and those that follow: nothing is doubled, and nothing lost."""

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

pytestmark = pytest.mark.requires_namespaces

KILLS = 50


def run(program: str, place: Path, *words: object) -> dict[str, Any]:
    """Run a program of these tests in namespaces of its own; return what it has found."""
    file = TESTS / "supervision" / program
    argv = [sys.executable, "-P", str(file), *map(str, words)]
    done = subprocess.run(
        namespace.command(argv, keep=[place]), capture_output=True, text=True,
        timeout=WAIT_TIMEOUT, env={**os.environ, "PYTHONPATH": str(TESTS)},
    )  # fmt: skip
    assert "" == done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def outcome(ssd_path: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what is left after many kills at random moments, with services that crash and log."""
    place = tmp_path_factory.mktemp("killed")
    return run("killing.py", place, ssd_path.with_name("ssd-supervise"), place, KILLS, 11)


def test_no_service_is_doubled(outcome: dict[str, Any]) -> None:
    """Each takes a lock that only one process can have, and says if it is taken."""
    assert [] == outcome["doubled"]
    assert {"steady0": 1, "steady1": 1} == {
        name: count for name, count in outcome["living"].items() if name != "wished"
    }


def test_no_service_and_no_count_is_lost(outcome: dict[str, Any]) -> None:
    """The same process was there all the time, and restarts never became fewer."""
    assert [] == outcome["faults"]
    assert {1} == {outcome["starts"][name] for name in ("steady0", "steady1")}
    assert outcome["adopted"] > KILLS


def test_restarts_are_those_that_were_made(outcome: dict[str, Any]) -> None:
    """All ends are counted, also those that nobody saw.

    Only a program that has ended before a successor looked, and whose start was cut off before
    its line in the journal, is started again without that. One more may be on its way.
    """
    for name in ("crash0", "crash1"):
        uncounted = outcome["starts"][name] - 1 - outcome["restarts"][name]
        assert -1 <= uncounted <= outcome["unsure"][name] + 1


def test_no_line_is_lost(outcome: dict[str, Any]) -> None:
    """All lines are in the logs, in their order, up to the last one."""
    assert {""} == set(outcome["lines"].values())


def test_last_wish_is_kept(outcome: dict[str, Any]) -> None:
    """What a client was told is done, whatever happens to the supervisor right after."""
    states = {"start": "running", "stop": "waiting"}
    if outcome["expected"] is not None:
        assert states[outcome["expected"]] == outcome["wished"]


def test_nothing_is_left_after_the_last_stop(outcome: dict[str, Any]) -> None:
    """Processes that were taken over are stopped like any other."""
    assert (0, {}) == (outcome["exit"], outcome["left"])


@pytest.mark.parametrize(
    "where", ["before exec", "before the line", "before the pidfile", "without its journal"]
)
def test_start_that_was_cut_off_is_taken_over(tmp_path: Path, where: str) -> None:
    """Its process is found by its marker, which it has as soon as the lock is free."""
    found = run("cut_off.py", tmp_path, tmp_path, where)
    assert (-9, where == "before exec") == (found["first"], found["waited"])
    assert ([], 1, True) == (found["doubled"], found["starts"], found["known"])
    assert (0, {}) == (found["exit"], found["left"])


def test_full_disk_doubles_nothing(
    ssd_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Lines of the journal are lost then; what runs is found by its marker, and all go on."""
    place = tmp_path_factory.mktemp("full")  # short: the path of a socket has 108 bytes
    found = run("crowded.py", place, ssd_path.with_name("ssd-supervise"), place)
    assert ([], [], {}) == (found["faults"], found["doubled"], found["left"])
    assert ([1, 1], [1, 1]) == (found["living"], found["starts"])
    assert ({""}, 3) == (set(found["lines"]), found["told"])
