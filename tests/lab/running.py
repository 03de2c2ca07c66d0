"""Start, ask after and stop the lab's services, by ssd-service."""

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lab.layout import Lab
from lab.services import COMPUTE_QUEUE, everything
from lab.services import probe as probe_words
from lab.steps import call, say, service_environment, shown

COMPUTE = "nova-compute"  # declared for whoever uses the lab, and not the lab's to start

# Start ---------------------------------------------------------------------------------


def start_all(lab: Lab) -> None:
    """Start all but nova-compute, each when the one before is ready. Raises StepFailed."""
    for service in everything(lab):
        start(lab, service.name)


def start(lab: Lab, name: str) -> None:
    """Start a service unless it runs, and wait until it is ready. Raises StepFailed."""
    if ask(lab, name).returncode == 0:
        say(f"{name} runs already")
        return
    with shown(f"starting {name}"):
        call(lab, f"starting {name}", *words(lab, name, "start"), env=service_environment(lab))


def await_compute(lab: Lab, seconds: int) -> int:
    """Wait until nova-compute consumes from its queue, which is when it answers."""
    return subprocess.run(probe(lab, "await", COMPUTE_QUEUE, seconds)).returncode


def probe(lab: Lab, *words: object) -> list[str]:
    """Return the words that ask the broker; see programs/probe.py."""
    return [*probe_words(lab), *map(str, words)]


# Ask -----------------------------------------------------------------------------------


def words(lab: Lab, name: str, verb: str) -> list[str]:
    """Return the words that do a verb to a service of the lab."""
    return [str(lab.command("ssd-service")), f"--directory={lab.etc}/ssd", name, verb]


def ask(lab: Lab, name: str) -> subprocess.CompletedProcess[str]:
    """Ask for the status: 0 running, 1 dead with a pidfile, 3 not running, or not built yet."""
    asking = words(lab, name, "status")
    declared = any((lab.etc / "ssd" / file).exists() for file in (name, f"{name}.toml"))
    if not declared or not os.path.exists(asking[0]):
        return subprocess.CompletedProcess(asking, 3, "", "")
    return subprocess.run(asking, env=service_environment(lab), capture_output=True, text=True)


def tell(lab: Lab, name: str) -> int:
    """Say how a service is and return its status."""
    done = ask(lab, name)
    say((done.stdout or f"{name} is not running").strip())
    return done.returncode


# Stop ----------------------------------------------------------------------------------


def stop_all(lab: Lab) -> None:
    """Stop every service that runs, nova-compute first. Raises StepFailed."""
    for name in [COMPUTE, *(service.name for service in reversed(everything(lab)))]:
        stop(lab, name)


def stop(lab: Lab, name: str) -> None:
    """Stop a service if it runs. Raises StepFailed."""
    if ask(lab, name).returncode not in (0, 1):
        say(f"{name} does not run")
        return
    with shown(f"stopping {name}"):
        call(lab, f"stopping {name}", *words(lab, name, "stop"), env=service_environment(lab))


def leftovers(lab: Lab, seconds: float = 300.0) -> list[tuple[int, str]]:
    """Return the processes that run a program of the lab, after ``seconds`` at most.

    A service's own helpers end when they see that it is gone, a moment later.
    """
    deadline = time.monotonic() + seconds
    left = []
    for pid, words in _processes(lab):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        finally:
            os.close(descriptor)
        if not ended:
            left.append((pid, words))
    return left


def _processes(lab: Lab) -> Iterator[tuple[int, str]]:
    """Yield each process with a file of the lab in its command line or for its program."""
    mine = re.compile(rf"(?:^|[\s=:]){re.escape(str(lab.root))}/")
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) in (os.getpid(), os.getppid()):
            continue
        try:
            words = Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            program = os.readlink(f"/proc/{entry}/exe")
        except OSError:
            continue  # it has ended meanwhile, or it is a zombie or the kernel's own
        if mine.search(words) or mine.match(program):
            yield int(entry), words.strip()
