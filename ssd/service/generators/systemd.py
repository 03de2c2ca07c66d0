"""A unit file for systemd: systemd.unit(5), systemd.service(5), systemd.exec(5)."""

from ssd.service.generators import systemd_exec, systemd_process
from ssd.service.generators.facilities import units
from ssd.service.generators.policies import Respawn
from ssd.service.generators.quoting import systemd_value, systemd_word
from ssd.service.generators.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

KIND = "systemd"
PATH = "/etc/systemd/system/{name}.service"
MODE = 0o644

LOST = {
    "process_name": "systemd knows the service's processes by its control group",
    "match_executable": "systemd knows the service's processes by its control group",
    "start_on": "units are ordered by their names, and started by targets",
    "stop_on": "units are ordered by their names, and stopped with what they need",
    "emits": "there are no events",
    "export": "there are no events",
    "instance": "an instance is a unit NAME@INSTANCE of a template",
    "apparmor_load": "apparmor.service loads the profiles of /etc/apparmor.d",
    "cgroups": "limits of control groups have settings of their own, systemd.resource-control(5)",
    "debug": "there is no such mark",
}

# Runlevels as targets, systemd.special(7); 2 to 4 are one.
TARGETS = {
    "S": "sysinit.target", "0": "poweroff.target", "1": "rescue.target",
    "2": "multi-user.target", "3": "multi-user.target", "4": "multi-user.target",
    "5": "graphical.target", "6": "reboot.target",
}  # fmt: skip
STOPPED = {"0", "1", "6"}
URLS = ("http://", "https://", "file:", "info:", "man:")  # all that Documentation= takes


def generate(service: "Service") -> Sheet:
    """Write the unit. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    unit = ["[Unit]", *_description(service), *_documentation(sheet), *_order(service)]
    unit += _start_limit(service)
    # First the surroundings: the directories are there before anything is run.
    section = ["[Service]", *systemd_exec.settings(sheet), *systemd_process.settings(sheet)]
    install = _install(sheet)
    sheet.add(*sheet.head(), "", *unit, "", *section)
    if install:
        sheet.add("", "[Install]", *install)
    return sheet


def _description(service: "Service") -> "Iterable[str]":
    text = service.short_description or service.description or service.name
    yield f"Description={systemd_value(text)}"


def _documentation(sheet: Sheet) -> "Iterable[str]":
    good = []
    for each in sheet.service.documentation:
        if each.startswith(URLS):
            good.append(systemd_word(each, variables=False))
        else:
            sheet.lose("documentation", f"{each!r} begins with none of {', '.join(URLS)}")
    if good:
        yield f"Documentation={' '.join(good)}"


def _order(service: "Service") -> "Iterable[str]":
    """Order it after what has to run before it; systemd stops in the opposite order."""
    required = units(service.required_start)
    before = [*required, *units(service.should_start)]
    before += [*units(service.required_stop), *units(service.should_stop)]
    before = list(dict.fromkeys(before))
    wanted = [unit for unit in before if unit in ("network-online.target", "nss-lookup.target")]
    services = [unit for unit in required if unit.endswith(".service")]
    for setting, names in (("Requires", services), ("Wants", wanted), ("After", before)):
        if names:
            yield f"{setting}={' '.join(names)}"


def _start_limit(service: "Service") -> "Iterable[str]":
    """Say how often it may be brought back; 0 is no limit."""
    respawn = Respawn(service)
    if respawn.when == "never":
        return
    interval = respawn.interval if respawn.limit else 0
    yield f"StartLimitIntervalSec={interval}"
    if interval:
        yield f"StartLimitBurst={respawn.limit}"


def _install(sheet: Sheet) -> list[str]:
    """Say by which targets it is started once it is enabled."""
    service = sheet.service
    if service.manual:
        return []
    levels = service.default_start or ["2", "3", "4", "5"]
    targets = list(dict.fromkeys(TARGETS[level] for level in levels))
    if "multi-user.target" in targets and "graphical.target" in targets:
        targets.remove("graphical.target")  # that wants the other one
    if {*service.default_stop} not in (set(), STOPPED):
        sheet.lose("default_stop", "systemd stops it in runlevels 0, 1 and 6")
    lines = [f"WantedBy={' '.join(targets)}"]
    others = [name for name in service.provides if name != service.name and name[:1] != "$"]
    if others:
        lines.append(f"Alias={' '.join(units(others))}")
    return lines
