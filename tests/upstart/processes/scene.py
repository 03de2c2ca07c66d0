"""A machine of its own for the processes of jobs: run in a namespace, as root.

A test gives a program that uses this module; what it prints comes back as JSON.
"""

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ssd.service.sources.upstart import Stage

TESTS = Path(__file__).resolve().parent.parent.parent
LIMIT = 20.0  # seconds for anything that is waited for
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin",
    "TERM": "linux", "UPSTART_JOB": "foo", "UPSTART_INSTANCE": "",
}  # fmt: skip
MOUNTS = """set -e
mkdir /dev/pts
mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
mount -t tmpfs -o mode=755 tmpfs /var/log; mkdir /var/log/upstart
for each in passwd group; do cp /etc/$each /run/$each; done
sed -i /^nova:/d /run/passwd; sed -i '/^nova:/d; s/:nova$/:/; s/,nova//' /run/group
echo 'nova:x:990:990::/var/lib/nova:/bin/false' >> /run/passwd
printf 'nova:x:990:\\nnovasup:x:991:nova\\n' >> /run/group
for each in passwd group; do mount --bind /run/$each /etc/$each; done
mkdir /run/srv; cd /
"""


class File:
    """The values of a job's file that are used; invalid ones, too."""

    def __init__(self, name: str, **values: Any) -> None:
        self.name = name
        self.stages: dict[str, Stage] = {}
        self.console, self.expect, self.apparmor_switch = "log", "none", ""
        self.umask = self.nice = self.oom = None
        self.chroot = self.chdir = self.setuid = self.setgid = None
        self.limits: dict[str, tuple[int, int]] = {}
        self.cgroups: list[str] = []
        self.debug = False
        for name, value in values.items():
            setattr(self, name, value)


class Effects:
    """What is used of a supervisor's effects."""

    descriptors: "tuple[int, int] | None" = None
    close_fds = True


class Supervisor:
    """What is used of a supervisor."""

    effects = Effects()


class Job:
    """An instance of a job: exec=TEXT, script=TEXT, pre_start=..., and values of its file."""

    def __init__(self, name: str = "foo", instance: str = "", **values: Any) -> None:
        stages = {}
        for key in [each for each in values if each in ("exec", "script")]:
            stages["main"] = Stage(key == "script", values.pop(key))
        for key in [each for each in values if each in ("pre_start", "post_stop", "security")]:
            stages[key.replace("_", "-")] = Stage(True, values.pop(key))
        self.file = File(name, stages=stages, **values)
        self.instance = instance
        self.label = f"{name} ({instance})" if instance else name
        self.log: Any = None
        self.supervisor = Supervisor()


class Scene:
    """Processes with a watch, on the machine of a namespace."""

    def __init__(self, directory: "str | None" = "/var/log/upstart", mounts: bool = True) -> None:
        from ssd.processes import default_table
        from ssd.supervision.watch import EpollWatch
        from ssd.upstart.processes import Processes

        if mounts:
            subprocess.run(["/bin/sh", "-c", MOUNTS], check=True, stdin=subprocess.DEVNULL)
        self.told: list[tuple[str, str]] = []
        self.watch = EpollWatch()
        tell = lambda level, text: self.told.append((level, text))  # noqa: E731
        self.processes = Processes(default_table(), self.watch, tell, directory)

    def start(self, job: Job, stage: str = "main", **variables: str) -> Any:
        """Start a stage; return its process."""
        return self.processes.start(job, stage, {**ENVIRONMENT, **variables})  # type: ignore[arg-type]

    def until(self, done: "Callable[[], object]") -> None:
        """Take turns until a condition holds."""
        end = time.monotonic() + LIMIT
        while not done():
            assert time.monotonic() < end, "it did not come"
            self.watch.wait(0.01)
            self.watch.poll()

    def end(self, job: Job, child: Any, stage: str = "main") -> int:
        """Wait for the end of a stage, as the supervisor does; return its status."""
        self.until(child.ended)
        status: int = child.poll()
        child.close()
        self.processes.ended(job, stage)  # type: ignore[arg-type]
        return status

    def run(self, job: Job, stage: str = "main", **variables: str) -> int:
        """Start a stage and wait for its end; return its status."""
        return self.end(job, self.start(job, stage, **variables), stage)

    def log(self, name: str = "foo.log") -> str:
        """Return what a log has; "none" without one."""
        path = Path("/var/log/upstart", name)
        return path.read_bytes().decode("latin-1") if path.exists() else "none"


def facts(pid: int, *wanted: str) -> "dict[str, object]":
    """Return what the kernel says of a process, in the words of the harness of real Upstart."""
    place = Path(f"/proc/{pid}")
    lines = (place / "status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines if ":" in line)
    stat = (place / "stat").read_text().rpartition(")")[2].split()
    found: dict[str, Callable[[], object]] = {
        "argv": lambda: (place / "cmdline").read_text().rstrip("\0").split("\0"),
        "uid": lambda: status["Uid"].split(), "gid": lambda: status["Gid"].split(),
        "groups": lambda: status["Groups"].split(), "umask": lambda: status["Umask"].strip(),
        "nice": lambda: int(stat[16]), "oom": (place / "oom_score_adj").read_text,
        "session": lambda: [int(stat[2]) == pid, int(stat[3]) == pid, int(stat[4])],
        "signals": lambda: [status[key].strip() for key in ("SigBlk", "SigIgn")],
        "cwd": lambda: os.readlink(place / "cwd"), "root": lambda: os.readlink(place / "root"),
        "env": lambda: sorted((place / "environ").read_text().rstrip("\0").split("\0")),
        "fds": lambda: dict(_descriptors(place / "fd")),
        "limits": lambda: _limits(place),
    }  # fmt: skip
    return {each: found[each]() for each in wanted or found}


LIBRARIES = ("/lib", "/usr/lib", "/etc/ld.so")


def _descriptors(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield number and target of each, but what a program's loader opens while we look."""
    for fd in directory.iterdir():
        try:
            target = os.readlink(fd)
        except FileNotFoundError:
            continue
        if not target.startswith(LIBRARIES):
            yield fd.name, _shown(target)


def _shown(target: str) -> str:
    target = re.sub(r"/dev/pts/\d+", "PTY", target)
    return re.sub(r"(pipe|socket):\[\d+\]", r"\1", target)


def _limits(place: Path) -> "dict[str, list[str]]":
    rows = (place / "limits").read_text().splitlines()[1:]
    return {row[:26].strip(): row[26:].split()[:2] for row in rows}


def show(value: object) -> None:
    """Print what comes back to the test."""
    print(json.dumps(value), flush=True)


def play(run: Any, program: str) -> Any:
    """Run a program in a namespace, and return what it has shown, the last alone if it is one."""
    prelude = "from upstart.processes.scene import *\n"
    options = {"env": {**os.environ, "PYTHONPATH": str(TESTS)}}
    done = run(sys.executable, "-c", prelude + program, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    return shown[0] if len(shown) == 1 else shown


__all__ = [
    "Effects", "Job", "Path", "Scene", "Supervisor", "facts", "json", "os", "play", "select",
    "show", "subprocess", "sys", "time",
]  # fmt: skip
