"""nova-compute under ssd-supervise, with the broker and the conductor that it requires.

The declarations are those of docs/howto/nova-compute.md: the page shows them for programs that
are installed as Debian does it, and the lab has its own paths, port and host.
"""

import json
import os
import re
import select
import signal
import subprocess
import time
from pathlib import Path

from lab import services
from lab.entry_points import EntryPoint
from lab.layout import HOST, USER, Lab
from lab.machine import WAIT_TIMEOUT, Machine
from lab.steps import service_environment

PAGE = "docs/howto/nova-compute.md"
NAMES = ("rabbitmq", "nova-conductor", "nova-compute")  # in the order in which they start


def directory(lab: Lab) -> Path:
    """Return the directory of the three declarations."""
    return lab.etc / "supervised"


def declare(lab: Lab) -> None:
    """Write the three declarations of the page, each for the lab."""
    directory(lab).mkdir(exist_ok=True)
    page = (lab.checkout / PAGE).read_text()
    for name, values in _values(lab).items():
        text = _shown(page, name)
        for shown in values:
            assert shown in text, f"{PAGE} shows no {shown} for {name}"
        words = "|".join(map(re.escape, values))
        text = re.sub(words, lambda found, values=values: values[found[0]], text)
        if name == "rabbitmq":
            text += f"\n[environment]\n{_entries(services.broker_environment(lab))}"
        (directory(lab) / f"{name}.toml").write_text(text)


def _shown(page: str, name: str) -> str:
    """Return a declaration as the page shows it."""
    (found,) = re.findall(rf"^```ini\n(# /etc/ssd/{name}\.toml\n.*?)^```$", page, re.M | re.S)
    return found


def _values(lab: Lab) -> dict[str, dict[str, str]]:
    """Return what is different in the lab, by service: words of the page, and ours."""
    nova = {
        "/usr/bin/nova": f"{lab.venv}/bin/nova",
        "/usr/bin/python3": str(lab.command("python")),
        "/usr/local/lib/nova": str(lab.bin),
        "/etc/nova": str(lab.etc),
    }
    # The databases are in another file, which nova-compute must not know.
    databases = json.dumps(services.database_options(lab)).strip("[]")
    return {
        "rabbitmq": {
            f"/{services.BROKER}": str(lab.debian / services.BROKER),
            "/var/lib/rabbitmq": str(lab.data / "broker"),
            '"rabbitmq"': f'"{USER}"',
            '"5672"': f'"{lab.ports["amqp"]}"',
            "65536": "4096",  # in a container root may not raise its limits
        },
        "nova-conductor": {'"--config-file", "/etc/nova/nova.conf"': databases, **nova},
        "nova-compute": {"compute.node1": f"compute.{HOST}", **nova},
    }


def _entries(variables: dict[str, str]) -> str:
    """Return a table's entries in TOML, whose texts are those of JSON here."""
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in variables.items())


def entry(lab: Lab) -> EntryPoint:
    """Return ``ssd-service nova-compute``, whose verbs the supervisor does."""
    words = (str(lab.command("ssd-service")), f"--directory={directory(lab)}", NAMES[-1])
    return EntryPoint("supervised", words, f"/run/{NAMES[-1]}.pid", ())


class Supervisor:
    """A process of ssd-supervise in a machine, and the lines that it prints."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.lines: list[str] = []
        self._began = ""
        program = machine.lab.command("ssd-supervise")
        self._process = subprocess.Popen(
            machine.enter([program, f"--directory={directory(machine.lab)}"]),
            env=service_environment(machine.lab),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def until(self, text: str, since: int = 0) -> int:
        """Wait for a line with ``text`` after ``since`` lines; return the number of lines to it.

        Raises AssertionError if it does not come in time, or a service fails again and again.
        """
        deadline = time.monotonic() + WAIT_TIMEOUT
        while True:
            for number, line in enumerate(self.lines[since:], since + 1):
                if text in line:
                    return number
                assert "(attempt 3)" not in line, "\n".join(self.lines)
            since = len(self.lines)
            assert self._read(deadline), f"no line with {text!r}:\n" + "\n".join(self.lines)

    def _read(self, deadline: float) -> bool:
        """Read more lines; return False if there are none in time."""
        fd, left = self._process.stdout.fileno(), max(0.0, deadline - time.monotonic())
        if not select.select([fd], [], [], left)[0]:
            return False
        data = os.read(fd, 65536)
        *lines, self._began = (self._began + data.decode()).split("\n")
        self.lines += lines
        return bool(data)

    def end(self, signum: signal.Signals) -> int:
        """Send a signal to it, read what else it prints, and return its exit status."""
        (pid,) = self.machine.named("bin/ssd-supervise")
        self.machine.signal(pid, signum)
        while self._read(time.monotonic() + WAIT_TIMEOUT):
            pass
        self._process.stdout.close()
        return self._process.wait(WAIT_TIMEOUT)

    def close(self) -> None:
        """End it if it runs, and all its services with it."""
        if self._process.poll() is None:
            self.end(signal.SIGTERM)
