"""Hosts that are reached by ssh, on this machine only: namespaces with a real sshd in each.

A host sees the machine's files through an overlay whose upper layer is in memory, so it may write
anywhere. Its network, processes, mounts, name, /dev, /run, /tmp and homes are its own. All hosts
hang on a bridge in the controller's network namespace, so the machine's addresses and routes stay
as they are. When the test process ends, however it ends, a pipe closes and the kernel ends it all.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kit import ssh_files
from kit.ssh_files import Kind

CONTROLLER = "192.0.2.1"  # where hosts reach what runs on the controller
SSD = Kind()
BARE = Kind(ssd=False)
TIMEOUT = 300  # seconds for one command
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# A /dev of its own: devtmpfs is one for the whole machine.
_DEV = """
own_dev() {
    mount -t tmpfs -o mode=755 tmpfs "$1"
    mkdir "$1/pts"; mkdir -m 1777 "$1/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$1/pts"
    ln -s pts/ptmx "$1/ptmx"; ln -s /proc/self/fd "$1/fd"
    for stream in 0/stdin 1/stdout 2/stderr; do ln -s "fd/${stream%/*}" "$1/${stream#*/}"; done
    for number in 3/null 5/zero 7/full 8/random 9/urandom; do
        mknod -m 666 "$1/${number#*/}" c 1 "${number%/*}"
    done
    mknod -m 666 "$1/tty" c 5 0
}
"""
# First process of the controller. $1: the directory of the fleet; then names of hosts.
_CONTROLLER = """
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/machine /run/ansible
mount --rbind /proc /run/machine
read -r pid _ < /run/machine/self/stat
mount -t proc proc /proc
mkdir /run/dev && own_dev /run/dev && mount --move /run/dev /dev
directory=$1; shift
cp -a "$directory/packages" /run # no layer of an overlay may contain another
ip link set lo up
ip link add name hosts type bridge
ip address add 192.0.2.1/24 dev hosts
ip link set hosts up
for name; do
    ip netns add "$name"
    ip link add name "$name" type veth peer name eth0 netns "$name"
    ip link set "$name" master hosts up
    {
        nsenter --net="/run/netns/$name" unshare --pid --fork --mount --uts --ipc \\
            sh -ec "$HOST" sh "$directory" "$name" || echo "$name has ended"
    } < /dev/null &
done
echo "controller $pid"
cat > /dev/null
exit 0
"""
# First process of a host. It ends with sshd, or when the controller's first process does.
_HOST = """
read -r pid _ < /run/machine/self/stat
settings=$1/hosts/$2
echo "$2" > /proc/sys/kernel/hostname
ip link set lo up
read -r address < "$settings/address"
ip address add "$address/24" dev eth0
ip link set eth0 up
ip route add default via 192.0.2.1
mount -t tmpfs -o mode=755 tmpfs "$settings/mounted"
cd "$settings/mounted"
mkdir up work root
mount -t overlay -o "lowerdir=/run/packages:/,upperdir=up,workdir=work" overlay root
cd root
rm -rf etc/ssd usr/bin/ssd* usr/sbin/ssd* usr/lib/python3/dist-packages/ssd
mkdir etc/ssd
own_dev dev
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
for own in tmp run root home usr/local/bin usr/local/sbin; do mount -t tmpfs tmpfs "$own"; done
chmod 1777 tmp; chmod 755 run root home usr/local/bin usr/local/sbin
mkdir -m 1777 run/lock; mkdir run/sshd; mkdir home/operator; chown 2000:2000 home/operator
while read -r flag path; do
    if [ "$flag" = hide ]; then [ ! -d ".$path" ] || mount -t tmpfs tmpfs ".$path"; continue; fi
    mkdir -p ".$path"
    mount --rbind "$path" ".$path"
    [ "$flag" = rw ] || mount -o remount,bind,ro ".$path"
