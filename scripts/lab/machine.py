"""The lab in namespaces of its own: its processes and mounts end together."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lab.layout import Lab
from lab.running import ends

WAIT_TIMEOUT = 900  # seconds: the machine may be busy

# What the machine gets on top of ours: empty directories for pidfiles and locks, so that none is
# left from an earlier life; nova's own directories; ssd in place of start-stop-daemon.
# $1 the lab, $2 start-stop-daemon.
_FURNISH = """
set -e
mount -t tmpfs -o mode=755 tmpfs /var/cache
mount -t tmpfs -o mode=755 tmpfs /var/log
mkdir -p /run/lock /var/log/nova /var/lib/nova
mount --bind "$1/log" /var/log/nova
mount --bind "$1/state" /var/lib/nova
mount --bind "$1/venv/bin/ssd" "$2"
"""
_LIVE = """
mount -t tmpfs -o mode=755 tmpfs /run || exit
for directory in "$1/run" "$1/compute"; do
    mkdir -p "$directory" && mount -t tmpfs -o mode=755 tmpfs "$directory" || exit
done
echo ready
cat
exit 0
"""


class Machine:
    """Namespaces with the lab in them. Close it: the kernel ends all processes in there."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        unshare = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
        self._holder = subprocess.Popen(
            [*unshare, "sh", "-c", _LIVE, "sh", str(lab.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "ready\n"

    def furnish(self) -> None:
        """Put nova's directories and ssd, once the lab is built, where Debian has them."""
        tool = shutil.which("start-stop-daemon", path="/usr/sbin:/sbin:/usr/bin:/bin")
        assert tool, "start-stop-daemon is missing"
        self.run(["sh", "-c", _FURNISH, "sh", self.lab.root, os.path.realpath(tool)])

    def enter(self, argv: Sequence[object]) -> list[str]:
        """Return the words that run a command in there."""
        place = f"/proc/{self._holder.pid}/ns"
        words = ["nsenter", f"--mount={place}/mnt", f"--pid={place}/pid_for_children", "--"]
        return [*words, *map(str, argv)]

    def run(self, argv: Sequence[object], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command in there. A failure raises AssertionError unless check=False."""
        check = options.pop("check", True)
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        settings = {**streams, "stdin": subprocess.DEVNULL, "timeout": 2 * WAIT_TIMEOUT, **options}
        done = subprocess.run(self.enter(argv), **settings)
        assert not check or done.returncode == 0, f"{argv}: {done.returncode}\n{done.stdout}"
        return done

    def nova_lab(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run scripts/nova-lab in there."""
        return self.run(self._script(*words), check=check)

    def build(self, tell: Callable[[str], None]) -> None:
        """Run its verb up, which may build everything first, and print each line as it comes."""
        up = self.enter(self._script("up"))
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(up, stdin=subprocess.DEVNULL, **pipes) as running:
            for line in running.stdout:
                tell(line.rstrip("\n"))
        assert running.returncode == 0, "the lab is not up; the lines above say why"

    def interrupt_up(self, step: str, signum: int) -> subprocess.CompletedProcess[str]:
        """Run its verb up, and send it a signal when it has reached a step."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        up = subprocess.Popen(self.enter(self._script("up")), stdin=subprocess.DEVNULL, **pipes)
        told, wanted, pids = b"", step.encode(), []
        while wanted not in told:
            told += (more := os.read(up.stdout.fileno(), 4096))
            assert more, told.decode()
            # Looked for before the step begins: the step's command is a copy of up at first.
            pids = pids or self.named("scripts/lab\0up")
        (pid,) = pids
        self.signal(pid, signum)
        told += up.communicate(timeout=WAIT_TIMEOUT)[0]
        return subprocess.CompletedProcess(up.args, up.returncode, told.decode())

    def _script(self, *words: object) -> list[object]:
        script = self.lab.checkout / "scripts/nova-lab"
        return ["env", f"NOVA_LAB={self.lab.root}", script, *words]

    def processes(self) -> dict[int, int]:
        """Return the living processes in there: their pids inside, and outside."""
        namespace = os.readlink(f"/proc/{self._holder.pid}/ns/pid_for_children")
        found = {}
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") != namespace:
                    continue
                lines = Path(f"/proc/{entry}/status").read_text(errors="replace").splitlines()
            except OSError:
                continue  # it has ended meanwhile
            fields = dict(line.partition(":\t")[::2] for line in lines)
            if not fields["State"].startswith("Z"):
                found[int(fields["NSpid"].split()[-1])] = int(entry)
        return found

    def named(self, text: str) -> list[int]:
        """Return the pids in there of the processes with ``text`` in their command line."""
        found = []
        for pid, outside in self.processes().items():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if text.encode() in Path(f"/proc/{outside}/cmdline").read_bytes():
                    found.append(pid)
        return sorted(found)

    def until_none(self, text: str) -> None:
        """Wait until no process has ``text`` in its command line; AssertionError if one remains.

        A process that has not executed its program yet ends shortly after its starter.
        """
        deadline = time.monotonic() + WAIT_TIMEOUT
        while pids := self.named(text):
            assert time.monotonic() < deadline, f"left: {pids}"
            if outside := self.processes().get(pids[0]):
                ends(outside, 1)  # or it executes the program

    def left(self) -> dict[int, int]:
        """Return the processes that are left, once all should have ended but its own first two.

        Helpers of a service end shortly after it.
        """
        while len(found := self.processes()) > 2:
            if not ends(found[max(found)], WAIT_TIMEOUT):
                break
        return found

    def signal(self, pid: int, signum: int) -> None:
        """Send a signal to a process in there; after KILL wait for its end."""
        descriptor = os.pidfd_open(self.processes()[pid])
        try:
            signal.pidfd_send_signal(descriptor, signum)
            if signum == signal.SIGKILL:
                assert select.select([descriptor], [], [], WAIT_TIMEOUT)[0], f"{pid} does not die"
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """End it."""
        self._holder.communicate("")
