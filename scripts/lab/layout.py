"""The paths of the lab, and whether the lab can be there."""

import contextlib
import functools
import json
import os
import pwd
import random
import re
import socket
import stat
from pathlib import Path

USER = "nova"
HOST = "nova-lab"  # the compute node's name
ELSEWHERE = Path("/var/lib/ssd-nova-lab")
PLAIN = re.compile(r"[\w/.+-]+", re.ASCII)
PORTS = ("amqp", "distribution", "epmd", "placement", "api")


class Unsuitable(Exception):
    """The machine, the user or the directory is not suitable; the text says what is needed."""


class Lab:
    """The lab's directory, whether it is there or not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.checkout = Path(__file__).resolve().parent.parent.parent
        self.venv = root / "venv"
        self.debian = root / "debian"  # Debian's packages, unpacked
        self.bin = root / "bin"
        self.etc = root / "etc"
        self.data = root / "data"  # databases and the broker's files
        self.state = root / "state"  # nova's state_path
        self.log = root / "log"
        self.run = root / "run"
        self.done = root / "done"  # what has been built, a file each
        self.lock = root / ".lock"
        self.init_script = self.debian / "etc/init.d/nova-compute"
        self.database = self.data / "nova_cell1.sqlite"

    @classmethod
    def here(cls) -> "Lab":
        """Return the lab that NOVA_LAB names, or the usual one. Raises Unsuitable."""
        for needed in ("/etc/debian_version", "/usr/bin/apt-get", "/usr/bin/dpkg-deb"):
            if not os.path.exists(needed):
                raise Unsuitable(f"needs Debian or one of its family: there is no {needed}")
        if os.geteuid() != 0:
            raise Unsuitable("needs root: it makes the user nova and starts services as that user")
        return cls(chosen_directory())

    def command(self, name: str) -> Path:
        """Return a program of the virtual environment."""
        return self.venv / "bin" / name

    def account(self) -> pwd.struct_passwd:
        """Return the user that all services run as. Raises KeyError before it is made."""
        return pwd.getpwnam(USER)

    @functools.cached_property
    def ports(self) -> dict[str, int]:
        """Return the ports on loopback, chosen once and kept, so that a restart finds them."""
        kept = self.etc / "ports.json"
        ports: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
        # All of them in a new lab; in an older one those that it had no use for.
        if missing := [name for name in PORTS if name not in ports]:
            ports.update(zip(missing, free_ports(len(missing)), strict=True))
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(json.dumps(ports))
        return ports


def chosen_directory() -> Path:
    """Return the directory for the lab. Raises Unsuitable if user nova could not reach it."""
    given = os.environ.get("NOVA_LAB")
    if given:
        directory = Path(os.path.abspath(given))
        if not PLAIN.fullmatch(str(directory)):
            raise Unsuitable(
                f"NOVA_LAB={given}: the settings of the init script and of Erlang allow only"
                " letters, digits and /._+- in a directory's name"
            )
        obstacle = closed_to_others(directory)
        if obstacle:
            raise Unsuitable(
                f"user {USER} cannot enter {obstacle}: set NOVA_LAB to a directory elsewhere,"
                f" {ELSEWHERE} say"
            )
        obstacle = open_to_others(directory)
        if obstacle:
            raise Unsuitable(
                f"{obstacle} is not root's alone, so ssd-service would obey no file in there: set"
                f" NOVA_LAB to a directory elsewhere, {ELSEWHERE} say"
            )
        return directory
    usual = Path(__file__).resolve().parent.parent.parent / ".nova-lab"
    # The usual reason is a checkout in root's home, which no other user can enter.
    unfit = closed_to_others(usual) or open_to_others(usual) or not PLAIN.fullmatch(str(usual))
    return ELSEWHERE if unfit else usual


def closed_to_others(directory: Path) -> Path | None:
    """Return the first directory on the way to ``directory`` that others may not enter, or None."""
    for each in [*reversed(directory.parents), directory]:
        if each.exists() and not each.stat().st_mode & stat.S_IXOTH:
            return each
    return None


def open_to_others(directory: Path) -> Path | None:
    """Return the first directory on the way to ``directory`` that others may change, or None."""
    for each in [*reversed(directory.parents), directory]:
        if each.exists():
            facts = each.stat()
            loose = facts.st_mode & 0o022 and not facts.st_mode & stat.S_ISVTX
            if loose or facts.st_uid != 0:
                return each
    return None


def free_ports(count: int) -> list[int]:
    """Return free ports of loopback that the kernel gives to no client later.

    A client may get any port of the local range, also that of a service that is about to start
    again.
    """
    given = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates = random.sample(range(10_000, max(given, 11_000)), 1000)
    sockets: list[socket.socket] = []
    try:
        while len(sockets) < count:
            with contextlib.suppress(OSError):  # it is in use
                sockets.append(socket.create_server(("127.0.0.1", candidates.pop())))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
