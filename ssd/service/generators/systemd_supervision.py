"""How a unit is ordered, restarted, watched and logged: systemd.unit(5), systemd.service(5)."""

from math import ceil, log2

from ssd.service.generators.facilities import units
from ssd.service.generators.quoting import has_controls, systemd_value
from ssd.service.generators.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

# What follows if a required service fails: systemd.unit(5).
REQUIRING = {"fail": "Requires", "ignore": "Wants", "stop": "BindsTo"}
# systemd.kill(5). mixed: the main process gets the signal, and what is left then KILL.
# control-group: all get the signal, as with our own tree.
KILL_MODES = {
    None: "mixed", "main": "process", "group": "control-group", "tree": "control-group",
    "cgroup": "control-group",
}  # fmt: skip


def order(service: "Service") -> "Iterable[str]":
    """Order the unit after those that must run before; systemd stops in reverse order."""
    required = units([*service.required_start, *service.requires])
    before = [*required, *units([*service.should_start, *service.after])]
    before += [*units(service.required_stop), *units(service.should_stop)]
    before = list(dict.fromkeys(before))
    wanted = [unit for unit in before if unit in ("network-online.target", "nss-lookup.target")]
    services = list(dict.fromkeys(unit for unit in required if unit.endswith(".service")))
    made: dict[str, list[str]] = {REQUIRING[service.on_required_failure]: services}
    made["Wants"] = [*made.get("Wants", []), *wanted]
    for setting, names in {**made, "After": before}.items():
        if names:
            yield f"{setting}={' '.join(names)}"


def start_limit(service: "Service") -> "Iterable[str]":
    """Yield how often the service may be restarted; 0 means no limit."""
    respawn = service.respawn
    if respawn["when"] == "never":
        return
    interval = respawn["interval"] if respawn["limit"] else 0
    yield f"StartLimitIntervalSec={interval}"
    if interval:
        yield f"StartLimitBurst={respawn['limit']}"


def restart(sheet: Sheet) -> "Iterable[str]":
    """Yield when systemd restarts the service."""
    service = sheet.service
    respawn = service.respawn
    if respawn["when"] == "never":
        if service.watchdog:
            yield "Restart=on-watchdog"
        return
    always = respawn["when"] == "always"
    if always and service.task:
        sheet.lose("respawn", "systemd restarts a task only after a failure")
        always = False
    yield f"Restart={'always' if always else 'on-failure'}"
    yield from _delays(sheet)
    normal = [
        str(each) if isinstance(each, int) else f"SIG{each}" for each in respawn["normal_exit"]
    ]
    if normal:
        words = " ".join(normal)
        yield f"SuccessExitStatus={words}"
        yield f"RestartPreventExitStatus={words}"


def _delays(sheet: Sheet) -> "Iterable[str]":
    """Yield the time before a restart, and how it grows if the declaration says so."""
    respawn, said = sheet.service.respawn, sheet.declared["respawn"]
    assert isinstance(said, dict)
    grows = "backoff" in said or "delay_max" in said
    first = max(respawn["delay"], respawn["backoff"]) if grows else respawn["delay"]
    yield f"RestartSec={first}"
    if grows and 0 < first < respawn["delay_max"]:
        yield "# The delay grows in this many steps; systemd before 254 ignores the two lines."
        yield f"RestartSteps={ceil(log2(respawn['delay_max'] / first))}"
        yield f"RestartMaxDelaySec={respawn['delay_max']}"
    if "reset" in said:
        sheet.lose("respawn", "systemd has no word for reset")


def watchdog(service: "Service") -> "Iterable[str]":
    """Yield how often the service must say that it lives."""
    if service.watchdog:
        yield f"WatchdogSec={service.watchdog}"


def output(sheet: Sheet) -> "Iterable[str]":
    """Yield the destination of the output; the default is the journal."""
    chosen = dict(_files(sheet))
    for setting, value in _others(sheet):
        chosen.setdefault(setting, value)
    if "StandardOutput" in chosen:  # which standard error would inherit
        chosen.setdefault("StandardError", "journal")
    yield from (f"{setting}={value}" for setting, value in chosen.items())


def _files(sheet: Sheet) -> "Iterable[tuple[str, str]]":
    """Yield the files that the service itself appends to."""
    service = sheet.service
    for setting, field in (("StandardOutput", "stdout"), ("StandardError", "stderr")):
        own = getattr(service, field)
        path = own or service.output
        if path and fits(sheet, field if own else "output", path):
            yield setting, f"append:{systemd_value(path)}"


def _others(sheet: Sheet) -> "Iterable[tuple[str, str]]":
    """Yield what is chosen for the output without such files: settings and values."""
    service, log = sheet.service, sheet.service.log
    if service.output or service.stdout and service.stderr:
        return
    if "log" in sheet.declared:
        for setting, path in (
            ("StandardOutput", log["path"]),
            ("StandardError", log["stderr_path"] or log["path"]),
        ):
            if path and log["kind"] == "file" and fits(sheet, "log", path):
                yield setting, f"append:{systemd_value(path)}"
            elif log["kind"] == "none" and not log["syslog"]:
                yield setting, "null"
        if log["kind"] == "file":
            sheet.lose("log", "the journal keeps the output; logrotate(8) rotates other files")
    elif service.console == "none":
        yield from (("StandardOutput", "null"), ("StandardError", "null"))
    elif service.console in ("output", "owner"):
        if service.console == "owner":
            yield "StandardInput", "tty-force"
        yield from (("StandardOutput", "tty"), ("StandardError", "tty"))
        yield "TTYPath", "/dev/console"


def fits(sheet: Sheet, field: str, value: str) -> bool:
    """Return whether a value fits into one line, and record the loss if not."""
    if has_controls(value):
        sheet.lose(field, f"systemd cannot express {value!r}")
        return False
    return True
