"""Debian releases as directories, each run as if alone on a machine."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
MIRROR = "http://deb.debian.org/debian"
SUITES = {"11": "bullseye", "12": "bookworm", "13": "trixie", "sid": "sid"}
# A proxy's certificate may be among them, without which neither apt-get nor pip gets anywhere.
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
# Settings of apt-get and pip for the network, which hold in a root as well.
PASSED = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT")

# $1: the root. The rest: the command, run in namespaces whose / is the root. chroot(2) is not
# enough: no user namespace can be made in one (unshare(2), EPERM).
_ENTER = """
root=$1; shift
mount --make-rprivate /
mount --bind "$root" "$root"; cd "$root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t tmpfs -o mode=755 tmpfs dev; mkdir dev/pts dev/shm; chmod 1777 dev/shm
for node in null zero full random urandom tty; do cp -a "/dev/$node" dev; done
mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
for stream in 0/stdin 1/stdout 2/stderr; do ln -s "fd/${stream%/*}" "dev/${stream#*/}"; done
mount -t tmpfs -o mode=755 tmpfs run; mkdir -m 1777 run/lock
mount -t tmpfs -o mode=1777 tmpfs tmp
mkdir -p .old; pivot_root . .old; umount -l /.old; rmdir /.old
exec "$@"
"""


class NotRun(Exception):
    """A row cannot be run here; the reason is its text."""


def obstacle() -> str | None:
    """Return why no root can be made or entered here; None if one can."""
    if os.geteuid() != 0:
        return "only root can make a Debian root"
    for program, package in (("debootstrap", "debootstrap"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return f"{program} is missing: apt-get install {package}"
    return None


def mirror() -> str:
    """Return where Debian comes from: MIRROR, or the usual place."""
    return os.environ.get("MIRROR") or MIRROR


def base(release: str, cache: Path) -> Path:
    """Return the tar of a minimal system in the cache; make it if it is not there."""
    tar = cache / f"base{'' if release.isdigit() else '-'}{release}.tar"
    lock = os.open(cache, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be making it
        if not tar.exists():
            _make(release, tar)
    finally:
        os.close(lock)
    return tar


def _make(release: str, tar: Path) -> None:
    """Make a minimal system by debootstrap, without the packages that it came from."""
    fresh, half = (tar.parent / f"new-{release}-{os.getpid()}{end}" for end in ("", ".tar"))
    flags = ["--variant=minbase", "--include=ca-certificates"]
    try:
        # What debootstrap mounts and starts ends with it, whatever ends it.
        apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc"]
        _call([*apart, "debootstrap", *flags, SUITES[release], str(fresh), mirror()])
        for archive in fresh.glob("var/cache/apt/archives/*.deb"):
            archive.unlink()
        _call(["tar", "-C", str(fresh), "-cf", str(half), "."])
        half.rename(tar)
    finally:
        _call(["rm", "-rf", "--one-file-system", str(fresh), str(half)])


@contextmanager
def root(release: str, cache: Path) -> Iterator["Root"]:
    """Yield a fresh root of a release, with the checkout in /ssd; remove it at the end."""
    if (reason := obstacle()) is not None:
        raise NotRun(reason)
    tar, directory = base(release, cache), cache / f"root-{release}-{os.getpid()}"
    directory.mkdir()
    try:
        _call(["tar", "-C", str(directory), "-xf", str(tar)])
        for file in ("etc/resolv.conf", "etc/hosts", CERTIFICATES):
            if Path("/", file).exists() and (directory / file).parent.is_dir():
                shutil.copyfile(Path("/", file), directory / file)
        # A mirror may be a snapshot, older than its lists are valid.
        (directory / "etc/apt/apt.conf.d/snapshot").write_text(_SNAPSHOT)
        source = directory / "ssd"
        source.mkdir()
        _call(["sh", "-c", _COPY, "sh", str(source)], cwd=CHECKOUT)
        yield Root(directory)
    finally:
        _call(["rm", "-rf", "--one-file-system", str(directory)])


_SNAPSHOT = 'Acquire::Check-Valid-Until "false";\n'
# As scripts/test copies it; a checkout may be an sdist, where git knows no files.
_COPY = """
tar -cf - --exclude='__pycache__' --exclude='*.egg-info' --exclude='_build' \\
    setup.cfg setup.py pyproject.toml MANIFEST.in README.md LICENSE CHANGELOG.md \\
    .ci ssd scripts docs tests packaging | tar -C "$1" -xf -
"""


class Root:
    """A Debian system in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def words(self, script: str, *arguments: str) -> list[str]:
        """Return the words that run a shell script in the root, in namespaces of its own."""
        flags = ["--pid", "--mount", "--uts", "--ipc", "--fork", "--kill-child=KILL"]
        settings = [f"{name}={os.environ[name]}" for name in PASSED if name in os.environ]
        settings += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        settings += ["HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
        inner = ["env", "-i", *settings, "sh", "-ec", script, "sh", *arguments]
        return ["unshare", *flags, "sh", "-ec", _ENTER, "sh", str(self.directory), *inner]

    def said(self, script: str) -> str:
        """Return what a shell script in the root prints; raise NotRun if it fails."""
        done = subprocess.run(self.words(script), capture_output=True, text=True)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise NotRun(f"{script.split(maxsplit=1)[0]} failed: {lines[-1] if lines else '?'}")
        return done.stdout.strip()

    def install(self, *packages: str) -> None:
        """Install Debian packages, from the lists of today."""
        names = " ".join(packages)
        self.said(f"apt-get -qq update; apt-get -qq install -y --no-install-recommends {names}")


def _call(words: list[str], cwd: Path | None = None) -> None:
    """Run a command of the making of a root; raise NotRun, with its last line, if it fails."""
    done = subprocess.run(words, capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        named = "debootstrap" if "debootstrap" in words else words[0]
        raise NotRun(f"{named} failed: {lines[-1] if lines else done.returncode}")
