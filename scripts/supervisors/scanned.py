"""runit and s6: a directory for each service, a process for each, another for each log."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from supervisors.tools import LIMIT, LOG_COUNT, LOG_SIZE, Tool
from supervisors.workloads import Workload


class Scanned(Tool):
    """What both have in common."""

    logger = ""
    programs: tuple[str, ...] = ()

    @classmethod
    def missing(cls) -> str:
        """Say which program is not installed."""
        lost = [name for name in cls.programs if not shutil.which(name)]
        return f"{lost[0]} is not installed: apt-get install {cls.name}" if lost else ""

    def declare(self, services: list[Workload]) -> None:
        """Make a directory with run, and with log/run, for each."""
        self.services = services
        for one in services:
            directory = self.place / "scan" / one.name
            directory.mkdir(parents=True)
            output = "exec 2>&1" if one.log else "exec >/dev/null 2>&1"
            self.write(directory / "run", f"#!/bin/sh\n{output}\n{one.script}")
            (directory / "timeout-kill").write_text(f"{LIMIT}000\n")  # s6 reads it
            if one.log:
                logs = self.place / f"{one.name}.logs"
                for made in (directory / "log", logs):
                    made.mkdir()
                (logs / "config").write_text(f"s{LOG_SIZE}\nn{LOG_COUNT}\n")  # svlogd reads it
                self.write(directory / "log/run", f"#!/bin/sh\nexec {self.logger} {logs}\n")

    @staticmethod
    def write(path: Path, text: str) -> None:
        """Write a program."""
        path.write_text(text)
        path.chmod(0o755)

    def logs(self, name: str) -> list[Path]:
        """Return the rotated files, whose names begin with a time, and the current one."""
        directory = self.place / f"{name}.logs"
        return [*sorted(directory.glob("@*")), directory / "current"]

    def directories(self, name: str) -> list[str]:
        """Return the directory of a service, or of all of them."""
        chosen = [one.name for one in self.services] if name == "all" else [name]
        return [str(self.place / "scan" / one) for one in chosen]


class Runit(Scanned):
    """runsvdir, a runsv for each service, an svlogd for each log."""

    name = "runit"
    logger = "svlogd"
    programs = ("runsvdir", "runsv", "sv", "svlogd")

    def command(self) -> list[str]:
        """With a process group for each."""
        return ["runsvdir", "-P", str(self.place / "scan")]

    def status(self, name: str) -> list[list[str]]:
        """By one command."""
        return [["sv", "status", *self.directories(name)]]

    def stop(self, pid: int) -> None:
        """By its client: runsvdir itself never sends SIGKILL."""
        os.kill(pid, signal.SIGKILL)  # or it starts each runsv anew
        argv = ["sv", "-w", str(LIMIT), "force-shutdown", *self.directories("all")]
        subprocess.Popen(argv, stdout=subprocess.DEVNULL)


class S6(Scanned):
    """s6-svscan, an s6-supervise for each service and each log, an s6-log for each log."""

    name = "s6"
    logger = f"s6-log n{LOG_COUNT} s{LOG_SIZE}"
    programs = ("s6-svscan", "s6-supervise", "s6-svstat", "s6-log", "s6-svscanctl")

    def command(self) -> list[str]:
        """With room for all."""
        room = max(500, 2 * len(self.services) + 10)
        return ["s6-svscan", "-c", str(room), str(self.place / "scan")]

    def status(self, name: str) -> list[list[str]]:
        """By a command for each."""
        return [["s6-svstat", directory] for directory in self.directories(name)]

    def stop(self, pid: int) -> None:
        """By its client."""
        subprocess.Popen(["s6-svscanctl", "-t", str(self.place / "scan")])
