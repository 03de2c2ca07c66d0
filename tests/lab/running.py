"""Start, ask after and stop the lab's services, with ssd."""

import os
import re
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lab.layout import USER, Lab
from lab.services import COMPUTE_QUEUE, CONSUMER, NOTIFY, PORT, Service, everything
from lab.steps import StepFailed, call, say, service_environment, shown

START_SECONDS = 300  # for one service, on a machine that has a lot else to do
SCHEDULE = "TERM/60/KILL/10"

# Start ---------------------------------------------------------------------------------


def start_all(lab: Lab) -> None:
    """Start all but nova-compute, each when the one before is ready. Raises StepFailed."""
    for service in everything(lab)[:-1]:
        start(lab, service)


def start(lab: Lab, service: Service) -> None:
    """Start a service unless it runs, and wait until it is ready. Raises StepFailed."""
    if status(lab, service) == 0:
        say(f"{service.name} runs already")
        return
    with shown(f"starting {service.name} ({service.ready})"):
        _start(lab, service)


def _start(lab: Lab, service: Service) -> None:
    output = lab.log / f"{service.name}.out"
    title = f"starting {service.name}"
    notify = ("--notify-await", f"--notify-timeout={START_SECONDS}")
    call(
        lab,
        title,
        *(lab.command("ssd"), "--start", "--background", "--make-pidfile"),
        *("--pidfile", pidfile(lab, service), "--chuid", f"{USER}:{USER}"),
        *("--chdir", lab.state, "--output", output),
        *(notify if service.ready == NOTIFY else ()),
        *("--startas", service.argv[0], "--", *service.argv[1:]),
        env=service_environment(lab),
    )
    if service.ready == PORT:
        _await_port(lab, service, output)
    elif service.ready == CONSUMER:
        call(lab, title, *probe(lab, "await", service.subject, START_SECONDS), env=None)


def _await_port(lab: Lab, service: Service, output: Path) -> None:
    """Connect until it works: nothing else tells when a socket starts to listen."""
    deadline = time.monotonic() + START_SECONDS
    process = os.pidfd_open(int(pidfile(lab, service).read_text()))
    try:
        while time.monotonic() < deadline:
            with socket.socket() as client:
                client.settimeout(1)
                if client.connect_ex(("127.0.0.1", lab.ports[service.subject])) == 0:
                    return
            if select.select([process], [], [], 0.02)[0]:
                break  # it has ended
    finally:
        os.close(process)
    raise StepFailed(f"starting {service.name}", "its port does not answer", output)


def await_compute(lab: Lab, seconds: int) -> int:
    """Wait until nova-compute consumes from its queue, which is when it answers."""
    return subprocess.run(probe(lab, "await", COMPUTE_QUEUE, seconds)).returncode


def probe(lab: Lab, *words: object) -> list[str]:
    """Return the words that ask the broker; see programs/probe.py."""
    program = [str(lab.command("python")), str(lab.bin / "probe.py"), str(lab.etc / "nova.conf")]
    return [*program, *map(str, words)]


# Ask -----------------------------------------------------------------------------------


def pidfile(lab: Lab, service: Service) -> Path:
    """Return where the service's pid is written."""
    if service.name == "compute":
        return lab.root / "compute/run/nova-compute.pid"
    return lab.run / f"{service.name}.pid"


def status(lab: Lab, service: Service) -> int:
    """Return the status as ssd has it: 0 running, 1 dead with a pidfile, 3 not running."""
    program = lab.command("ssd")
    if not program.exists():
        return 3
    return subprocess.run([program, "--status", "--pidfile", pidfile(lab, service)]).returncode


def tell(lab: Lab, service: Service) -> int:
    """Say how a service is and return its status."""
    code = status(lab, service)
    words = {0: "runs", 1: "dead, and its pidfile is there", 3: "does not run"}
    pid = f", process {pidfile(lab, service).read_text().strip()}" if code == 0 else ""
    say(f"{service.name}: {words.get(code, 'cannot tell')}{pid}")
    return code


# Stop ----------------------------------------------------------------------------------


def stop_all(lab: Lab) -> None:
    """Stop every service that runs, the last one first. Raises StepFailed."""
    for service in reversed(everything(lab)):
        stop(lab, service)


def stop(lab: Lab, service: Service) -> None:
    """Stop a service if it runs. Raises StepFailed."""
    if status(lab, service) == 3:
        say(f"{service.name} does not run")
        return
    with shown(f"stopping {service.name}"):
        call(
            lab,
            f"stopping {service.name}",
            *(lab.command("ssd"), "--stop", "--oknodo", "--remove-pidfile"),
            *("--pidfile", pidfile(lab, service), "--retry", SCHEDULE),
            env=service_environment(lab),
        )


def leftovers(lab: Lab, seconds: float = 20.0) -> list[tuple[int, str]]:
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
