"""nova-compute as an Upstart job, under ssd-supervise --upstart, in the lab's machine.

The job file stays as Ubuntu wrote it, so its program and its settings must be where it looks for
them: in layers above /etc and /usr that only the supervisor and its jobs see.
"""

import os
import select
import signal
import subprocess
import time
from pathlib import Path

from lab.entry_points import Compute, EntryPoint
from lab.machine import WAIT_TIMEOUT, Machine

JOB = "nova-compute"
# $1 the lab, $2 the job file. A container loads no kernel module.
_ENTER = """
set -e
mount -t tmpfs -o mode=755 tmpfs /mnt
for directory in etc usr; do
    upper=/mnt/$directory/upper work=/mnt/$directory/work
    mkdir -p "$upper" "$work"
    mount -t overlay -o "lowerdir=/$directory,upperdir=$upper,workdir=$work" none "/$directory"
done
mkdir -p /etc/init /etc/nova
cp "$2" /etc/init/
cp -p "$1/etc/nova.conf" /etc/nova/
echo '[DEFAULT]' > /etc/nova/nova-compute.conf
ln -sf "$1/venv/bin/nova-compute" /usr/bin/nova-compute
touch /run/container_type
cd /
exec "$1/venv/bin/ssd-supervise" --upstart /etc/init
"""


class Jobs:
    """The supervisor of the job, and what its commands say."""

    def __init__(self, machine: Machine, job: Path) -> None:
        self.machine = machine
        self.compute = Compute(machine, EntryPoint("upstart", (), "", ()))
        command = ["unshare", "--mount", "sh", "-c", _ENTER, "sh", machine.lab.root, job]
        self._process = subprocess.Popen(
            machine.enter(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip
        self._await_answer()

    def run(self, *words: str, check: bool = True) -> str:
        """Run initctl; return what it prints, its errors too."""
        program = self.machine.lab.command("ssd-initctl")
        return self.machine.run([program, *words], check=check).stdout

    def status(self) -> str:
        """Return the job's goal and state."""
        return self.run("status", JOB).strip().partition(",")[0].removeprefix(f"{JOB} ")

    def pid(self) -> int:
        """Return the job's main process."""
        return int(self.run("status", JOB).partition("process ")[2])

    def await_status(self, wanted: str) -> None:
        """Wait until the job has this goal and state."""
        deadline = time.monotonic() + WAIT_TIMEOUT
        while (status := self.status()) != wanted:
            assert time.monotonic() < deadline, f"{status}, not {wanted}"
            time.sleep(0.1)

    def log(self) -> str:
        """Return the job's log."""
        return self.machine.run(["cat", f"/var/log/upstart/{JOB}.log"]).stdout

    def end(self) -> int:
        """Send TERM to the supervisor; return its exit status."""
        (pid,) = self.machine.named("bin/ssd-supervise")
        self.machine.signal(pid, signal.SIGTERM)
        self._process.communicate(timeout=WAIT_TIMEOUT)
        return self._process.returncode

    def close(self) -> None:
        """End it if it runs, and its jobs with it."""
        if self._process.poll() is None:
            self.end()

    def _await_answer(self) -> None:
        """Wait until the supervisor answers."""
        deadline = time.monotonic() + WAIT_TIMEOUT
        while self.machine.run([self.machine.lab.command("ssd-initctl"), "version"],
                               check=False).returncode:  # fmt: skip
            assert self._process.poll() is None, self._said()
            assert time.monotonic() < deadline, "it does not answer"
            time.sleep(0.1)

    def _said(self) -> str:
        """Return what the supervisor has printed so far."""
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        return os.read(fd, 65536).decode() if select.select([fd], [], [], 0)[0] else ""
