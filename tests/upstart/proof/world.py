"""A machine of its own with ssd-supervise --upstart on it: its jobs, and what came of them."""

import contextlib
import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kit import namespace
from kit.children import WAIT_TIMEOUT
from kit.supervise import Supervise

TOOLS = Path(sys.executable).parent
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin"  # a job's PATH
LOOK_AGAIN = 0.02  # seconds between two looks at what tells nobody of its change

# $1 holds files for the machine's root, $2 our commands; then the words of the supervisor follow.
# All that is written stays in memory: in layers above the machine's own directories.
_ENTER = """
set -e
mount -t tmpfs -o mode=755 world /srv
for directory in etc usr var; do
    upper=/srv/.$directory/upper work=/srv/.$directory/work
    mkdir -p "$upper" "$work"
    mount -t overlay -o "lowerdir=/$directory,upperdir=$upper,workdir=$work" none "/$directory"
done
mount -t tmpfs -o mode=755 logs /var/log
mkdir -p /etc/init /var/log/upstart /run/lock /dev/pts
mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
: > /dev/console; : > /dev/kmsg; : > /srv/calls; chmod 666 /srv/calls
sed -i '/^nova:/d' /etc/passwd /etc/group
echo 'nova:x:990:990::/var/lib/nova:/bin/false' >> /etc/passwd
printf 'nova:x:990:\\nhelpers:x:991:nova\\n' >> /etc/group
mkdir -p /var/lib/nova; chown 990:990 /var/lib/nova
cp -R "$1/." /
"$2/ssd-initctl" --make-links /usr/local/sbin
cd /
supervise=$2/ssd-supervise; shift 2
exec "$supervise" --upstart "$@"
"""


@functools.cache
def obstacle() -> str:
    """Return why no such machine can be made here; nothing if one can."""
    if os.geteuid() != 0:
        return "requires root"
    if reason := namespace.obstacle():
        return reason
    overlay = "mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && mount -t overlay overlay -o "
    overlay += "lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc"
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", overlay], capture_output=True)
    return f"no overlay: {tried.stderr.decode()}" if tried.returncode else ""


class Machine:
    """The supervisor and its jobs. ``init``: its process."""

    def __init__(self, init: Supervise, said: Path) -> None:
        """``said``: the file with what the supervisor prints."""
        self.init = init
        self._said = said

    def said(self) -> list[str]:
        """Return the lines that the supervisor has printed so far."""
        return self._said.read_text().splitlines()

    def sh(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Run a line of shell, as somebody who is logged in."""
        return self.init.run(*_logged_in(line))

    def out(self, line: str) -> str:
        """Return what a line of shell prints; it must succeed."""
        done = self.sh(line)
        assert (0, "") == (done.returncode, done.stderr), f"{line}: {done}"
        return done.stdout

    def begin(self, line: str) -> "subprocess.Popen[str]":
        """Begin a line of shell, which may wait for others."""
        enter = ["nsenter", "--mount", "--pid", f"--target={self.init.pid}"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([*enter, *_logged_in(line)], **pipes)  # type: ignore[call-overload,no-any-return]

    def status(self, job: str) -> str:
        """Return what status prints of a job, without the numbers of processes."""
        return self.out(f"status {job}").partition(",")[0].strip()

    def pid(self, job: str) -> int:
        """Return the main process of a job."""
        return int(self.out(f"status {job}").partition("process ")[2])

    def text(self, path: str) -> str:
        """Return a file of the machine; nothing if there is none."""
        with contextlib.suppress(FileNotFoundError):
            return self.init.path(path).read_text()
        return ""

    def log(self, job: str) -> str:
        """Return the log of a job, with the lines' ends as they were written."""
        return self.text(f"/var/log/upstart/{job}.log").replace("\r\n", "\n")

    def until(self, true: "Callable[[], object]") -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + WAIT_TIMEOUT
        while not true():
            assert time.monotonic() < deadline, "it never came"
            time.sleep(LOOK_AGAIN)

    def until_status(self, job: str, state: str) -> None:
        """Wait until status says so of a job."""
        self.until(lambda: f"{job} {state}" == self.status(job))

    def until_log(self, job: str, text: str) -> None:
        """Wait until a job's log has a text."""
        self.until(lambda: text in self.log(job))


def _logged_in(line: str) -> list[str]:
    return ["env", "-i", f"PATH={SEARCH}", "TERM=linux", "sh", "-c", f"cd /; {line}"]


def finished(command: "subprocess.Popen[str]") -> tuple[int, str]:
    """Wait for a command; return its exit status and what it has printed."""
    told = command.communicate(timeout=WAIT_TIMEOUT)[0]
    return command.returncode, told


def stub(*lines: str) -> str:
    """Return a program that writes down what it is called with, and does the lines."""
    body = "\n".join(lines)
    return f'#!/bin/sh\necho "${{0##*/}}" "$@" >> /srv/calls\n{body}\n'


@contextlib.contextmanager
def machine(
    place: Path, jobs: Mapping[str, str], files: Mapping[str, str], *words: str
) -> "Iterator[Machine]":
    """Make a machine with jobs (NAME or NAME.override -> text) and files (path -> text).

    Files may be executed if they begin as scripts do. ``words``: options of the supervisor.
    """
    for name, text in jobs.items():
        file = name if name.endswith(".override") else f"{name}.conf"
        _write(place / "root/etc/init" / file, text)
    for path, text in files.items():
        _write(place / "root" / path.lstrip("/"), text)
    argv = ["sh", "-c", _ENTER, "sh", str(place / "root"), str(TOOLS), *words]
    said = place / "said"
    with said.open("w") as out:
        process = subprocess.Popen(
            namespace.command(argv, keep=[place]), stdout=out, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
    made = Machine(Supervise(process), said)
    try:
        _await_answer(made, process)
        yield made
    finally:
        made.init.kill()


def _await_answer(made: Machine, process: "subprocess.Popen[str]") -> None:
    """Wait until the supervisor answers."""

    def answers() -> bool:
        assert process.poll() is None, made.said()
        with contextlib.suppress(AssertionError, OSError):
            made.init.find()
            return made.sh("initctl version").returncode == 0
        return False

    made.until(answers)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755 if text.startswith("#!") else 0o644)
