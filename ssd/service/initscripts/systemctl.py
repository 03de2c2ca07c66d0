"""The calls of systemctl(1) that replace an init script where systemd runs, as in service(8).

A daemon that a script starts itself would belong to the caller's session, so systemd starts
every service that has a unit.
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
    """Return the call for a verb of a service; None if the script must do it.

    Sockets that start the service are started and stopped first: while a socket listens, the
    next connection starts the service again.
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
        # A unit without a reload may have a script with one.
        if not _can_reload(unit):
            return None
        # While the machine boots or shuts down, a reload must not wait for a job that waits for it.
        early = ask("--quiet", "is-system-running")[0] != 0
        return _run(*(["--no-block"] if early else []), "reload", unit)
    if verb == "force-stop":
        return _run("--signal=KILL", "kill", unit)
    if verb == "force-reload":
        return _run("reload" if _can_reload(unit) else "restart", unit)
    return None


def _can_reload(unit: str) -> bool:
    """Return whether systemd can reload a unit; True for a unit that it does not know."""
    return ask("-p", "CanReload", "show", unit)[1].strip() != "CanReload=no"


def _sockets(unit: str) -> "Iterator[str]":
    """Yield the sockets whose connections start a unit."""
    listed = ask("list-unit-files", "--full", "--type=socket")[1].splitlines()
    for name in (line.split()[0] for line in listed if line.split()):
        # The last line of the list is a count.
        if name.endswith(".socket"):
            triggers = ask("-p", "Triggers", "show", name)[1].strip()
            if triggers == f"Triggers={unit}":
                yield name


def _run(*words: str) -> Run:
    """Return a call of systemctl. Raises FileNotFoundError if it is not on PATH."""
    path = shutil.which(PROGRAM)
    if path is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), PROGRAM)
    return Run(path, [PROGRAM, *words], environment.inherited())


def ask(*words: str) -> tuple[int, str]:
    """Return the exit status and the output of a call."""
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
