"""Looks at processes that somebody else has named."""

import os
import subprocess

import pytest

from ssd.matching import UNKNOWN_START, Process
from ssd.processes import default_table
from ssd.service.verbs import looks


@pytest.fixture
def sleep():
    """Return a process that runs until the end of the test."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def test_look_has_the_facts_of_an_answer(sleep) -> None:
    """And says who has named the process."""
    process = default_table().process(sleep.pid)
    (facts,) = looks.look("running", [process], "systemd").processes
    assert (sleep.pid, process.start_time) == (facts["pid"], facts["start_time"])
    assert ("sleep", ["sleep", "1000"]) == (facts["name"], facts["cmdline"])
    assert ("systemd", False) == (facts["matched_by"], facts["ended"])


def test_process_of_another_start_time_has_ended() -> None:
    """Its pid is another process's by now."""
    (facts,) = looks.look("running", [Process(os.getpid(), 1)], "systemd").processes
    assert (True, None) == (facts["ended"], facts["name"])


def test_process_without_a_start_time_is_known_by_its_pid() -> None:
    """It can only be judged by that."""
    seen = looks.look("running", [Process(os.getpid(), UNKNOWN_START)], "systemd")
    before, after = looks.again(seen, seen)
    assert [None, False] == [before.processes[0][key] for key in ("start_time", "ended")]
    assert [(os.getpid(), UNKNOWN_START)] == looks.identities(after)


def test_later_look_keeps_the_facts_of_a_process(sleep) -> None:
    """As they were, but for its end, which both looks have."""
    process = default_table().process(sleep.pid)
    first = looks.look("running", [process], "OpenRC")
    first.processes[0]["started_at"] = 5.0  # a tick earlier
    sleep.kill()
    sleep.wait()
    before, after = looks.again(first, looks.look("running", [process], "OpenRC"))
    assert [5.0] == [each["started_at"] for each in after.processes]
    assert [True] == [each["ended"] for each in before.processes]
    assert looks.identities(before) == looks.identities(after) == [(sleep.pid, process.start_time)]
