"""Clean Debians in directories, and machines of namespaces that live in copies of them.

A copy is a layer of overlayfs, so a test changes nothing that another one sees. The processes of a
machine end with it.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from systems import roots as releases

RELEASES = ("12", "13")
TIMEOUT = 900  # seconds for one command in a root; the longest upgrades a whole Debian
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
# $1: where the root is mounted. $2: the layer that takes what is written, "" for one in memory.
# $3: the layers below, with colons between them. $4: a directory that is /srv in the root. A read
# from standard input ends when the test does, however it ends, and so does all that lives in here.
_LIVE = """
mount -t tmpfs -o mode=755 tmpfs "$1"
mkdir "$1/root"
[ -n "$2" ] || { mkdir "$1/layer" && set -- "$1" "$1/layer" "$3" "$4"; }
mkdir -p "$2/up" "$2/work"
mount -t overlay -o "lowerdir=$3,upperdir=$2/up,workdir=$2/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for number in 3/null 5/zero 7/full 8/random 9/urandom; do
    mknod -m 666 "dev/${number#*/}" c 1 "${number%/*}"
done
mount -t tmpfs -o mode=755 tmpfs run
mkdir -m 1777 run/lock
mount --bind "$4" srv
for file in resolv.conf hosts; do [ ! -e "/etc/$file" ] || cp "/etc/$file" etc; done
echo up
cat
exit 0
"""
# What dpkg writes need not survive a power failure.
_READY = """
echo "deb {mirror} {suite} main" > /etc/apt/sources.list
echo 'APT::Install-Recommends "false";' > /etc/apt/apt.conf.d/small
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/unsafe-io
apt-get -qq update
"""


class Root:
    """A Debian that runs; close it, and all in it ends. It sees ``shared`` as /srv."""

    def __init__(self, below: Sequence[Path], shared: Path, layer: Path | None = None) -> None:
        self.shared = shared
        self._mounted = Path(tempfile.mkdtemp(prefix="ssd-root-"))
        flags = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc"]
        words = [self._mounted, layer or "", ":".join(map(str, reversed(below))), shared]
        self._holder = subprocess.Popen(
            ["unshare", *flags, "--mount-proc", "sh", "-ec", _LIVE, "sh", *map(str, words)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._holder.stdout and self._holder.stderr
        if self._holder.stdout.readline() != "up\n":
            said = self._holder.stderr.read()
            self.close()
            raise AssertionError(f"no root can be made of {below}: {said}")

    @property
    def files(self) -> Path:
        """The root directory, as seen from outside."""
        return Path(f"/proc/{self._holder.pid}/root{self._mounted}/root")

    def words(self, script: str) -> list[str]:
        """Return the words that run a shell script in there, its errors among its output."""
        place = f"/proc/{self._holder.pid}/ns"
        enter = ["nsenter", f"--mount={place}/mnt", f"--pid={place}/pid_for_children"]
        variables = {**ENVIRONMENT, "http_proxy": os.environ.get("http_proxy", "")}
        given = [f"{name}={value}" for name, value in variables.items() if value]
        chroot = ["chroot", f"{self._mounted}/root", "env", "-i", *given]
        return [*enter, "--", *chroot, "sh", "-c", f"exec 2>&1\ncd /\n{script}"]

    def run(self, script: str, expected: int | None = 0) -> str:
        """Run a shell script in there and return its output; None: whatever its exit status."""
        done = subprocess.run(
            self.words(script),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT,
        )
        if expected is not None:
            assert expected == done.returncode, f"{script}\n{done.stdout}"
        return done.stdout

    def status(self, script: str) -> int:
        """Run a shell script in there and return its exit status alone."""
        return subprocess.run(
            self.words(script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=TIMEOUT
        ).returncode

    def close(self) -> None:
        """End all in there."""
        self._holder.kill()
        self._holder.communicate()
        self._mounted.rmdir()


@contextmanager
def fresh(below: Sequence[Path], shared: Path, layer: Path | None = None) -> Iterator[Root]:
    """Yield a machine in a copy of these layers; ``layer`` keeps what is written."""
    root = Root(below, shared, layer)
    try:
        yield root
    finally:
        root.close()


def grown(below: Sequence[Path], layer: Path, shared: Path, script: str) -> list[Path]:
    """Return the layers with one more, which holds what a script has changed."""
    layer.mkdir()
    with fresh(below, shared, layer) as root:
        root.run(f"set -e\n{script}")
    return [*below, layer / "up"]


def clean(release: str, directory: Path, shared: Path) -> list[Path]:
    """Return the layers of a Debian that debootstrap has made, with the lists of its packages."""
    base = directory / "base"
    base.mkdir()
    tar = releases.base(release, cache())
    subprocess.run(["tar", "-C", base, "-xpf", tar], check=True)
    ready = _READY.format(mirror=releases.mirror(), suite=releases.SUITES[release])
    return grown([base], directory / "ready", shared, ready)


def cache() -> Path:
    """Return the directory that keeps Debians between runs: SSD_ROOTS, or one beside the tools."""
    default = Path(sys.prefix) / "out" / "roots"
    found = Path(os.environ.get("SSD_ROOTS", default))
    found.mkdir(parents=True, exist_ok=True)
    return found
