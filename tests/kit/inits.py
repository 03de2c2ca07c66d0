"""A machine of namespaces that Debian's own sysvinit, or OpenRC, boots as its process 1.

Its root is a tmpfs, and its /usr is a layer above the system's, so that an installation disappears
with it. The package is installed there as the README says. Its processes end with the one that
holds the namespaces.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from conftest import CHECKOUT
from real.processes import ready
from real.programs import Ear
from systems.rows import installing

from kit import debian
from kit.children import WAIT_TIMEOUT

# name of the init -> the packages, and the program that is process 1
INITS = {
    "sysvinit": (("sysvinit-core", "sysv-rc", "startpar"), "/sbin/init"),
    "openrc": (("openrc",), "/sbin/openrc-init"),
}
# Dependencies of the package, copied from the test's own environment.
DEPENDENCIES = ("psutil", "daemon", "lockfile")

# $1: an empty directory, for the root. $2: the shared directory, /srv in the machine. $3: Debian's
# packages. The rest: directories that are visible in the machine under their own names.
_MAKE = """
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"; cd "$1"; shared=$2 packages=$3; shift 3
mkdir -p etc/rc2.d usr var/lib var/log var/cache run tmp proc sys dev srv old opt root
mkdir -p layer/up layer/work
mount -t overlay -o lowerdir=/usr,upperdir=layer/up,workdir=layer/work overlay usr ||
    { echo no overlay here >&2; exit 77; }
for path in /bin /sbin /lib*; do [ ! -L "$path" ] || cp -P "$path" .; done
cp /etc/passwd /etc/group /etc/ld.so.cache etc; : > etc/profile; ln -s ../run var/run
for below in "$packages" "$packages/usr"; do # all is in usr from Debian 13 on
    # init may be a link, to systemd.
    [ ! -d "$below/sbin" ] || cp -a --remove-destination "$below/sbin/." usr/sbin
    for file in bin/startpar lib/init lib/lsb lib/rc; do
        [ ! -e "$below/$file" ] || cp -a "$below/$file" "usr/${file%/*}"
    done
    for library in "$below"/lib/*/librc.so* "$below"/lib/*/libeinfo.so*; do
        [ ! -e "$library" ] || cp -a "$library" usr/lib
    done
done
for file in rc.conf insserv.conf manpath.config; do
    [ ! -e "/etc/$file" ] || cp "/etc/$file" etc
done
for file in init.d rc.conf insserv.conf insserv insserv.conf.d; do
    [ ! -e "$packages/etc/$file" ] || cp -a "$packages/etc/$file" etc
done
mkdir -p etc/runlevels/default etc/runlevels/boot etc/runlevels/sysinit
mount -t proc proc proc
mount -t tmpfs -o mode=755 tmpfs dev; mkdir dev/pts dev/shm; ln -s /proc/self/fd dev/fd
for node in null zero full random urandom; do
    : > "dev/$node"; mount --bind "/dev/$node" "dev/$node"
