"""The program of a supervisor of jobs is replaced in place: its children stay its children."""

import json
import signal
from pathlib import Path

import pytest

from upstart.cli.running import jobs

pytestmark = pytest.mark.requires_namespaces

NAP = "start on startup\nexec sleep 1000\n"
# Writes a line for each line that it reads, then ends with a status.
TALKER = """start on startup
script
  mkfifo /run/talk
  exec 3<> /run/talk # always open, so that no line is lost between two reads
  while read word <&3; do echo "said $word"; [ $word != end ] || exit 7; done
end script
"""


def test_jobs_and_their_output_go_on(ssd_path: Path, tmp_path: Path) -> None:
    """What they write comes into the same log, and how they end is known."""
    directory = tmp_path / "d"
    with jobs(ssd_path, directory, {"nap.conf": NAP, "talker.conf": TALKER}) as running:
        running.until("nap runs as process", "talker runs as process")
        ask = [ssd_path.with_name("ssd-service"), f"--directory={directory}"]
        before = process_of(running.run(*ask, "nap", "status", "--json").stdout)
        talk(running, "one")
        running.send(signal.SIGUSR2)
        running.until("the program of the supervisor was replaced; its jobs go on")
        assert before == process_of(running.run(*ask, "nap", "status", "--json").stdout)
        talk(running, "two")
        assert 0 == running.run(*ask, "upgrade").returncode
        running.until("the program of the supervisor was replaced; its jobs go on")
        talk(running, "end")
        running.until("talker exited with status 7")
        log = running.path("/var/log/upstart/talker.log").read_text()
        assert ["said one", "said two", "said end"] == log.split("\n")[:3]
        assert 0 == running.stop()
    assert 1 == sum(" nap runs as" in line for line in running.said)


def process_of(status: str) -> "tuple[int, float]":
    """Return the pid and the time of a start, of the status of a job as JSON."""
    (process,) = json.loads(status)["processes"]
    return process["pid"], process["create_time"]


def talk(running, word: str) -> None:
    """Have the job write a line, as soon as it reads."""
    script = f"until [ -p /run/talk ]; do sleep 0.02; done; echo {word} > /run/talk"
    assert 0 == running.run("timeout", "20", "sh", "-c", script).returncode


def test_broken_job_file_is_no_obstacle(ssd_path: Path, tmp_path: Path) -> None:
    """It is unknown to the next program as it is to this one; the first events are not emitted."""
    files = {
        "nap.conf": NAP,
        "bad.conf": "nonsense\n",
        "once.conf": NAP.replace("exec", "task\nexec"),
    }
    files["once.conf"] = "start on startup\ntask\nexec true\n"
    with jobs(ssd_path, tmp_path / "d", files) as running:
        running.until("nap runs as process", "once has stopped")
        running.send(signal.SIGUSR2)
        running.until("the program of the supervisor was replaced; its jobs go on")
        assert 0 == running.stop()
    assert 1 == sum(" once runs as" in line for line in running.said)


def test_program_that_cannot_run_replaces_nothing(ssd_path: Path, tmp_path: Path) -> None:
    """Here it says so: it reads another format."""
    with jobs(ssd_path, tmp_path / "d", {"nap.conf": NAP}) as running:
        running.until("nap runs as process")
        script = ssd_path.with_name("ssd-supervise")
        check = ["env", "SSD_UPGRADE=check 0", script, "--check", f"--upstart={tmp_path}/d"]
        done = running.run(*check)
        assert (1, True) == (done.returncode, "another format" in done.stderr)
        assert 0 == running.run("env", "SSD_UPGRADE=check 1", *check[2:]).returncode
        assert 0 == running.stop()
