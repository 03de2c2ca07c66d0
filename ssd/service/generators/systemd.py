"""A unit file for systemd: systemd.unit(5), systemd.service(5), systemd.exec(5)."""

from ssd.service.generators import ssd_options
from ssd.service.generators.facilities import units
from ssd.service.generators.quoting import (
    VARIABLE,
    has_controls,
    is_undecodable,
    systemd_command,
    systemd_value,
    systemd_word,
)
from ssd.service.generators.sheet import (
    KILL,
    Directory,
    Ending,
    Sheet,
    directories,
    modern,
    ready_command,
    seconds_to_stay,
)
from ssd.service.generators.systemd_privileges import login, privileges
from ssd.service.generators.systemd_supervision import (
    KILL_MODES,
    fits,
    order,
    output,
    restart,
    start_limit,
    watchdog,
)
from ssd.signal_names import signal_name
from ssd.signals import raw as signals

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
    "match_interpreted": "systemd knows the service's processes by its control group",
    "same_namespace": "systemd knows the service's processes by its control group",
    "clear_environment": "systemd passes on nothing but PATH, LANG and a few variables of its own",
    "start_on": "targets start units, and dependencies order them",
    "stop_on": "targets and dependencies stop units",
    "emits": "systemd has no events",
    "export": "systemd has no events",
    "instance": "an instance is a unit NAME@INSTANCE of a template",
    "apparmor_load": "apparmor.service loads the profiles of /etc/apparmor.d",
    "cgroups": "control groups are limited by other settings, systemd.resource-control(5)",
    "debug": "systemd has no such mark",
    "health": "systemd checks no service; see watchdog for one that says WATCHDOG=1",
}

# Runlevels as targets, systemd.special(7); 2 to 4 are the same target.
TARGETS = {
    "S": "sysinit.target", "0": "poweroff.target", "1": "rescue.target",
    "2": "multi-user.target", "3": "multi-user.target", "4": "multi-user.target",
    "5": "graphical.target", "6": "reboot.target",
}  # fmt: skip
STOPPED = {"0", "1", "6"}
URLS = ("http://", "https://", "file:", "info:", "man:")  # Documentation= accepts no other

IO_CLASSES = {"real-time": "realtime", "best-effort": "best-effort", "idle": "idle"}
# Settings that create a directory owned by the service's user, and their base directories.
MANAGED = {
    "RuntimeDirectory": "/run/", "StateDirectory": "/var/lib/", "CacheDirectory": "/var/cache/",
    "LogsDirectory": "/var/log/", "ConfigurationDirectory": "/etc/",
}  # fmt: skip
LIMITS = {"ofile": "NOFILE"}  # its old name
# Root creates the directory before the start; an existing one is not changed.
MAKE = '[ -d "$1" ] || { (umask 022 && mkdir -p -m "$2" "$1") && chown -h "$3" "$1"; }'

HOOKS = {
    "before_start": "ExecStartPre", "after_start": "ExecStartPost",
    "before_stop": "ExecStop", "after_stop": "ExecStopPost",
}  # fmt: skip
UNTIL = 'until "$@"; do sleep 1; done'  # TimeoutStartSec= ends it
# systemd sets MAINPID: systemd.exec(5).
STAYS = 'for i in $(seq "$1"); do sleep 1; kill -0 "$MAINPID" || exit 1; done'
TIME_TO_START = 60  # seconds for what comes before the time to stay


