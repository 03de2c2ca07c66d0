"""Rollouts of the role rolling_restart over ssh: a service of one's own on each host of a fleet."""

import errno
import json
import os
import select
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

from kit.ansible import Ansible
from kit.ssh_hosts import Host

# It adds a line to /run/NAME.starts. It ends at once where /run/NAME.broken is, and after a second
# where /run/NAME.short is. Where /run/NAME.slow is, a FIFO, it says "stopping" there when it gets
# SIGTERM, and ends when it is told so, or by SIGKILL.
_SERVICE = """
executable = "/usr/bin/python3"
readiness = {kind = "stays", timeout = 0.3}
stop_schedule = "TERM/SECONDS/KILL/5"
arguments = ["-c", '''
import os, signal, sys
if os.path.exists("/run/NAME.broken"):
    sys.exit("broken")
with open("/run/NAME.starts", "a") as starts:
    print("start", file=starts)
if os.path.exists("/run/NAME.short"):
    signal.alarm(1)
def stop(*_):
    if os.path.exists("/run/NAME.slow"):
        with open("/run/NAME.slow", "w") as said:
            said.write("stopping")
        with open("/run/NAME.slow") as told:
            told.read()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
while True:
    signal.pause()
''']
"""
_names = map("web{}".format, count(1))


class Rollout:
    """Rollouts of one service, which runs on each host of a fleet."""

    def __init__(self, ansible: Ansible, directory: Path, seconds: int = 30) -> None:
        """Declare it and start it everywhere. A stop that takes longer than seconds needs KILL."""
        self.ansible, self.fleet, self.name = ansible, ansible.fleet, next(_names)
        self.report_directory = directory / "report"
        self.locks = directory / "locks"
        self._playbook = "ssd.daemon.rolling_restart"
        for host in self.fleet:
            text = _SERVICE.replace("NAME", self.name).replace("SECONDS", str(seconds))
            host.declare(f"{self.name}.toml", text)
            host.run("ssd-service", self.name, "start", check=True)
        self.first = self.pids()

    def close(self) -> None:
        """End the service everywhere, and give all hosts their link back."""
        for host in self.fleet:
            host.link("up")
            pid = self.pid(host)
            if pid:
                host.run(f"kill -9 {pid}")

    def words(self, *flags: str, playbook: str | None = None, **variables: Any) -> list[str]:
        """Return the words of the command; ``variables`` are without rolling_restart_."""
        usual = {
            "service": self.name,
            "hosts": "all",
            "serial": [1, 1, 2],
            "report": str(self.report_directory),
            "lock_directory": str(self.locks),
            "soak": 0,
        }
        given = {
            f"rolling_restart_{name}": value
            for name, value in {**usual, **variables}.items() if value is not None
        }  # fmt: skip
        extra = ["-e", json.dumps(given)]
        return ["ansible-playbook", playbook or self._playbook, *extra, *flags]

    def run(self, *flags: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run the playbook to its end."""
        return self.ansible.run(*self.words(*flags, **variables))

    def begin(self, *flags: str, **variables: Any) -> subprocess.Popen[str]:
        """Begin a run of the playbook."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        words = self.words(*flags, **variables)
        return self.fleet.begin(*words, env=self.ansible.environment(), **pipes)

    def report(self, name: str = ".") -> dict[str, Any]:
        """Return what is in report.json."""
        report: dict[str, Any] = json.loads(
            (self.report_directory / name / "report.json").read_text()
        )
        return report

    def records(self, name: str = ".") -> dict[str, dict[str, Any]]:
        """Return the records of the report, by host."""
        return {record["host"]: record for record in self.report(name)["hosts"]}

    def results(self, name: str = ".") -> list[str]:
        """Return the results of all hosts, in their order."""
        return [record["result"] for record in self.report(name)["hosts"]]

    def table(self) -> str:
        """Return the report for people."""
        return (self.report_directory / "report.txt").read_text()

    def pid(self, host: Host) -> int | None:
        """Return the pid that runs on a host, by its pidfile; None if none does."""
        file = host.path(f"/run/{self.name}.pid")
        pid = int(file.read_text()) if file.exists() else None
        return pid if pid in host.processes() else None

    def pids(self) -> list[int | None]:
        """Return the pid that runs on each host."""
        return [self.pid(host) for host in self.fleet]

    def restarted(self) -> list[bool]:
        """Return whether each host has another process than at first."""
        return [new != old for new, old in zip(self.pids(), self.first, strict=True)]

    def starts(self) -> list[int]:
        """Return how often the service was started on each host, the first time included."""
        paths = [host.path(f"/run/{self.name}.starts") for host in self.fleet]
        return [len(path.read_text().splitlines()) for path in paths]

    def break_on(self, name: str, how: str = "broken") -> None:
        """Let each further start fail on a host; "short": a second after it."""
        self.fleet[name].path(f"/run/{self.name}.{how}").touch()

    def mend(self, name: str, how: str = "broken") -> None:
        """Let starts succeed again."""
        self.fleet[name].path(f"/run/{self.name}.{how}").unlink()

    def hold(self, name: str) -> "Held":
        """Let the stop on a host wait for the test."""
        return Held(self.fleet[name].path(f"/run/{self.name}.slow"))


class Held:
    """A stop that waits for the test."""

    def __init__(self, fifo: Path) -> None:
        self._fifo = fifo
        os.mkfifo(fifo)

    def wait(self, running: subprocess.Popen[str]) -> None:
        """Wait until the stop is going on, which a run must come to before it ends."""
        ended = os.pidfd_open(running.pid)
        said = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            ready, _, _ = select.select([ended, said], [], [])
            assert said in ready, running.communicate()
            assert b"stopping" == os.read(said, 100)
        finally:
            os.close(ended)
            os.close(said)

    def release(self) -> None:
        """Let it go on, and the next stops not wait."""
        try:
            os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            # SIGKILL has ended it meanwhile.
            assert error.errno == errno.ENXIO, error
        self._fifo.unlink()
