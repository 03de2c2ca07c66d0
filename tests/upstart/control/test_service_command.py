"""ssd-service on the jobs of a supervisor that runs: found by its link, without their directory."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.supervise import Supervise

from upstart.cli.running import jobs, write

pytestmark = pytest.mark.requires_namespaces

NAP = "exec sleep 1000\n"
# What the machine itself declares is none of ours.
OWN_ETC = "cp -a /etc /run/etc && mount --bind /run/etc /etc && rm -rf /etc/ssd && mkdir /etc/ssd"
FILES = {
    "nap.conf": f"description 'A nap'\nstart on startup\n{NAP}",
    "many.conf": f"instance $N\n{NAP}",
    "talk.conf": "script\n  echo one\n  echo two\n  exec sleep 1000\nend script\n",
    "bad.conf": f"pre-start exec false\n{NAP}",
    "once.conf": "task\nexec true\n",
}


class Service:
    """ssd-service in the namespaces of a supervisor of jobs."""

    def __init__(self, running: Supervise, ssd_path: Path, directory: Path) -> None:
        self.running = running
        self.bin = ssd_path.parent
        self.directory = directory

    def __call__(self, status: int, *words: str) -> str:
        """Run it; check its status, and return its output, with what it complains of at the end."""
        done = self.running.run(self.bin / "ssd-service", *words)
        assert status == done.returncode, done.stdout + done.stderr
        return done.stdout + done.stderr

    def initctl(self, *words: str) -> str:
        """Run initctl; return its output."""
        return self.running.run(self.bin / "ssd-initctl", *words).stdout


@pytest.fixture
def service(ssd_path: Path, tmp_path: Path) -> Iterator[Service]:
    """Return ssd-service beside jobs that run."""
    if os.geteuid():
        pytest.skip("the link is root's")
    directory = tmp_path / "init"
    write(directory / "net", {"c.conf": NAP})
    with jobs(ssd_path, directory, FILES, before=OWN_ETC) as running:
        running.until("nap runs as process")
        yield Service(running, ssd_path, directory)


def test_life_of_a_job_has_the_usual_words(service: Service) -> None:
    """And the statuses of the LSB."""
    assert service(0, "nap", "status").startswith("nap is running (process ")
    assert "Starting A nap: nap is already running.\n" == service(0, "nap", "start")
    assert "Restarting A nap: nap.\n" == service(0, "nap", "restart")
    assert "Stopping A nap: nap.\n" == service(0, "nap", "stop")
    assert "nap is not running\n" == service(3, "nap", "status")
    assert "Stopping A nap: nap is not running.\n" == service(0, "nap", "stop")
    assert "Starting A nap: nap.\n" == service(0, "nap", "start")
    assert "Signalling A nap: nap.\n" == service(0, "signal", "nap", "CONT")
    assert "Reloading A nap: nap.\n" == service(0, "nap", "reload")  # HUP ends it
    service.running.until("nap has stopped")


def test_names_are_those_of_initctl(service: Service) -> None:
    """With slashes, and with an instance in parentheses."""
    assert "Starting net/c: net/c.\n" == service(0, "net/c", "start")
    assert service(0, "net/c", "status").startswith("net/c is running (process ")
    assert "many (a b) start/running" in service.initctl("start", "many", "N=a b")
    assert service(0, "many (a b)", "status").startswith("many (a b) is running (process ")
    said = service(1, "many", "start")
    assert "many: it has an instance for each $N; 'initctl start many KEY=VALUE' starts one" in said
    assert "instances that run: many (a b)" in said
    assert "Stopping many (a b): many (a b).\n" == service(0, "many (a b)", "stop")
    assert "many stop/waiting" in service.initctl("list")


def test_failure_and_a_task_say_how_they_ended(service: Service) -> None:
    """In the line of the start, and in the status afterwards."""
    said = service(1, "bad", "start")
    reason = "its pre-start process exited with status 1"
    assert f"Starting bad: bad failed!\nssd-service: bad: {reason}\n" == said
    assert f"bad is not running: {reason}\n" == service(3, "bad", "status")
    assert "Starting once: once.\n" == service(0, "once", "start")
    assert "once is not running: it has done its work\n" == service(3, "once", "status")


def test_all_status_shows_jobs_and_services(service: Service) -> None:
    """Each name once: a declaration counts before a job, also without a supervisor of its own."""
    text = 'executable = "/bin/sleep"\narguments = ["1000"]\n'
    service.running.path("/etc/ssd/nap.toml").write_text(text)
    shown = service(3, "all", "status").splitlines()
    assert ["bad", "many", "nap", "net/c", "once", "talk"] == [line.split()[0] for line in shown]
    assert "nap is not running" in shown
    assert "nap is not running\n" == service(3, "nap", "status")
    assert service(0, f"--directory={service.directory}", "nap", "status").startswith("nap is run")


def test_jobs_alone_are_shown_by_all(service: Service) -> None:
    """Where nothing is declared; a wish for all is none for them."""
    service.initctl("start", "many", "N=1")
    shown = [line.split(" is ")[0] for line in service(3, "all", "status").splitlines()]
    assert {"bad", "many (1)", "nap", "net/c", "once", "talk"} <= {*shown}
    assert "many" not in shown
    facts = json.loads(service(3, "all", "status", "--json"))
    assert {"A nap"} == {each["description"] for each in facts if each["name"] == "nap"}
    service.running.run(service.bin / "ssd-service", "all", "stop")
    assert "nap start/running" in service.initctl("status", "nap")
    assert "nap." in service(0, f"--directory={service.directory}", "all", "stop")
    assert "nap stop/waiting" in service.initctl("status", "nap")


def test_log_and_events_are_shown(service: Service) -> None:
    """The log as a terminal would show it, without its carriage returns."""
    assert "Starting talk: talk.\n" == service(0, "talk", "start")
    assert "one\ntwo\n" == service(0, "log", "talk")
    assert "two\n" == service(0, "log", "talk", "-n1")
    said = service(0, "events", "-n", "2")
    assert ["talk runs as process", "talk is ready"] == [
        line[20:].rstrip("0123456789 ") for line in said.splitlines()
    ]


def test_update_reads_the_job_files_anew(service: Service) -> None:
    """One that is broken is unknown from then on; what runs of it goes on."""
    write(service.directory, {"new.conf": NAP, "nap.conf": "nonsense\n"})
    service(0, "update")
    assert "Starting new: new.\n" == service(0, "new", "start")
    assert service(0, "nap", "status").startswith("nap is running")
    assert "Stopping A nap: nap.\n" == service(0, "nap", "stop")
    assert "nap" not in service.initctl("list")
