"""The part of a unit that is the surroundings of its processes: systemd.exec(5)."""

from ssd.service.generators.folders import Folder, folders, modern
from ssd.service.generators.policies import oom_score
from ssd.service.generators.quoting import VARIABLE, has_controls, systemd_value, systemd_word
from ssd.service.generators.sheet import Sheet
from ssd.service.generators.systemd_process import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

IO_CLASSES = {"real-time": "realtime", "best-effort": "best-effort", "idle": "idle"}
# Settings that make a directory of the service's user, and the directory they are relative to.
MANAGED = {
    "RuntimeDirectory": "/run/", "StateDirectory": "/var/lib/", "CacheDirectory": "/var/cache/",
    "LogsDirectory": "/var/log/", "ConfigurationDirectory": "/etc/",
}  # fmt: skip
LIMITS = {"ofile": "NOFILE"}  # an old name
# What is made by root before the start, and not touched if it is there.
MAKE = '[ -d "$1" ] || { install -d -m "$2" "$1" && chown -h "$3" "$1"; }'


def settings(sheet: Sheet) -> "Iterable[str]":
    """Yield the settings."""
    service = sheet.service
    for setting, field, value in (
        ("User", "user", service.user),
        ("Group", "group", service.group),
        ("RootDirectory", "root", service.root),
        ("AppArmorProfile", "apparmor_profile", service.apparmor_profile),
    ):
        if value and _fits(sheet, field, value):
            yield f"{setting}={systemd_value(value)}"
    if service.root:
        # Otherwise hooks, probes and the reload are executed in there, "+" or not.
        yield "RootDirectoryStartOnly=yes"
    managed, made = _directories(service)
    directory = service.working_directory
    if directory != "/" and _fits(sheet, "working_directory", directory):
        # It is entered for all that is executed: where it lies in another root, or in a directory
        # that has to be made first, the commands before the start go without.
        missing = any(f"{directory}/".startswith(f"{folder.path}/") for folder in made)
        missing = missing or service.root is not None
        yield f"WorkingDirectory={'-' if missing else ''}{systemd_value(directory)}"
    yield f"UMask={service.umask}"
    yield from managed
    for folder in made:
        words = [folder.path, folder.mode, folder.owner or "root:"]
        yield f"ExecStartPre={command(['/bin/sh', '-e', '-c', MAKE, 'sh', *words], '+')}"
    yield from _environment(sheet)
    yield from _limits(sheet)
    yield from _scheduling(sheet)
    yield from _output(sheet)
    score = oom_score(service)
    if score is not None:
        yield f"OOMScoreAdjust={score}"


def _fits(sheet: Sheet, field: str, value: str) -> bool:
    """Tell whether a value can be written into one line, and say so if not."""
    if has_controls(value):
        sheet.lose(field, f"systemd has no way to write {value!r}")
        return False
    return True


def _directories(service: "Service") -> "tuple[list[str], list[Folder]]":
    """Return systemd's own settings where they say the same, and the directories left over."""
    managed: dict[tuple[str, str], list[str]] = {}
    others = []
    for folder in folders(service):
        setting, name = _managed(folder.path)
        own = (folder.user, folder.group) == (service.user, service.group)
        modes = {mode for known, mode in managed if known == setting}
        if setting and own and modes <= {folder.mode}:
            managed.setdefault((setting, folder.mode), []).append(name)
        else:
            others.append(folder)
    lines = []
    for (setting, mode), names in managed.items():
        words = (systemd_word(name, variables=False) for name in names)
        lines.append(f"{setting}={' '.join(words)}")
        if mode != "0755":
            lines.append(f"{setting}Mode={mode}")
        if setting == "RuntimeDirectory":
            lines.append("RuntimeDirectoryPreserve=yes")
    return lines, others


def _managed(path: str) -> tuple[str, str]:
    """Return the setting that makes a directory, and its name there; "" if there is none."""
    path = modern(path)
    clean = path == "/" + "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
    for setting, top in MANAGED.items():
        if clean and path.startswith(top) and ":" not in path and not has_controls(path):
            return setting, path.removeprefix(top)
    return "", ""


def _environment(sheet: Sheet) -> "Iterable[str]":
    service = sheet.service
    for path in service.environment_files:
        if {*"*?["} & {*path}:
            sheet.lose("environment_files", f"systemd takes {path!r} for a pattern")
        elif _fits(sheet, "environment_files", path):
            yield f"EnvironmentFile={systemd_value(path)}"
            sheet.lose("environment_files", "systemd reads plain assignments, and is no shell")
    for name in service.pass_environment:
        if VARIABLE.match(name):
            yield f"PassEnvironment={name}"
        else:
            sheet.lose("pass_environment", f"systemd takes no variable with the name {name!r}")
    for name, value in service.environment.items():
        if not VARIABLE.match(name):
            sheet.lose("environment", f"systemd takes no variable with the name {name!r}")
        elif has_controls(value.replace("\n", "").replace("\t", "")) or _undecodable(value):
            sheet.lose("environment", f"systemd takes no control characters in {name}")
        else:
            yield f"Environment={systemd_word(f'{name}={value}', variables=False)}"


def _undecodable(text: str) -> bool:
    """Tell whether a text holds bytes that are no UTF-8."""
    return any("\udc80" <= character <= "\udcff" for character in text)


def _limits(sheet: Sheet) -> "Iterable[str]":
    for name, limit in sheet.service.limits.items():
        value = str(limit).replace("unlimited", "infinity")
        yield f"Limit{LIMITS.get(name, name.upper())}={value}"


def _scheduling(sheet: Sheet) -> "Iterable[str]":
    """Yield niceness and schedulers, with the priorities that start-stop-daemon(8) gives."""
    from ssd.service.surroundings import scheduling

    service = sheet.service
    if -20 <= service.nice <= 19:
        if service.nice:
            yield f"Nice={service.nice}"
    else:
        sheet.lose("nice", "systemd takes -20 to 19")
    if service.cpu_scheduling:
        policy, priority = scheduling(service.cpu_scheduling, 1)
        yield f"CPUSchedulingPolicy={policy}"
        if policy != "other":
            yield f"CPUSchedulingPriority={priority}"
    if service.io_scheduling:
        name, priority = scheduling(service.io_scheduling, 4)
        yield f"IOSchedulingClass={IO_CLASSES[name]}"
        if name != "idle":
            yield f"IOSchedulingPriority={priority}"


def _output(sheet: Sheet) -> "Iterable[str]":
    """Yield where its output goes: the journal unless declared otherwise."""
    service = sheet.service
    if service.output and _fits(sheet, "output", service.output):
        yield f"StandardOutput=append:{systemd_value(service.output)}"
        yield f"StandardError=append:{systemd_value(service.output)}"
    elif service.console == "none":
        yield "StandardOutput=null"
        yield "StandardError=null"
    elif service.console in ("output", "owner"):
        if service.console == "owner":
            yield "StandardInput=tty-force"
        yield "StandardOutput=tty"
        yield "StandardError=tty"
        yield "TTYPath=/dev/console"