def generate(service: "Service") -> Sheet:
    """Write the unit. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    unit = ["[Unit]", *_description(service), *_documentation(sheet), *order(service)]
    unit += start_limit(service)
    # The directories are created before any other command runs.
    section = ["[Service]", *_execution(sheet), *_process(sheet)]
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


def _install(sheet: Sheet) -> list[str]:
    """Return the targets that start the unit once it is enabled."""
    service = sheet.service
    if service.manual:
        return []
    levels = service.default_start or ["2", "3", "4", "5"]
    targets = list(dict.fromkeys(TARGETS[level] for level in levels))
    if "multi-user.target" in targets and "graphical.target" in targets:
        targets.remove("graphical.target")  # it wants multi-user.target
    if {*service.default_stop} not in (set(), STOPPED):
        sheet.lose("default_stop", "systemd stops it in runlevels 0, 1 and 6")
    lines = [f"WantedBy={' '.join(targets)}"]
    others = [name for name in service.provides if name != service.name and name[:1] != "$"]
    if others:
        lines.append(f"Alias={' '.join(units(others))}")
    return lines


def _execution(sheet: Sheet) -> "Iterable[str]":
    """Yield the execution environment of the processes: systemd.exec(5)."""
    service = sheet.service
    for setting, field, value in (
        ("User", "user", service.user),
        ("Group", "group", service.group),
        ("RootDirectory", "root", service.root),
        ("AppArmorProfile", "apparmor_profile", service.apparmor_profile),
    ):
        if value and fits(sheet, field, value):
            yield f"{setting}={systemd_value(value)}"
    if service.root:
        # Without this, hooks, probes and the reload would run in the new root too, even with "+".
        yield "RootDirectoryStartOnly=yes"
    managed, made = _directories(service)
    directory = service.working_directory
    if directory != "/" and fits(sheet, "working_directory", directory):
        # systemd enters it for every command. With another root, or in a directory that is yet to
        # be created, it is missing for the commands before the start, and "-" allows that.
        missing = any(f"{directory}/".startswith(f"{each.path}/") for each in made)
        missing = missing or service.root is not None
        yield f"WorkingDirectory={'-' if missing else ''}{systemd_value(directory)}"
    yield f"UMask={service.umask}"
    yield from managed
    for each in made:
        words = [ssd_options.SHELL, "-e", "-c", MAKE, "sh", each.path, each.mode]
        yield f"ExecStartPre={systemd_command([*words, each.owner or 'root:'], '+')}"
    yield from _environment(sheet)
    yield from _resource_limits(sheet)
    yield from _scheduling(sheet)
    yield from output(sheet)
    yield from privileges(sheet)


def _directories(service: "Service") -> "tuple[list[str], list[Directory]]":
    """Return systemd's own settings where they do the same, and the remaining directories."""
    managed: dict[tuple[str, str], list[str]] = {}
    others = []
    account = (service.user, service.group)
    for directory in directories(service):
        setting, name = _managed(directory.path)
        # systemd gives all but those of the configuration to the service's user.
        users = (None, None) if setting == "ConfigurationDirectory" else account
        own = (directory.user, directory.group) == users
        modes = {mode for known, mode in managed if known == setting}
        if setting and own and modes <= {directory.mode}:
            managed.setdefault((setting, directory.mode), []).append(name)
        else:
            others.append(directory)
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
    """Return the setting that creates a directory, and its name there; "" without a setting."""
    path = modern(path)
    clean = path == "/" + "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
    for setting, top in MANAGED.items():
        if clean and path.startswith(top) and ":" not in path and not has_controls(path):
            return setting, path.removeprefix(top)
    return "", ""


def _environment(sheet: Sheet) -> "Iterable[str]":
    service = sheet.service
    yield from login(sheet)
    for path in service.environment_files:
        if {*"*?["} & {*path}:
            sheet.lose("environment_files", f"systemd takes {path!r} as a pattern")
        elif fits(sheet, "environment_files", path):
            yield f"EnvironmentFile={systemd_value(path)}"
            sheet.lose("environment_files", "systemd reads plain assignments only, not shell")
    for name in service.pass_environment:
        if VARIABLE.match(name):
            yield f"PassEnvironment={name}"
        else:
            sheet.lose("pass_environment", f"systemd accepts no variable named {name!r}")
    for name, value in service.environment.items():
        if not VARIABLE.match(name):
            sheet.lose("environment", f"systemd accepts no variable named {name!r}")
        elif has_controls(value.replace("\n", "").replace("\t", "")) or is_undecodable(value):
            sheet.lose("environment", f"systemd accepts no control characters in {name}")
        else:
            yield f"Environment={systemd_word(f'{name}={value}', variables=False)}"


def _resource_limits(sheet: Sheet) -> "Iterable[str]":
    for name, limit in sheet.service.limits.items():
        value = str(limit).replace("unlimited", "infinity")
        yield f"Limit{LIMITS.get(name, name.upper())}={value}"


