"""How each supervisor is told what to supervise, started, asked and stopped."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from supervisors.workloads import Workload

BIN = Path(sys.prefix) / "bin"
PYTHON = str(BIN / "python")
LIMIT = 2  # seconds that a stop grants before SIGKILL
LOG_SIZE, LOG_COUNT = 10_000_000, 40


class Tool:
    """One supervisor, with the directory that it works in."""

    name = ""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.services: list[Workload] = []

    @classmethod
    def missing(cls) -> str:
        """Return why it cannot be measured here; nothing if it can."""
        return ""

    def declare(self, services: list[Workload]) -> None:
        """Write what to supervise, before the start."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return the words that run it in the foreground."""
        raise NotImplementedError

    def status(self, name: str) -> list[list[str]]:
        """Return the commands that tell how one service is, or ``all`` of them."""
        raise NotImplementedError

    def stop(self, pid: int) -> None:
        """Make it stop all services, and return at once."""
        os.kill(pid, signal.SIGTERM)

    def logs(self, name: str) -> list[Path]:
        """Return the files with the output of a service, oldest first."""
        return [self.place / f"{name}.log"]

    def script(self, service: Workload) -> list[str]:
        """Write what a service does into a file; return the words that do it."""
        path = self.place / f"{service.name}.sh"
        path.write_text(service.script)
        return ["/bin/sh", str(path)]


class Floor(Tool):
    """The yardstick: what a Python supervisor needs at least."""

    name = "floor"
    ask = (
        "import os, sys, _socket as s; c = s.socket(s.AF_UNIX, s.SOCK_STREAM); "
        "c.connect(sys.argv[1]); c.send(sys.argv[2].encode())\n"
        "while data := c.recv(65536): os.write(1, data)"
    )

    def declare(self, services: list[Workload]) -> None:
        """Write a line for each."""
        lines = (
            [one.name, f"{one.name}.log" if one.log else "-", *self.script(one)] for one in services
        )
        text = "".join(" ".join(words) + "\n" for words in lines)
        (self.place / "services").write_text(text)

    def command(self) -> list[str]:
        """Without site, as the README installs ssd."""
        return [PYTHON, "-IS", str(Path(__file__).with_name("floor.py")), str(self.place)]

    def status(self, name: str) -> list[list[str]]:
        """By a client that knows no more than its socket."""
        return [[PYTHON, "-IS", "-c", self.ask, str(self.place / "socket"), name]]


class Ssd(Tool):
    """The project's own."""

    name = "ssd-supervise"

    @classmethod
    def missing(cls) -> str:
        """Say whether the installed project has the command."""
        return "" if (BIN / "ssd-supervise").exists() else "the project has no ssd-supervise yet"

    def declare(self, services: list[Workload]) -> None:
        """Write a declaration in TOML for each."""
        (self.place / "declared").mkdir()
        for one in services:
            program, *arguments = self.script(one)
            words = ", ".join(f'"{word}"' for word in arguments)
            log = 'kind = "none"'
            if one.log:
                path = self.logs(one.name)[-1]
                log = f'path = "{path}"\nmax_size = {LOG_SIZE}\nkeep = {LOG_COUNT}'
            killed = "reset = 1\nlimit = 0\n" if one.killed else ""
            (self.place / "declared" / f"{one.name}.toml").write_text(
                f'executable = "{program}"\narguments = [{words}]\n'
                f'stop_schedule = "TERM/{LIMIT}/KILL/5"\n'
                f'[respawn]\nwhen = "always"\n{killed}'
                f"[log]\n{log}\n"
            )

    def command(self) -> list[str]:
        """With the directory of the declarations."""
        return [str(BIN / "ssd-supervise"), "--directory", str(self.place / "declared")]

    def status(self, name: str) -> list[list[str]]:
        """Ask as anybody would."""
        words = ["--directory", str(self.place / "declared"), name, "status"]
        return [[str(BIN / "ssd-service"), *words]]

    def logs(self, name: str) -> list[Path]:
        """Return the rotated files by their numbers."""
        return numbered(self.place / f"{name}.log")


class Supervisord(Tool):
    """Supervisor 4.3 from PyPI, in a virtual environment of its own."""

    name = "supervisord"
    version = "4.3.0"
    venv = Path(sys.prefix) / "supervisord"

    @classmethod
    def missing(cls) -> str:
        """Install it if need be."""
        if not (cls.venv / "bin" / "supervisord").exists():
            quiet = ["--quiet", "--disable-pip-version-check"]
            subprocess.run([PYTHON, "-m", "venv", str(cls.venv)], check=True)
            argv = [str(cls.venv / "bin" / "python"), "-m", "pip", "install", *quiet]
            if subprocess.run([*argv, f"supervisor=={cls.version}"]).returncode:
                shutil.rmtree(cls.venv)
                return "pip could not install it"
        return ""

    def declare(self, services: list[Workload]) -> None:
        """Write a section for each."""
        out = [
            f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\n"
            f"pidfile={self.place}/pid\nminfds={5 * len(services) + 100}\n"
            f"[unix_http_server]\nfile={self.place}/socket\n"
            f"[supervisorctl]\nserverurl=unix://{self.place}/socket\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
        ]
        for one in services:
            log = f"{self.place}/{one.name}.log" if one.log else "NONE"
            patient = "startretries=10\n" if one.patient else ""
            out.append(
                f"[program:{one.name}]\ncommand={' '.join(self.script(one))}\n"
                f"autorestart=true\nredirect_stderr=true\nstopwaitsecs={LIMIT}\n"
                f"stdout_logfile={log}\nstdout_logfile_maxbytes={LOG_SIZE}\n"
                f"stdout_logfile_backups={LOG_COUNT}\n{patient}"
            )
        (self.place / "supervisord.conf").write_text("".join(out))

    def command(self) -> list[str]:
        """In the foreground."""
        conf = str(self.place / "supervisord.conf")
        return [str(self.venv / "bin" / "supervisord"), "-n", "-c", conf]

    def status(self, name: str) -> list[list[str]]:
        """By supervisorctl."""
        conf = str(self.place / "supervisord.conf")
        return [[str(self.venv / "bin" / "supervisorctl"), "-c", conf, "status", name]]

    def logs(self, name: str) -> list[Path]:
        """Return the rotated files by their numbers."""
        return numbered(self.place / f"{name}.log")


def numbered(log: Path) -> list[Path]:
    """Return a log and its older files LOG.1, LOG.2 ..., oldest first."""
    old = (path for path in log.parent.glob(f"{log.name}.*") if path.suffix[1:].isdecimal())
    return [*sorted(old, key=lambda path: -int(path.suffix[1:])), log]