done < "$settings/paths"
cp -a --remove-destination "$settings/root/." .
mkdir run/machine
pivot_root . run/machine
cd /
umount -l /run/machine && rmdir /run/machine
exec < /dev/null
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
unset HOST
{
    exec 3>&1
    sshd=$(command -v sshd)
    "$sshd" -D -e 2>&1 > /dev/null 3>&- | while read -r line; do
        case $line in *"Server listening"*) echo "$2 $pid" >&3; exec 3>&- ;; esac
        echo "$line" >> /var/log/sshd
    done
} &
exec > /dev/null 2>&1
wait "$!"
"""


@functools.cache
def obstacle() -> str | None:
    """Return why no host can be made here; None if one can."""
    if not sys.platform.startswith("linux"):
        return "hosts are namespaces of Linux"
    if os.geteuid() != 0:
        return "hosts need root"
    programs = ("ssh", "ssh-keygen", "ip", "unshare", "nsenter", "pivot_root")
    missing = [name for name in programs if not shutil.which(name, path=PATH)]
    if missing:
        wanted = "openssh-client iproute2 util-linux mount"
        return f"missing: {', '.join(missing)}: apt-get install {wanted}"
    if os.stat("/usr").st_dev != os.stat("/").st_dev:
        return "hosts show the machine's root, and /usr is another file system here"
    flags = ["--net", "--pid", "--fork", "--mount", "--uts", "--ipc"]
    probe = """
    mount -t tmpfs tmpfs /run && cd /run && mkdir up work root &&
    mount -t overlay -o lowerdir=/,upperdir=up,workdir=work overlay root &&
    ip link add name host type veth peer name eth0 && ip link add name hosts type bridge
    """
    tried = subprocess.run(["unshare", *flags, "sh", "-c", probe], capture_output=True, text=True)
    return None if tried.returncode == 0 else f"no host can be made: {tried.stderr.strip()}"


def ansible_programs() -> Path:
    """Return where Ansible's programs are: SSD_ANSIBLE, or beside the tests' interpreter."""
    return Path(os.environ.get("SSD_ANSIBLE", Path(sys.executable).parent))


def _entered(pid: int, *flags: str) -> list[str]:
    return ["nsenter", f"--target={pid}", "--mount", "--net", "--pid", "--uts", "--ipc", *flags]


class Host:
    """One host: ``name``, ``address``, and what goes on in there."""

    def __init__(self, name: str, address: str, kind: Kind, fleet: "Fleet") -> None:
        self.name, self.address, self.kind = name, address, kind
        self.pid = 0  # of its first process, as the machine counts
        self._fleet = fleet
        self._own: set[int] = set()

    def words(self, *argv: Any) -> list[str]:
        """Return the words that run a command as root in there, past ssh."""
        plain = ["env", "-i", f"PATH={PATH}", "HOME=/root", "LC_ALL=C.UTF-8"]
        return [*_entered(self.pid, "--root", "--wd"), *plain, *map(str, argv)]

    def run(self, *argv: Any, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as root in there, past ssh, as subprocess.run does; one word is for sh.

        It works while the link is down.
        """
        argv = argv if len(argv) > 1 else ("sh", "-c", *argv)
        usual: dict[str, Any] = {"stdin": subprocess.DEVNULL} if "input" not in options else {}
        usual |= {"capture_output": True, "text": True, "timeout": TIMEOUT}
        return subprocess.run(self.words(*argv), **{**usual, **options})

    def path(self, path: str | Path) -> Path:
        """Return one of its files as the machine sees it. An absolute link in it leads astray."""
        return Path(f"/proc/{self.pid}/root/{str(path).lstrip('/')}")

    def processes(self) -> dict[int, list[str]]:
        """Return the words of each process, by its pid in there, without those that ssh needs."""
        found = {}
        for pid in self._pids() - self._own:
            try:
                line = self.path(f"/proc/{pid}/cmdline").read_bytes().decode()
            except (FileNotFoundError, ProcessLookupError):
                continue  # ended meanwhile
            if line and not line.startswith(("sshd: ", "/usr/sbin/sshd")):
                found[pid] = line.rstrip("\0").split("\0")
        return found

    def processor_time(self) -> float:
        """Return the seconds of processor time of all that has run in there."""
        ticks = 0
        for pid in self._pids():
            try:
                fields = self.path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # counted with its parent from now on
            ticks += sum(map(int, fields[11:15]))  # its own, and of children it has waited for
        return ticks / os.sysconf("SC_CLK_TCK")

    def pidfd(self, pid: int) -> int:
        """Return a descriptor for a process in there, by its pid in there; see pidfd_open(2)."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                numbers = status.read_text().partition("\nNSpid:")[2].partition("\n")[0].split()
                if numbers[-1:] == [str(pid)] and self._has(status.parent):
                    return os.pidfd_open(int(numbers[0]))
            except (FileNotFoundError, ProcessLookupError):
                continue  # another one, which has ended
        raise AssertionError(f"{self.name} has no process {pid}")

    def _has(self, process: Path) -> bool:
        return os.readlink(process / "ns/pid") == os.readlink(f"/proc/{self.pid}/ns/pid")

    def link(self, state: str) -> None:
        """Pull the cable with "down", and plug it in with "up"."""
        self._fleet.run("ip", "link", "set", self.name, state, check=True)

    def declare(self, name: str, text: str) -> Path:
        """Write the declaration of a service into its /etc/ssd."""
        file = self.path(f"/etc/ssd/{name}")
        file.write_text(text)
        return file

    def _pids(self) -> set[int]:
        return {int(name) for name in os.listdir(self.path("/proc")) if name.isdigit()}

    def started(self, pid: int) -> None:
        """Note its first process, and which others belong to the host itself."""
        self.pid = pid
        self._own = self._pids()


class Fleet:
    """Hosts by their names, and the controller that reaches them by ssh."""

    def __init__(self, directory: Path, kinds: Mapping[str, Kind]) -> None:
        self.directory = directory
        self.hosts = {
            name: Host(name, ssh_files.address(number), kind, self)
            for number, (name, kind) in enumerate(kinds.items())
        }
        self.ssh_config = directory / "ssh_config"
        self.inventory = directory / "inventory"
        self._holder: subprocess.Popen[str] | None = None
        self._pid = 0

    def __getitem__(self, name: str) -> Host:
        return self.hosts[name]

    def __iter__(self) -> Iterator[Host]:
        return iter(self.hosts.values())

    def words(self, *argv: Any, cwd: Path | None = None) -> list[str]:
        """Return the words that run a command on the controller, in ``cwd``."""
        inside = ["env", f"--chdir={cwd or self.directory}"]
        return [*_entered(self._pid), *inside, *map(str, argv)]

    def run(
        self, *argv: Any, cwd: Path | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the controller, as subprocess.run does."""
        usual = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
        settings = {**usual, "timeout": TIMEOUT, "env": self.environment(), **options}
        return subprocess.run(self.words(*argv, cwd=cwd), **settings)

    def begin(self, *argv: Any, cwd: Path | None = None, **options: Any) -> subprocess.Popen[str]:
        """Begin a command on the controller, as subprocess.Popen does; see ``pid_of``."""
        usual: dict[str, Any] = {"stdin": subprocess.DEVNULL, "text": True}
        settings = {**usual, "env": self.environment(), **options}
        return subprocess.Popen(self.words(*argv, cwd=cwd), **settings)

    def pid_of(self, process: subprocess.Popen[str]) -> int:
        """Return the pid of a command that has begun and written something: send signals there."""
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        return int(children.split()[0])

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables for Ansible on the controller, and more."""
        return {
            "PATH": f"{ansible_programs()}:{PATH}",
            "LC_ALL": "C.UTF-8",
            "HOME": "/run/ansible",
            "ANSIBLE_HOME": "/run/ansible",
            "ANSIBLE_CONFIG": f"{self.directory}/ansible.cfg",
            "ANSIBLE_INVENTORY": str(self.inventory),
            **more,
        }

    def ssh(self, name: str, command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a command on a host by ssh, as root or as operator, who may use sudo."""
        login = f"{user}@{self.hosts[name].address}"
        return self.run("ssh", "-F", self.ssh_config, login, command)

    def open(self) -> None:
        """Bring all hosts up, and wait until each sshd listens."""
        flags = ["--net", "--pid", "--fork", "--kill-child", "--mount", "--ipc"]
        with (self.directory / "errors").open("w") as errors:
            self._holder = subprocess.Popen(
                [
                    "unshare",
                    *flags,
                    "sh",
                    "-ec",
                    _DEV + _CONTROLLER,
                    "sh",
                    str(self.directory),
                    *self.hosts,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={"PATH": PATH, "HOST": _DEV + _HOST},
            )
        assert self._holder.stdout
        waiting = {"controller", *self.hosts}
        while waiting:
            name, _, pid = self._holder.stdout.readline().partition(" ")
            if not pid.strip().isdigit():
                raise AssertionError((self.directory / "errors").read_text())
            waiting.remove(name)
            if name == "controller":
                self._pid = int(pid)
            else:
                self.hosts[name].started(int(pid))

    def close(self) -> None:
        """End all hosts, and all that runs on them and on the controller."""
        if self._holder is not None:
            self._holder.communicate()  # closes its input, and returns when all have ended


@contextmanager
def fleet(directory: Path, kinds: Mapping[str, Kind] | int = 6) -> Iterator[Fleet]:
    """Yield hosts of these kinds; a number: h1, h2, ..., each with ssd. Skips where none can be."""
    if obstacle():
        pytest.skip(str(obstacle()))
    if isinstance(kinds, int):
        kinds = {f"h{number}": SSD for number in range(1, kinds + 1)}
    made = Fleet(directory, kinds)
    ssh_files.write(directory, {name: host.kind for name, host in made.hosts.items()})
    try:
        made.open()
        yield made
    finally:
        made.close()
