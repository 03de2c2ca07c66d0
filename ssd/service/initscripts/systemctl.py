"""What service(8) asks of systemctl(1) instead of an init script, where systemd runs.

systemd takes what a script starts by itself for a part of the caller's session, so a service
that has a unit is left to it.
"""

import errno
import os
import shutil
import subprocess

from ssd import environment
from ssd.service.initscripts.program import Run, spawn, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PROGRAM = "systemctl"
PLAIN = ("restart", "status", "try-restart")
WITH_SOCKETS = ("start", "stop")


def call(name: str, words: "Sequence[str]") -> Run | None:
    """Return the call that does a verb for a service; None if its script is to do it.

    Sockets that start the service are started and stopped first: a stopped service with a
    socket that listens is back at the next connection.
    """
    verb = words[0] if words else ""
    unit = f"{name.removesuffix('.sh')}.service"
    if verb in PLAIN:
        return _run(verb, unit)
    if verb in WITH_SOCKETS:
        for socket in _sockets(unit):
            wait(spawn(_run(verb, socket)))
        return _run(verb, unit)
    if verb == "reload":
        # Its unit cannot be reloaded, its script perhaps can.
        if not _can_reload(unit):
            return None
        # While the machine starts or stops, a reload must not wait for the job that waits for it.
        early = ask("--quiet", "is-system-running")[0] != 0
        return _run(*(["--no-block"] if early else []), "reload", unit)
    if verb == "force-stop":
        return _run("--signal=KILL", "kill", unit)
    if verb == "force-reload":
        return _run("reload" if _can_reload(unit) else "restart", unit)
    return None


def _can_reload(unit: str) -> bool:
    """Tell whether systemd can reload a unit; one that it does not know, it may."""
    return ask("-p", "CanReload", "show", unit)[1].strip() != "CanReload=no"


def _sockets(unit: str) -> "Iterator[str]":
    """Yield the sockets whose connections start a unit."""
    listed = ask("list-unit-files", "--full", "--type=socket")[1].splitlines()
    for name in (line.split()[0] for line in listed if line.split()):
        # The last line of the list counts the others.
        if name.endswith(".socket"):
            triggers = ask("-p", "Triggers", "show", name)[1].strip()
            if triggers == f"Triggers={unit}":
                yield name


def _run(*words: str) -> Run:
    """Make the call. Raises FileNotFoundError where there is no systemctl on PATH."""
    path = shutil.which(PROGRAM)
    if path is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), PROGRAM)
    return Run(path, [PROGRAM, *words], environment.inherited())


def ask(*words: str) -> tuple[int, str]:
    """Return the exit status of a call and what it prints."""
    run = _run(*words)
    done = subprocess.run(
        run.argv,
        executable=run.file,
        env=run.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode, done.stdout.decode(errors="replace")
