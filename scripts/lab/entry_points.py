"""The entry points of nova-compute, and its state on the queue and in the database."""

import json
import re
import sqlite3
import subprocess
from typing import NamedTuple

from lab import running
from lab.layout import HOST, Lab
from lab.machine import WAIT_TIMEOUT, Machine
from lab.running import probe
from lab.services import COMPUTE_QUEUE
from lab.watching import until

# Seconds between TERM and KILL, fixed in Debian's script, and the same for the others.
TERM_TIMEOUT = 30


class EntryPoint(NamedTuple):
    """An init script, or another command that takes a verb; ``settings`` are its environment.

    ``killed``: the exit status of its own status verb after the service was killed.
    """

    name: str
    words: tuple[str, ...]
    pidfile: str
    settings: tuple[str, ...]
    killed: int = 1


def debian(lab: Lab) -> EntryPoint:
    """Return the init script of Debian's package nova-compute, as it is.

    Its status verb does not read the pidfile, but looks for a process of that name, so for it a
    killed service does not run.
    """
    settings = (f"DAEMON={lab.venv}/bin/nova-compute", f"CONFIG_FILE={lab.etc}/nova.conf")
    pidfile = "/var/run/nova/nova-compute.pid"
    return EntryPoint("debian", (str(lab.init_script),), pidfile, settings, 3)


def ours(lab: Lab) -> EntryPoint:
    """Return scripts/nova-compute, with more time for the end after KILL on a slow machine."""
    settings = (f"DEFAULT_DIR={lab.etc}/default", f"RETRY=TERM/{TERM_TIMEOUT}/KILL/60")
    pidfile = f"{lab.root}/compute/run/nova-compute.pid"
    return EntryPoint("ours", (str(lab.checkout / "scripts/nova-compute"),), pidfile, settings)


def declared(lab: Lab) -> EntryPoint:
    """Return ``ssd-service nova-compute``, which reads the lab's declaration of it.

    The declaration has a probe, so its start returns when nova-compute is ready.
    """
    *words, _ = running.words(lab, "nova-compute", "start")
    return EntryPoint("declared", tuple(words), f"{lab.root}/compute/run/nova-compute.pid", ())


class Compute:
    """nova-compute behind one entry point."""

    def __init__(self, machine: Machine, entry: EntryPoint) -> None:
        self.machine = machine
        self.lab = machine.lab
        self.entry = entry

    def verb(self, verb: str, *, check: bool = True) -> int:
        """Run a verb of the init script as service(8) would; return its exit status."""
        return self._carry_out(verb, check).returncode

    def told(self, verb: str) -> str:
        """Return what a verb of the init script prints."""
        return self._carry_out(verb, check=True).stdout

    def _carry_out(self, verb: str, check: bool) -> subprocess.CompletedProcess[str]:
        words = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        words += [*self.entry.settings, *self.entry.words, verb]
        return self.machine.run(words, check=check)

    def status(self) -> int:
        """Return the status by ssd."""
        words = [self.lab.command("ssd"), "--status", "--pidfile", self.entry.pidfile]
        return self.machine.run(words, check=False).returncode

    def pid(self) -> int:
        """Return the pid in the pidfile."""
        return int(self.machine.run(["cat", self.entry.pidfile]).stdout)

    def user(self) -> str:
        """Return the name of the user that it runs as."""
        return self.machine.run(["stat", "--format", "%U", f"/proc/{self.pid()}"]).stdout.strip()

    def is_at_home(self) -> bool:
        """Return whether it runs in /var/lib/nova."""
        both = [f"/proc/{self.pid()}/cwd", "/var/lib/nova"]
        told = self.machine.run(["stat", "--dereference", "--format", "%d:%i", *both]).stdout
        return len(set(told.split())) == 1

    def processes(self) -> list[int]:
        """Return the pids of all that run its program, recorded or not."""
        return self.machine.named("bin/nova-compute")

    # By the message queue.

    def ask(self, *words: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Ask the broker; see programs/probe.py."""
        return self.machine.run(probe(self.lab, *words), check=check)

    def await_desertion(self) -> None:
        """Wait until its queue has no consumer."""
        self.ask("deserted", COMPUTE_QUEUE, WAIT_TIMEOUT)

    def ready(self) -> None:
        """Wait until it consumes from its queue."""
        self.machine.nova_lab("ready", WAIT_TIMEOUT)

    def ping(self, seconds: int = WAIT_TIMEOUT) -> object:
        """Return its answer to a ping, or None if there is none within ``seconds``."""
        done = self.ask("ping", "compute", HOST, seconds, check=False)
        if done.returncode and "MessagingTimeout" in done.stdout:
            return None
        assert done.returncode == 0, done.stdout
        return json.loads(done.stdout.splitlines()[-1])

    def consumers(self) -> int:
        """Return the number of consumers of its queue."""
        return int(self.ask("consumers", COMPUTE_QUEUE).stdout)

    # By the database.

    def report_count(self) -> int:
        """Return the number of heartbeats in the database; 0 before the first."""
        rows = self._query("SELECT report_count FROM services WHERE binary = 'nova-compute'")
        return rows[0][0] if rows else 0

    def nodes(self) -> list[tuple[str, str, str]]:
        """Return host and name of every compute node that is registered, and when it last was."""
        when = "coalesce(updated_at, created_at)"
        return self._query(f"SELECT host, hypervisor_hostname, {when} FROM compute_nodes")

    def await_heartbeats(self, more: int = 2) -> None:
        """Wait for so many more heartbeats."""
        wanted = self.report_count() + more
        came = until(lambda: self.report_count() >= wanted, self.lab.data, WAIT_TIMEOUT)
        assert came, f"{self.report_count()} heartbeats, {wanted} expected"

    def _query(self, statement: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self.lab.database}?mode=ro", uri=True, timeout=60) as base:
            rows = base.execute(statement).fetchall()
        base.close()
        return rows

    # By its log.

    def log_size(self) -> int:
        """Return the size of its log."""
        file = self.lab.log / "nova-compute.log"
        return file.stat().st_size if file.exists() else 0

    def log_since(self, offset: int) -> list[str]:
        """Return the lines that were logged after ``offset``."""
        with (self.lab.log / "nova-compute.log").open(errors="replace") as file:
            file.seek(offset)
            return re.findall(r"^[\d-]+ [\d:.]+ (\d+ .*)$", file.read(), re.MULTILINE)