def _scheduling(sheet: Sheet) -> "Iterable[str]":
    """Yield niceness and schedulers, with the default priorities of start-stop-daemon(8)."""
    from ssd.service.rare_commands import scheduling

    service = sheet.service
    if -20 <= service.nice <= 19:
        if service.nice:
            yield f"Nice={service.nice}"
    else:
        sheet.lose("nice", "systemd accepts -20 to 19")
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


def _process(sheet: Sheet) -> "Iterable[str]":
    """Yield how the service is started, stopped, reloaded and restarted: systemd.service(5).

    Raises Inexpressible.
    """
    service = sheet.service
    kind = _type(sheet)
    yield f"Type={kind}"
    if kind == "forking" and service.pidfile != "none":
        yield f"PIDFile={systemd_value(modern(service.pidfile))}"
    elif "pidfile" in sheet.declared and service.pidfile != "none":
        sheet.lose("pidfile", "systemd knows the process that it started without a pidfile")
    yield from _hook(sheet, "before_start")
    yield f"ExecStart={_program(sheet)}"
    yield from _readiness(sheet)
    yield from _hook(sheet, "after_start")
    if service.reload_signal != "none":
        yield f"ExecReload=/bin/kill -{service.reload_signal} $MAINPID"
    yield from _hook(sheet, "before_stop")
    yield from _hook(sheet, "after_stop")
    yield from _stop(sheet)
    yield from restart(sheet)
    yield from watchdog(service)


def _type(sheet: Sheet) -> str:
    service = sheet.service
    if service.task:
        return "oneshot"
    if service.expect == "stop":
        sheet.lose("expect", "systemd does not wait for a process that stops itself")
    if not service.background or service.expect in ("fork", "daemon"):
        return "forking"
    return "notify" if service.readiness["kind"] == "notify" else "exec"


def _program(sheet: Sheet) -> str:
    if not sheet.service.script:
        sheet.needs("executable", sheet.service.executable, "there is no program to start")
    return systemd_command(sheet.service.argv)


def _hook(sheet: Sheet, field: str) -> "Iterable[str]":
    """Yield a hook, which root runs before or after a start or a stop.

    Only a failure of before_start ends the verb; "-" ignores the others.
    """
    words = ssd_options.hook(sheet.service, field)
    if words:
        prefix = "+" if field == "before_start" else "+-"
        yield f"{HOOKS[field]}={systemd_command(words, prefix)}"


def _readiness(sheet: Sheet) -> "Iterable[str]":
    """Yield the settings that make a start wait until the service is ready."""
    readiness = sheet.service.readiness
    words = ready_command(sheet.service)
    if words:
        yield f"ExecStartPost={systemd_command([ssd_options.SHELL, '-c', UNTIL, 'sh', *words])}"
    seconds = seconds_to_stay(sheet.service)
    if seconds:
        words = [ssd_options.SHELL, "-c", STAYS, "sh", str(seconds)]
        yield f"ExecStartPost={systemd_command(words)}"
        yield f"TimeoutStartSec={_time_limit(seconds + TIME_TO_START)}"
        return
    if "readiness" in sheet.declared:
        yield f"TimeoutStartSec={_time_limit(readiness['timeout'])}"


def _stop(sheet: Sheet) -> "Iterable[str]":
    """Yield the signals of a stop: the first to the main process, the last to all processes."""
    ending = Ending(sheet.service)
    yield f"KillMode={KILL_MODES[sheet.service.kill_mode]}"
    if ending.first is None:
        sheet.lose("stop_schedule", "it does not begin with a signal")
        return
    yield f"KillSignal={signal_name(ending.first)}"
    endless = ending.repeats and ending.last is None
    yield f"TimeoutStopSec={'infinity' if endless else _time_limit(ending.seconds)}"
    if ending.last is None:
        yield "SendSIGKILL=no"
    elif ending.last != KILL:
        yield f"FinalKillSignal={signal_name(ending.last)}"
    # systemd itself sends CONT after the first signal.
    if [each for each in ending.skipped if each != (0, signals.SIGCONT)]:
        sheet.lose("stop_schedule", "systemd sends no signal between the first and the last")
    elif ending.repeats:
        sheet.lose("stop_schedule", "systemd does not repeat it")


def _time_limit(seconds: float) -> str:
    """Return a time limit in seconds; 0 becomes 1ms, because 0 means no limit to systemd."""
    return f"{seconds}" if seconds else "1ms"
