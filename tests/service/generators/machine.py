"""A machine of namespaces that runs a real systemd as process 1, to run units.

Its root is a tmpfs with the system's /usr, read-only, and only a few empty targets of systemd's
own units. It has its own control group. Its processes end with the process that holds the
namespaces.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Self

import pytest
from kit.children import WAIT_TIMEOUT
from kit.inits import first_process
from real.programs import Ear

SYSTEMD = "/usr/lib/systemd/systemd"
REPORTER = Path(__file__).with_name("reporter.py")

# $1: the control group. The other words run as the first process of namespaces of its own.
_ENTER = """
set -e
echo $$ > "$1/cgroup.procs"; shift
exec setpriv --pdeathsig KILL unshare --pid --fork --kill-child --mount --cgroup --uts --ipc \\
    --net sh -ec "$@"
"""
# $1: an empty directory, for the root. $2: the directory that is /srv inside. $3: the
# base of this interpreter, which need not be in /usr.
_BOOT = """
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"; cd "$1"
mkdir -p etc/systemd/system usr var/lib var/log var/cache var/tmp run tmp proc sys dev srv old
mount --rbind /usr usr
mount -t tmpfs -o mode=755 tmpfs usr/lib/systemd/system
for path in /bin /sbin /lib*; do [ ! -L "$path" ] || cp -P "$path" .; done
case $3 in /usr | /usr/*) ;; *) mkdir -p ".$3"; mount --bind "$3" ".$3" ;; esac
cp /etc/passwd /etc/group /etc/ld.so.cache etc
echo 0123456789abcdef0123456789abcdef > etc/machine-id
ln -s ../run var/run
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev; mkdir dev/pts dev/shm
for node in null zero full random urandom; do
    : > "dev/$node"; mount --bind "/dev/$node" "dev/$node"
done
: > dev/console
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$2" srv
for target in sysinit basic shutdown multi-user; do
    printf '[Unit]\\nDefaultDependencies=no\\n' > "usr/lib/systemd/system/$target.target"
done
printf '[Service]\\nExecStart=/bin/sh -c "echo up > /srv/up"\\n' > etc/systemd/system/up.service
pivot_root . old; umount -l /old; rmdir /old
exec env -i container=ssd-tests PATH=/usr/sbin:/usr/bin /usr/lib/systemd/systemd \\
    --log-target=console --unit=up.service < /dev/null > /dev/null 2>&1
"""


class Machine:
    """The machine: ``shared`` is the directory that is /srv inside, ``root`` its root."""

    def __init__(self, shared: Path, pid: int) -> None:
        self.shared = shared
        self.pid = pid
        self.root = Path(f"/proc/{pid}/root")

    def install(self, name: str, text: str) -> None:
        """Install a unit and have systemd read it."""
        (self.root / f"etc/systemd/system/{name}.service").write_text(text)
        self.run("systemctl", "daemon-reload")

    def run(self, *words: str, status: int = 0) -> str:
        """Run a command inside; check its exit status, and return its output."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--cgroup", "--net"]
        argv = [*enter, "--root", "--wd", "env", "SYSTEMD_PAGER=", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
        assert status == done.returncode, done.stdout + done.stderr + self.log
        return done.stdout

    def show(self, name: str, *properties: str) -> list[str]:
        """Return properties of a service."""
        found = self.run("systemctl", "show", f"--property={','.join(properties)}", name)
        pairs = dict(line.split("=", 1) for line in found.splitlines())
        return [pairs[each] for each in properties]

    @property
    def log(self) -> str:
        """The log of systemd so far."""
        return (self.root / "dev/console").read_text()


class Reporter(Ear):
    """The reports of a daemon that a unit starts; ``words`` is its command line inside."""

    def __init__(self, machine: Machine, name: str, *options: str) -> None:
        super().__init__(str(machine.shared / name))
        python = os.path.realpath(sys.executable)
        self.words = [python, "-IS", "/srv/reporter.py", f"/srv/{name}", *options]

    def told(self) -> Any:
        """Wait for the next report."""
        return json.loads(self.line())


class Group:
    """A control group (cgroups(7), version 2), removed at the end."""

    def __enter__(self) -> Self:
        """Create the group; skip without permission."""
        self.path = Path(_hierarchy(), f"ssd-tests-{os.getpid()}")
        try:
            self.path.mkdir()
        except OSError as error:
            pytest.skip(f"no control group can be made: {error}")
        return self

    def __exit__(self, *error: object) -> None:
        """Wait until the group is empty; remove it with the groups that systemd created."""
        events = os.open(self.path / "cgroup.events", os.O_RDONLY)
        while b"populated 1" in os.pread(events, 4096, 0):
            until_changed(events)
        os.close(events)
        for directory, _, _ in os.walk(self.path, topdown=False):
            os.rmdir(directory)


def _hierarchy() -> str:
    """Return the mount point of the control groups; skip without version 2."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields = line.split()
        if fields[fields.index("-") + 1] == "cgroup2":
            return fields[4]
    pytest.skip("no cgroup2 file system is mounted")


def until_changed(events: int) -> None:
    """Wait until a file of a control group changes."""
    poll = select.poll()
    poll.register(events, select.POLLPRI)
    assert poll.poll(WAIT_TIMEOUT * 1000), "the processes do not end"


def _failed(_status: int | None, said: str) -> NoReturn:
    pytest.skip(f"no machine can be made: {said}")


@contextmanager
def boot(directory: Path) -> Iterator[Machine]:
    """Boot a machine; skip with the reason if that is not possible."""
    if not os.access(SYSTEMD, os.X_OK):
        pytest.skip(f"{SYSTEMD} is missing: apt-get install systemd")
    root, shared = directory / "root", directory / "shared"
    root.mkdir()
    shared.mkdir()
    shared.chmod(0o755)
    (shared / "reporter.py").write_bytes(REPORTER.read_bytes())
    up = Ear(str(shared / "up"))
    with Group() as group:
        inner = [_BOOT, "sh", root, shared, sys.base_prefix]
        words = ["sh", "-c", _ENTER, "sh", group.path, *inner]
        with first_process(words, up, "up", _failed) as pid:
            yield Machine(shared, pid)
