"""Import the shapes of init scripts, and start each daemon by the script and by the declaration.

usage, in namespaces of its own: python machine.py SHAPE... > one line of JSON for each

Its keys: name, notes (what the import said), fields (of the declaration), failures (sentences),
and declared and script: what the kernel says of each daemon that was started either way.
"""

import ctypes
import json
import os
import select
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ssd.service import sources
from ssd.service.cli import main
from ssd.service.environment import DEFAULT_PATH
from ssd.service.importing import functions

SHAPES = Path(__file__).parent / "shapes"
DECLARED = "/srv/declared"
SHELLS_OWN = ("PWD", "OLDPWD", "SHLVL", "_")  # set by a shell for itself
SECONDS = 5.0  # for a daemon to say that it is ready, and to end
SEVERAL = {"two-daemons": 2}  # daemons that a script starts
# Scripts whose running daemon their declarations do not know: its pidfile belongs to a user, and
# ssd asks for a second criterion; or it has none, and the declaration has one.
UNKNOWN = ("su-login", "by-name")
WORKERS = 3  # some scripts sleep
IOPRIO_GET = {"x86_64": 252, "aarch64": 31}


def prepare() -> None:
    """Mount what scripts write, and put the tools and files of the shapes there."""
    for directory in ("/srv", "/etc/default", "/etc/init.d", "/usr/local/sbin", "/var/log"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", directory], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/var/lib"], check=True)
    for directory in ("/run/lock/subsys", DECLARED):
        os.makedirs(directory)
    for name in ("sudo", "setuidgid"):
        shutil.copy(SHAPES / "support" / name, "/usr/local/sbin")
        os.chmod(f"/usr/local/sbin/{name}", 0o755)
    Path("/etc/init.d/functions").write_text(functions.TEXT)
    for each in (SHAPES / "default").iterdir():
        shutil.copy(each, "/etc/default")
    os.environ.clear()
    os.umask(0o022)
    os.chdir("/")


class Shape:
    """One script with a daemon of its own in /srv."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.home = f"/srv/{name}"
        self.script = f"/etc/init.d/{name}"
        self.failures: list[str] = []
        os.mkdir(self.home)
        for program in ("webd", "bynamed"):
            shutil.copy("/bin/dash", f"{self.home}/{program}")
        for each in ("record", "serve", "webctl"):
            shutil.copy(SHAPES / "support" / each, self.home)
            os.chmod(f"{self.home}/{each}", 0o755)
        shutil.copy(SHAPES / name, self.script)
        os.chmod(self.script, 0o755)
        for fifo in ("ready", "end"):
            os.mkfifo(f"{self.home}/{fifo}")
            os.chmod(f"{self.home}/{fifo}", 0o666)
        self.ready = os.open(f"{self.home}/ready", os.O_RDWR)

    def report(self) -> dict[str, Any]:
        """Import the script, start and stop the daemons both ways, and tell what was seen."""
        told: dict[str, Any] = {"name": self.name}
        told["notes"] = self.call(["import", self.script])
        if not self.failures:

            def declared(verb: str) -> None:
                self.call([self.name, verb])

            told["fields"] = sources.find(self.name, DECLARED).to_dict()
            told["declared"] = self.life(1, declared)
            told["script"] = self.life(SEVERAL.get(self.name, 1), self.run, declared)
        return {**told, "failures": self.failures}

    def life(
        self,
        count: int,
        perform: Callable[[str], None],
        declared: Callable[[str], None] | None = None,
    ) -> list[dict[str, Any]]:
        """Start daemons, see what they are, and stop them. Return their facts.

        With ``declared`` the declaration must know them as well.
        """
        perform("start")
        pids = self.started(count)
        seen = [facts(pid) for pid in pids]
        ends = [os.pidfd_open(pid) for pid in pids]
        if declared is not None and self.name not in UNKNOWN:
            declared("status")
        perform("stop")
        for end in ends:
            if not select.select([end], [], [], SECONDS)[0]:
                self.failures.append("a daemon is not stopped")
            os.close(end)
        return sorted(seen, key=lambda each: str(each["argv"]))

    def started(self, count: int) -> list[int]:
        """Wait until daemons have said their pids, and return them."""
        text = b""
        while text.count(b"\n") < count:
            if not select.select([self.ready], [], [], SECONDS)[0]:
                self.failures.append(f"{count} daemons should be ready, and said {text!r}")
                break
            text += os.read(self.ready, 100)
        return [int(pid) for pid in text.split()]

    def run(self, verb: str) -> None:
        """Run the script as service(8) does."""
        with open(f"{self.home}/said", "w+") as said:
            words = [self.script, verb]
            given = {"PATH": DEFAULT_PATH}  # what an import traces a script with
            status = subprocess.call(
                words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=given
            )
            said.seek(0)
            if status:
                self.failures.append(f"{verb} of the script ends with {status}: {said.read()}")

    def call(self, words: list[str]) -> str:
        """Call ssd-service in a process of its own, and return what it says."""
        with open(f"{self.home}/said", "w+") as said:
            pid = os.fork()
            if pid == 0:
                for number in (1, 2):
                    os.dup2(said.fileno(), number)
                os._exit(main(["ssd-service", f"--directory={DECLARED}", *words]))
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            said.seek(0)
            text = said.read()
        if status:
            self.failures.append(f"{' '.join(words)} ends with {status}: {text}")
        return text


def facts(pid: int) -> dict[str, Any]:
    """Return what the kernel says of a process."""
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    environment = dict(
        each.split("=", 1)
        for each in os.fsdecode(Path(f"/proc/{pid}/environ").read_bytes()).split("\0")
        if "=" in each
    )
    library = ctypes.CDLL(None, use_errno=True)
    return {
        "argv": os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).split("\0")[:-1],
        "exe": os.readlink(f"/proc/{pid}/exe"),
        "uids": status["Uid"].split(),
        "gids": status["Gid"].split(),
        "groups": sorted(status["Groups"].split()),
        "directory": os.readlink(f"/proc/{pid}/cwd"),
        "root": os.readlink(f"/proc/{pid}/root"),
        "umask": status["Umask"].strip(),
        "environment": {k: v for k, v in environment.items() if k not in SHELLS_OWN},
        "limits": Path(f"/proc/{pid}/limits").read_text().splitlines()[1:],
        "nice": stat[16],
        "policy": os.sched_getscheduler(pid),
        "io": library.syscall(IOPRIO_GET[os.uname().machine], 1, pid),
        "oom": Path(f"/proc/{pid}/oom_score_adj").read_text().strip(),
        "output": [os.readlink(f"/proc/{pid}/fd/{number}") for number in (1, 2)],
        "input": os.readlink(f"/proc/{pid}/fd/0"),
    }


def work(names: list[str], report: Path) -> int:
    """Write the reports of some shapes in a process of its own; return its pid."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            report.write_text("".join(f"{json.dumps(Shape(name).report())}\n" for name in names))
            status = 0
        finally:
            if status:
                traceback.print_exc()
            os._exit(status)
    return pid


if __name__ == "__main__":
    prepare()
    reports = [Path(f"/srv/report.{number}") for number in range(WORKERS)]
    pids = [work(sys.argv[1 + n :: WORKERS], report) for n, report in enumerate(reports)]
    if max(os.waitpid(pid, 0)[1] for pid in pids):
        sys.exit(1)
    for report in reports:
        sys.stdout.write(report.read_text())
