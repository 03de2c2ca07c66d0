"""A rollout that was interrupted goes on with the rest; two at once restart no host twice."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from kit.rollouts import Held, Rollout

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]


def interrupted(rollout: Rollout, *signals: int) -> tuple[int, Held]:
    """Send signals to a run during the restart of the third host, which goes on there.

    Return its exit status, and the stop that waits.
    """
    held = rollout.hold("h3")
    running = rollout.begin()
    held.wait(running)
    pid = rollout.fleet.pid_of(running)
    for signum in signals:
        os.kill(pid, signum)
    status = running.wait()
    assert running.stdout
    running.stdout.close()  # a task of one that was killed may still have the other end
    return status, held


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_rollout_goes_on_after_ctrl_c(rollout: Rollout, signum: int) -> None:
    """Or another signal: the report is complete up to there; resumed, only the rest is restarted.

    SIGHUP comes when the terminal goes.
    """
    status, held = interrupted(rollout, signum)
    assert 99 == status
    results = rollout.results()
    assert ["restarted", "restarted", "interrupted"] == results[:3]
    assert ["untouched"] * 2 == results[4:]
    assert "interrupted" == rollout.report()["state"]
    assert rollout.report()["resume"] in rollout.table()
    held.release()
    before = rollout.pids()
    done = rollout.run(resume=True)
    assert 0 == done.returncode, done.stdout
    assert before[:2] == rollout.pids()[:2]
    assert ([2] * 6, "finished") == (rollout.starts(), rollout.report()["state"])


def test_rollout_that_is_interrupted_twice_has_its_report(rollout: Rollout) -> None:
    """As the operator who is in a hurry does it."""
    _, held = interrupted(rollout, signal.SIGINT, signal.SIGINT)
    assert ["restarted", "restarted", "interrupted"] == rollout.results()[:3]
    assert "interrupted" == rollout.report()["state"]
    held.release()
    assert 0 == rollout.run(resume=True).returncode
    assert ([2] * 6, "finished") == (rollout.starts(), rollout.report()["state"])


def test_rollout_goes_on_after_its_ansible_was_killed(rollout: Rollout) -> None:
    """Nothing is left of its lock, and all that it knew is in the journal."""
    _, held = interrupted(rollout, signal.SIGKILL)
    words = ["ansible-playbook", "ssd.daemon.rollout_report"]
    directory = f"rolling_restart_report={rollout.report_directory}"
    written = rollout.ansible.run(*words, "-e", directory)
    assert 0 == written.returncode, written.stdout
    assert ["restarted", "restarted", "interrupted"] == rollout.results()[:3]
    assert "interrupted" == rollout.report()["state"]
    held.release()
    done = rollout.run(resume=True)
    assert 0 == done.returncode, done.stdout
    assert ([2] * 6, "finished") == (rollout.starts(), rollout.report()["state"])


def test_second_rollout_of_a_service_is_refused(rollout: Rollout) -> None:
    """At once, with the pid of the first, whose report it leaves alone."""
    held = rollout.hold("h1")
    first = rollout.begin()
    held.wait(first)
    pid = json.loads(next(rollout.locks.iterdir()).read_text())["pid"]
    second = rollout.run(report=str(rollout.report_directory.parent / "other"))
    assert 2 == second.returncode
    assert f"a rollout of {rollout.name} is running on this controller" in second.stdout
    assert f"pid {pid}" in second.stdout
    third = rollout.run(service="other")
    assert 2 == third.returncode
    assert f"a rollout of {rollout.name} is writing its report in" in third.stdout
    assert first.poll() is None
    held.release()
    first.communicate()
    assert (0, [2] * 6) == (first.returncode, rollout.starts())


def test_two_controllers_restart_no_host_twice(rollout: Rollout, tmp_path: Path) -> None:
    """With the same rolling_restart_since; locks of another directory are another controller's."""
    held = rollout.hold("h1")
    since = [rollout.fleet["h1"].run("date", "+%s.%N").stdout.strip()]
    first = rollout.begin(since=since)
    held.wait(first)
    other = {"report": str(tmp_path / "other"), "lock_directory": str(tmp_path / "locks2")}
    words = rollout.words(since=since, **other)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    second = rollout.fleet.begin(*words, env=rollout.ansible.environment(), **pipes)
    held.release()
    outputs = [run.communicate()[0] for run in (first, second)]
    assert [0, 0] == [first.returncode, second.returncode], outputs
    assert [2] * 6 == rollout.starts()


def test_resume_needs_the_report_of_this_service(rollout: Rollout, tmp_path: Path) -> None:
    """Each mistake has a sentence."""
    done = rollout.run(resume=True)
    assert f"nothing to resume: {rollout.report_directory}" in done.stdout
    assert 0 == rollout.run(serial=[6]).returncode
    done = rollout.run(resume=f"{rollout.report_directory}/", service="other")
    assert f"is of a rollout of {rollout.name}" in done.stdout
    done = rollout.run(resume=True, since=[1])
    assert "rolling_restart_since is not that of the rollout" in done.stdout
    done = rollout.run(resume="maybe")
    assert "neither true nor false" in done.stdout
    assert [2] * 6 == rollout.starts()
