"""Processes of jobs that are found by what is in their environment."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from ssd.upstart.succession import marks

SLEEP = ["/bin/sleep", "1000"]


@pytest.fixture
def started() -> Iterator["list[subprocess.Popen[bytes]]"]:
    """Return a list of processes that are ended after the test."""
    made: list[subprocess.Popen[bytes]] = []
    yield made
    for each in made:
        each.kill()
        each.wait()


def job(
    name: str, instance: str = "", session: str = "", leads: bool = True
) -> "subprocess.Popen[bytes]":
    """Start what may be a process of a job."""
    variables = {"UPSTART_JOB": name, "UPSTART_INSTANCE": instance}
    if session:
        variables["UPSTART_SESSION"] = session
    return subprocess.Popen(SLEEP, env=variables, start_new_session=leads)


def test_leaders_of_the_instance_are_found(started: "list[subprocess.Popen[bytes]]") -> None:
    """The youngest first; no other instance, no other supervisor's, and no child of a process."""
    name = f"test-{os.getpid()}"
    started += [
        job(name, "1"), job(name, "1"), job(name, "2"), job(name), job(f"{name}x", "1"),
        job(name, "1", "/run/mine"), job(name, "1", leads=False),
    ]  # fmt: skip
    first, second, other, bare, _, mine, member = (each.pid for each in started)
    found = [each.pid for each in marks.find(name, "1", "", ())]
    assert sorted((first, second)) == sorted(found)
    assert [second] == [each.pid for each in marks.find(name, "1", "", {first})]
    assert [other] == [each.pid for each in marks.find(name, "2", "", ())]
    assert [bare] == [each.pid for each in marks.find(name, "", "", ())]
    assert [mine] == [each.pid for each in marks.find(name, "1", "/run/mine", ())]
    assert [member] == [each.pid for each in marks.find(name, "1", "", (), leads=False)]
    assert [] == marks.find(f"{name}y", "1", "", ())


def test_process_that_has_ended_is_not_found(started: "list[subprocess.Popen[bytes]]") -> None:
    """A zombie has no environment."""
    name = f"ended-{os.getpid()}"
    started.append(job(name))
    started[0].kill()
    os.waitid(os.P_PID, started[0].pid, os.WEXITED | os.WNOWAIT)
    assert [] == marks.find(name, "", "", ())
