"""Ubuntu's Upstart job of nova-compute, unmodified, with a real nova: started, killed, stopped."""

import signal
from collections.abc import Iterator

import pytest
from conftest import TESTS
from lab.machine import Machine
from lab.upstart import JOB, Jobs

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]

PONG = {"service": "compute", "arg": "lab"}


@pytest.fixture(scope="module")
def jobs(machine: Machine) -> Iterator[Jobs]:
    """Return the supervisor with the one job, which nothing has started yet."""
    jobs = Jobs(machine, TESTS / "upstart" / "data" / f"{JOB}.conf")
    yield jobs
    jobs.close()


def works(jobs: Jobs) -> None:
    """Check that nova-compute takes calls, answers them and reports, and is the job's process."""
    jobs.compute.ready()
    assert PONG == jobs.compute.ping()
    jobs.compute.await_heartbeats(2)
    assert [jobs.pid()] == jobs.compute.processes()
    assert 1 == jobs.compute.consumers()


def test_runlevel_starts_nova(jobs: Jobs) -> None:
    """As user nova, by the job's own start-stop-daemon."""
    assert "stop/waiting" == jobs.status()
    assert "" == jobs.run("emit", "runlevel", "RUNLEVEL=2")
    assert "start/running" == jobs.status()
    works(jobs)
    user = jobs.machine.run(["stat", "--format", "%U", f"/proc/{jobs.pid()}"]).stdout
    assert "nova\n" == user
    assert "status: Unknown job: libvirt-bin" in jobs.log()


def test_nova_killed_is_stopped_and_can_be_started(jobs: Jobs) -> None:
    """Nobody brings it back but the next start."""
    killed = jobs.pid()
    jobs.machine.signal(killed, signal.SIGKILL)
    jobs.await_status("stop/waiting")
    jobs.compute.await_desertion()
    assert f"{JOB} start/running, process " in jobs.run("start", JOB)
    assert killed != jobs.pid()
    works(jobs)


def test_restart_gives_another_process(jobs: Jobs) -> None:
    """It works as the one before did."""
    before = jobs.pid()
    assert f"{JOB} start/running, process " in jobs.run("restart", JOB)
    assert before != jobs.pid()
    works(jobs)


def test_stop_leaves_no_process(jobs: Jobs) -> None:
    """And nobody who takes calls."""
    assert f"{JOB} stop/waiting\n" == jobs.run("stop", JOB)
    assert [] == jobs.compute.processes()
    jobs.compute.await_desertion()
    assert "ssd-initctl: Unknown instance: \n" == jobs.run("stop", JOB, check=False)


def test_supervisor_that_ends_stops_nova(jobs: Jobs) -> None:
    """TERM to it stops what runs."""
    jobs.run("emit", "runlevel", "RUNLEVEL=3")
    works(jobs)
    assert 0 == jobs.end()
    assert [] == jobs.compute.processes()
