"""ssd-supervise in namespaces of its own: what it prints, its processes, and its end."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from kit import namespace
from kit.children import WAIT_TIMEOUT

NAP = 'executable = "/bin/sleep"\narguments = ["1000"]\n'
# The inner namespace has the command as its first process.
# The machine's logs are not a test's.
OWN_LOGS = ["sh", "-c", 'mount -t tmpfs tmpfs /var/log && exec "$@"', "sh"]
AS_INIT = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]


class Supervise:
    """A running ssd-supervise. ``said``: the lines so far; ``pid``: as seen from outside."""

    def __init__(self, process: "subprocess.Popen[str]", name: str = "ssd-supervise") -> None:
        """``name``: what that of its process begins with."""
        self._process = process
        self._name = name
        self.said: list[str] = []
        self.pid = 0

    def until(self, *texts: str) -> str:
        """Read lines until each of the texts was in one; return the last line."""
        left, line = set(texts), ""
        while left:
            line = self._line()
            left -= {text for text in left if text in line}
        self.find()
        return line

    def find(self) -> None:
        """Find the supervisor, which runs."""
        if not self.pid:
            self.pid = _deepest(self._process.pid, self._name)

    def send(self, number: int) -> None:
        """Send a signal to the supervisor."""
        os.kill(self.pid, number)

    def end(self) -> int:
        """Read the rest, and return the exit status."""
        assert self._process.stdout is not None
        self.said += self._process.stdout.read().splitlines()
        return self._process.wait(WAIT_TIMEOUT)

    def stop(self) -> int:
        """Send TERM, and return the exit status."""
        self.send(signal.SIGTERM)
        return self.end()

    def path(self, inside: str) -> Path:
        """Return a path of the namespace as seen from outside."""
        return Path(f"/proc/{self.pid}/root{inside}")

    def pid_of(self, name: str) -> int:
        """Return the pid of a service as its pidfile in the namespace has it."""
        return int(self.path(f"/run/{name}.pid").read_text())

    def pids_of(self, pid: int) -> "list[str]":
        """Return the pids of a process, from the outermost namespace to its own."""
        status = Path(f"/proc/{pid}/status").read_text()
        return status.partition("NSpid:")[2].split("\n")[0].split()

    def outside(self, inside: int) -> int:
        """Return the pid outside of a child of the supervisor."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return next(int(each) for each in children if str(inside) == self.pids_of(int(each))[-1])

    def processes(self) -> "dict[int, str]":
        """Return the state and name of each process of the namespace, by its pid in there."""
        found = {}
        for entry in self.path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
                    found[int(entry.name)] = f"{rest.split()[0]} {name}"
        return found

    def run(self, *argv: "str | Path") -> "subprocess.CompletedProcess[str]":
        """Run a command in the namespaces."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        enter = ["nsenter", *user, "--mount", "--pid", f"--target={self.pid}"]
        options = {"capture_output": True, "text": True, "timeout": WAIT_TIMEOUT}
        return subprocess.run([*enter, *argv], **options)  # type: ignore[call-overload,no-any-return]

    def kill(self) -> None:
        """End the namespaces, and all that is in them."""
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"it has ended: {self.said}"
        self.said.append(line.rstrip("\n"))
        return line


def _deepest(pid: int, name: str) -> int:
    """Return the first process of a name among the descendants of a process."""
    ahead = [pid]
    for each in ahead:
        children = Path(f"/proc/{each}/task/{each}/children").read_text().split()
        if Path(f"/proc/{each}/comm").read_text().startswith(name):
            return each
        ahead += map(int, children)
    raise AssertionError(f"no supervisor below process {pid}")


def declare(directory: Path, services: "Mapping[str, str]") -> None:
    """Write declarations, each in a file of its own."""
    directory.mkdir(exist_ok=True)
    for name, text in services.items():
        (directory / f"{name}.toml").write_text(text)


@contextlib.contextmanager
def supervise(
    script: Path,
    directory: Path,
    services: "Mapping[str, str]",
    *words: str,
    init: bool = False,
    environment: "Mapping[str, str] | None" = None,
) -> "Iterator[Supervise]":
    """Run the command for these services; as process 1 with ``init``; end all at the end.

    Its directory of declarations is ``directory``, which stays visible inside.
    """
    declare(directory, services)
    argv = [*OWN_LOGS, *(AS_INIT if init else []), str(script), f"--directory={directory}", *words]
    process = subprocess.Popen(
        namespace.command(argv, keep=[directory]), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env=environment,
    )  # fmt: skip
    running = Supervise(process)
    try:
        yield running
    finally:
        running.kill()