done
: > dev/console
mount -t tmpfs -o mode=755 tmpfs run; mkdir run/lock; mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$shared" srv
# Debian's pip does not begin without them.
[ ! -d /etc/ssl ] || { mkdir etc/ssl; mount --bind /etc/ssl etc/ssl; }
for directory; do
    case $directory in /usr | /usr/*) continue ;; esac
    mkdir -p ".$directory"; mount --rbind "$directory" ".$directory"
done
pivot_root . old; umount -l /old; rmdir /old
"""
# A boot ends with a word, sent when all services of the runlevel are started.
_ENDING = {
    "sysvinit": """
cat > /etc/inittab << 'END'
id:2:initdefault:
l2:2:wait:/etc/init.d/rc 2 > /srv/log.rc 2>&1
up:2:once:/bin/sh -c 'echo booted > /srv/up'
END
enable() { ln -s "../init.d/$1" "/etc/rc2.d/S20$1"; }
""",
    "openrc": """
cat > /etc/init.d/up << 'END'
#!/sbin/openrc-run
depend() { after *; }
start() { echo booted > /srv/up; }
END
chmod 755 /etc/init.d/up
enable() { ln -s "/etc/init.d/$1" /etc/runlevels/default; }
enable up
""",
}


class Machine:
    """The machine; it sees the directory ``shared`` as /srv."""

    def __init__(self, shared: Path, pid: int) -> None:
        self.shared = shared
        self.pid = pid

    def run(self, command: str, path: str = "/usr/sbin:/usr/bin:/sbin:/bin") -> tuple[int, str]:
        """Run a command in a shell of the machine; return its status and its output."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--root", "--wd"]
        argv = [*enter, "env", "-i", f"PATH={path}", "sh", "-c", f"exec 2>&1\n{command}"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_TIMEOUT)
        return done.returncode, done.stdout

    @property
    def log(self) -> str:
        """The output of the boot."""
        return "".join(file.read_text() for file in sorted(self.shared.glob("log*")))


def pages() -> list[list[str]]:
    """Return the commands of the pages: to install, to take start-stop-daemon's place, to undo."""
    return installing(CHECKOUT)


def wheel() -> Path:
    """Return the wheel that scripts/test has built."""
    if "SSD_DIST" not in os.environ:
        pytest.skip("scripts/test builds the packages")
    (found,) = Path(os.environ["SSD_DIST"]).glob("*.whl")
    return found


def _installation() -> str:
    """Return shell code that installs the package as the README does, but without an index.

    The lines after pip run twice, as for a newer version.
    """
    make, install, *after = pages()[0]
    assert make == "python3 -m venv /opt/ssd"
    assert install == "/opt/ssd/bin/pip install ."
    packages = Path(sys.prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}")
    pip = f"'{sys.executable}' -m pip --isolated --python /opt/ssd/bin/python --no-cache-dir -q"
    lines = [
        f"{os.path.realpath(sys.executable)} -m venv --without-pip /opt/ssd",
        f"{pip} install --no-index --no-deps --root-user-action=ignore '{wheel()}'",
        *(
            f"cp -a '{packages}/site-packages/{name}' /opt/ssd/lib/python3*/site-packages/"
            for name in DEPENDENCIES
        ),
        "mkdir -p /usr/local/share",
        *after,
        *after,
    ]
    return "\n".join(lines)


@contextmanager
def first_process(
    words: Sequence[object], up: Ear, word: str, failed: Callable[[int | None, str], NoReturn]
) -> Iterator[int]:
    """Run a command that makes a machine; yield the pid of its child, the first process.

    The machine is up when it says ``word``. If it fails, ``failed`` is called with the exit status
    of the command (None if it has not ended) and its output. The command is ended at the end.
    """
    pipes = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    holder = subprocess.Popen(list(map(str, words)), stdout=subprocess.DEVNULL, **pipes)
    try:
        _await_word(up, holder, failed)
        assert word == up.line()
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text()
        yield int(children)
    finally:
        holder.kill()
        holder.communicate()


def _await_word(
    up: Ear, holder: "subprocess.Popen[str]", failed: Callable[[int | None, str], NoReturn]
) -> None:
    """Wait until a word comes or the command has ended."""
    end = os.pidfd_open(holder.pid)
    try:
        heard = ready([up.fileno(), end], time.monotonic() + WAIT_TIMEOUT)
    finally:
        os.close(end)
    if holder.poll() is not None:
        failed(holder.returncode, holder.communicate()[1].strip())
    if not heard:
        failed(None, f"it is not up after {WAIT_TIMEOUT} seconds")


@contextmanager
def boot(directory: Path, init: str, before: str) -> Iterator[Machine]:
    """Boot a machine on which ``before`` has run; it may call ``enable NAME`` for a service.

    Skips, with the reason, if the machine cannot be made.
    """
    packages, program = INITS[init]
    unpacked = debian.unpack(*packages)
    root, shared = directory / "root", directory / "shared"
    root.mkdir()
    shared.mkdir(mode=0o755)
    up = Ear(str(shared / "up"))
    end = f"exec env -i container=ssd-tests {program} < /dev/null > /srv/log.init 2>&1"
    steps = "\n".join([_MAKE, _installation(), _ENDING[init], before, end])
    seen = map(str, [CHECKOUT, sys.prefix, sys.base_prefix, wheel().parent])
    inner = ["sh", "-c", steps, "sh", root, shared, unpacked, *seen]
    flags = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--net"]
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", *flags, *inner]
    with first_process(words, up, "booted", _failed) as pid:
        yield Machine(shared, pid)


def _failed(status: int | None, said: str) -> NoReturn:
    if status == 77:
        pytest.skip(f"no machine can be made: {said}")
    raise AssertionError(f"the machine was not made (status {status}): {said}")
