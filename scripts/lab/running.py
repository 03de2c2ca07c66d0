"""Start, query and stop the lab's services, by ssd-service."""

import os
import pwd
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lab.layout import USER, Lab, Unsuitable
from lab.services import COMPUTE_QUEUE, NAMES, ON_REQUEST
from lab.services import probe as probe_words
from lab.steps import StepFailed, call, say, service_environment, shown

COMPUTE = "nova-compute"  # declared for the user of the lab; the lab does not start it

# Start ---------------------------------------------------------------------------------


def start_all(lab: Lab) -> None:
    """Start NAMES, each when the one before is ready. Raises StepFailed."""
    for name in NAMES:
        start(lab, name)


def start(lab: Lab, name: str) -> None:
    """Start a service unless it runs, and wait until it is ready. Raises StepFailed.

    A service that runs, but whose start was interrupted before it was ready, is restarted.
    """
    _check_built(lab, name)
    pidfile, seen_ready = lab.run / f"{name}.pid", lab.run / f"{name}.ready"
    if ask(lab, name).returncode == 0:
        if seen_ready.exists() and seen_ready.read_text() == pidfile.read_text():
            say(f"{name} runs already")
            return
        stop(lab, name)
    with shown(f"starting {name}"):
        call(lab, f"starting {name}", *words(lab, name, "start"), env=service_environment(lab))
        seen_ready.write_text(pidfile.read_text())


def await_compute(lab: Lab, seconds: int) -> int:
    """Wait until nova-compute consumes from its queue, which is when it answers."""
    _check_built(lab, COMPUTE)
    return subprocess.run(probe(lab, "await", COMPUTE_QUEUE, seconds)).returncode


def probe(lab: Lab, *words: object) -> list[str]:
    """Return the words that ask the broker; see programs/probe.py."""
    return [*probe_words(lab), *map(str, words)]


# Ask -----------------------------------------------------------------------------------


def words(lab: Lab, name: str, verb: str) -> list[str]:
    """Return the words that run a verb of a service of the lab."""
    return [str(lab.command("ssd-service")), f"--directory={lab.etc}/ssd", name, verb]


def ask(lab: Lab, name: str) -> subprocess.CompletedProcess[str]:
    """Ask for the status: 0 running, 1 dead with a pidfile, 3 not running (or built), 4 unknown."""
    asking = words(lab, name, "status")
    if not _is_built(lab, name):
        return subprocess.CompletedProcess(asking, 3, "", "")
    return subprocess.run(asking, env=service_environment(lab), capture_output=True, text=True)


def _is_built(lab: Lab, name: str) -> bool:
    declared = any((lab.etc / "ssd" / file).exists() for file in (name, f"{name}.toml"))
    return declared and lab.command("ssd-service").exists()


def _check_built(lab: Lab, name: str) -> None:
    if not _is_built(lab, name):
        raise Unsuitable(f"the lab in {lab.root} is not built; first: scripts/nova-lab up")


def tell(lab: Lab, name: str) -> int:
    """Print the status of a service, and return the exit status."""
    done = ask(lab, name)
    say((done.stdout or f"{name} is not running").strip())
    return done.returncode


# Stop ----------------------------------------------------------------------------------


def stop_all(lab: Lab) -> None:
    """Stop every service that runs, nova-compute first; a failure does not prevent the others.

    Raises StepFailed for the last that could not be stopped.
    """
    failure = None
    for name in [COMPUTE, *ON_REQUEST, *reversed(NAMES)]:
        try:
            stop(lab, name)
        except StepFailed as error:
            failure = error
    if failure:
        raise failure


def stop(lab: Lab, name: str) -> None:
    """Stop a service if it runs. Raises StepFailed."""
    if ask(lab, name).returncode == 3:
        say(f"{name} does not run")
        return
    with shown(f"stopping {name}"):
        call(lab, f"stopping {name}", *words(lab, name, "stop"), env=service_environment(lab))


def leftovers(lab: Lab, seconds: float = 300.0) -> list[tuple[int, str]]:
    """Return the processes that run a program of the lab, after ``seconds`` at most.

    A service's own helpers end shortly after it.
    """
    deadline = time.monotonic() + seconds
    left = []
    for pid, words in _processes(lab):
        if not ends(pid, max(0, deadline - time.monotonic())):
            left.append((pid, words))
    return left


def ends(pid: int, seconds: float) -> bool:
    """Wait for the end of any process, ``seconds`` at most; return whether it has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _processes(lab: Lab) -> Iterator[tuple[int, str]]:
    """Yield each process that runs a program of the lab, or belongs to its user and names it.

    A worker of nova-conductor overwrites its command line, but stays in the lab's directory.
    A process that only reads a log there does not count.
    """
    mine = re.compile(rf"(?:^|[\s=:]){re.escape(str(lab.root))}/")
    users = {each.pw_uid for each in pwd.getpwall() if each.pw_name == USER}
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in (os.getpid(), os.getppid()):
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            program = os.readlink(f"/proc/{entry}/exe")
            directory = os.readlink(f"/proc/{entry}/cwd")
            owner = os.stat(f"/proc/{entry}").st_uid
        except OSError:
            continue  # it has ended meanwhile, or it is a zombie or the kernel's own
        theirs = owner in users and (mine.search(words) or mine.match(f"{directory}/"))
        if theirs or mine.match(words) or mine.match(program):
            yield int(entry), words.strip()
