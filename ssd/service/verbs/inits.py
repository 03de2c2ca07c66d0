"""Services that another init runs: systemd or OpenRC does the verb then.

A unit or an OpenRC script that was generated from a declaration starts the program itself, and
finds it without a pidfile. A second start would make a process that this init never stops.
Loaded only if such an init runs.
"""

import errno
import os

from ssd.service import INIT_D
from ssd.service.generators.facilities import unit_name
from ssd.service.initscripts.cli import OPENRC, SYSTEMD
from ssd.service.initscripts.program import Run
from ssd.service.sources import is_own
from ssd.statuses import UNIMPLEMENTED
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

NAMES = {SYSTEMD: "systemd", OPENRC: "OpenRC"}
# systemd.unit(5), "Unit File Search Path", and the directories of generators and systemd-run(1).
UNITS = (
    "/etc/systemd/system", "/run/systemd/system", "/run/systemd/transient",
    "/run/systemd/generator", "/run/systemd/generator.early", "/run/systemd/generator.late",
    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
)  # fmt: skip
# The states of a unit that has processes, or will have them soon.
ACTIVE = "active,reloading,activating,deactivating,refreshing"

# verb -> words for rc-service(8); a script may have no reload.
RC_SERVICE = {
    "start": ("{}", "start"), "stop": ("{}", "stop"), "restart": ("{}", "restart"),
    "status": ("{}", "status"), "try-restart": ("--ifstarted", "{}", "restart"),
    "reload": ("{}", "reload"),
}  # fmt: skip


def runners(names: "Iterable[str]", inside: str = "") -> dict[str, str]:
    """Return which of these services another init runs, and whether that is SYSTEMD or OPENRC.

    A service that calls ssd-service itself, from its unit or script, is not among them.
    ``inside`` is the service whose OpenRC script calls, from RC_SVCNAME.
    """
    named = list(names)
    found: dict[str, str] = {}
    if os.path.isdir(OPENRC):
        started = (name for name in named if os.path.lexists(f"{OPENRC}/{name}"))
        # OpenRC also runs an init script that is a declaration: it calls ssd-service.
        ours = (n for n in started if n != inside and not is_own(f"{INIT_D}/{n}"))
        found |= dict.fromkeys(ours, OPENRC)
    if os.path.isdir(SYSTEMD):
        units = {f"{unit_name(name)}.service": name for name in named}
        there = [unit for unit in units if _has_unit(unit)]
        active = _active(there) - _around() if there else set()
        found |= {units[unit]: SYSTEMD for unit in active}
    return found


def _has_unit(unit: str) -> bool:
    """Tell whether there is a unit file, or a template for an instance (systemd.unit(5))."""
    prefix, mark, _ = unit.partition("@")
    files = {unit, f"{prefix}@.service"} if mark else {unit}
    return any(os.path.exists(f"{place}/{file}") for place in UNITS for file in files)


def _active(units: list[str]) -> set[str]:
    """Return those of these units that systemd runs.

    Raises OSError, also if systemd does not answer: a start must not take that for a no.
    """
    from ssd.service.initscripts.systemctl import ask

    listing = ("list-units", "--full", "--plain", "--no-legend", f"--state={ACTIVE}")
    status, listed = ask(*listing, "--", *units)
    if status:
        asked = f"systemctl list-units {' '.join(units)}"
        raise OSError(f"cannot find out what systemd runs: {asked!r} ended with status {status}")
    return {line.split()[0] for line in listed.splitlines() if line.split()}


def _around() -> set[str]:
    """Return the units that contain this process, from its control groups."""
    with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as file:
        return parts(file.read())


def parts(text: str) -> set[str]:
    """Return all names in a text like /proc/self/cgroup (cgroups(7))."""
    return {part for line in text.splitlines() for part in line.split("/")}


def call(init: str, service: "Service", verb: str) -> Run | None:
    """Return the command that makes an init do a verb, None without one. Raises OSError."""
    reloads = service.reload_signal != "none"
    if verb == "--full-restart":
        verb = "restart"
    if init == SYSTEMD:
        from ssd.service.initscripts import systemctl

        return systemctl.call(unit_name(service.name), [verb])
    if verb == "force-reload":
        verb = "reload" if reloads else "restart"
    if verb not in RC_SERVICE or verb == "reload" and not reloads:
        return None
    import shutil

    path = shutil.which("rc-service")
    if path is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "rc-service")
    from ssd.environment import inherited

    words = [word.format(service.name) for word in RC_SERVICE[verb]]
    return Run(path, ["rc-service", *words], inherited())


def hand_over(service: "Service", words: list[str], program: str, inside: str) -> int | None:
    """Make the init that runs a service do the verb: its command replaces this process.

    Returns None if no other init runs the service, or if the verb is not for an init; a status
    if that init cannot do it. Raises OSError.
    """
    verb = words[0] if words else ""
    if verb in ("show-args", "systemd-start") or len(words) > 1:
        return None
    init = runners([service.name], inside).get(service.name)
    if init is None:
        return None
    run = call(init, service, verb)
    if run is None:
        return _refuse(init, service, verb, program)
    from ssd.service.initscripts.cli import execute

    execute(run)
    raise AssertionError("execve(2) returned without an error")


def _refuse(init: str, service: "Service", verb: str, program: str) -> int:
    """Report that an init lacks a verb, and return the status."""
    write(2, f"{program}: {service.name}: {NAMES[init]} runs it and has no verb {verb!r}\n")
    return UNIMPLEMENTED


def perform(init: str, service: "Service", verb: str, program: str) -> int:
    """Make an init do a verb, and return its exit status. Raises OSError."""
    run = call(init, service, verb)
    if run is None:
        return _refuse(init, service, verb, program)
    from ssd.service.initscripts.program import spawn

    return os.waitstatus_to_exitcode(os.waitpid(spawn(run), 0)[1])
