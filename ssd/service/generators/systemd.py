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
    oom_score,
    ready_command,
)
from ssd.signals import raw as signals
from ssd.signals import signal_name

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

IO_CLASSES = {"real-time": "realtime", "best-effort": "best-effort", "idle": "idle"}
# Settings that make a directory of the service's user, and the directory they are relative to.
MANAGED = {
    "RuntimeDirectory": "/run/", "StateDirectory": "/var/lib/", "CacheDirectory": "/var/cache/",
    "LogsDirectory": "/var/log/", "ConfigurationDirectory": "/etc/",
}  # fmt: skip
LIMITS = {"ofile": "NOFILE"}  # an old name
# What is made by root before the start, and not touched if it is there.
MAKE = '[ -d "$1" ] || { install -d -m "$2" "$1" && chown -h "$3" "$1"; }'

SHELL = "/bin/sh"
HOOKS = {
    "before_start": "ExecStartPre", "after_start": "ExecStartPost",
    "before_stop": "ExecStop", "after_stop": "ExecStopPost",
}  # fmt: skip
UNTIL = 'until "$@"; do sleep 1; done'  # TimeoutStartSec= ends it


def generate(service: "Service") -> Sheet:
    """Write the unit. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    unit = ["[Unit]", *_description(service), *_documentation(sheet), *_order(service)]
    unit += _start_limit(service)
    # First the surroundings: the directories are there before anything is run.
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
    respawn = service.respawn
    if respawn["when"] == "never":
        return
    interval = respawn["interval"] if respawn["limit"] else 0
    yield f"StartLimitIntervalSec={interval}"
    if interval:
        yield f"StartLimitBurst={respawn['limit']}"


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


def _execution(sheet: Sheet) -> "Iterable[str]":
    """Yield the surroundings of its processes: systemd.exec(5)."""
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
        missing = any(f"{directory}/".startswith(f"{each.path}/") for each in made)
        missing = missing or service.root is not None
        yield f"WorkingDirectory={'-' if missing else ''}{systemd_value(directory)}"
    yield f"UMask={service.umask}"
    yield from managed
    for each in made:
        words = [each.path, each.mode, each.owner or "root:"]
        yield f"ExecStartPre={systemd_command(['/bin/sh', '-e', '-c', MAKE, 'sh', *words], '+')}"
    yield from _environment(sheet)
    yield from _resource_limits(sheet)
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


def _directories(service: "Service") -> "tuple[list[str], list[Directory]]":
    """Return systemd's own settings where they say the same, and the directories left over."""
    managed: dict[tuple[str, str], list[str]] = {}
    others = []
    for directory in directories(service):
        setting, name = _managed(directory.path)
        own = (directory.user, directory.group) == (service.user, service.group)
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
        elif has_controls(value.replace("\n", "").replace("\t", "")) or is_undecodable(value):
            sheet.lose("environment", f"systemd takes no control characters in {name}")
        else:
            yield f"Environment={systemd_word(f'{name}={value}', variables=False)}"


def _resource_limits(sheet: Sheet) -> "Iterable[str]":
    for name, limit in sheet.service.limits.items():
        value = str(limit).replace("unlimited", "infinity")
        yield f"Limit{LIMITS.get(name, name.upper())}={value}"


def _scheduling(sheet: Sheet) -> "Iterable[str]":
    """Yield niceness and schedulers, with the priorities that start-stop-daemon(8) gives."""
    from ssd.service.declaration import scheduling

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


def _process(sheet: Sheet) -> "Iterable[str]":
    """Yield what starts, stops, reloads and brings back: systemd.service(5).

    Raises Inexpressible.
    """
    service = sheet.service
    kind = _type(sheet)
    yield f"Type={kind}"
    if kind == "forking" and service.pidfile != "none":
        yield f"PIDFile={systemd_value(modern(service.pidfile))}"
    elif "pidfile" in sheet.declared:
        sheet.lose("pidfile", "systemd knows the process that it has started without one")
    yield from _hook(sheet, "before_start")
    yield f"ExecStart={_program(sheet)}"
    yield from _readiness(sheet)
    yield from _hook(sheet, "after_start")
    if service.reload_signal != "none":
        yield f"ExecReload=/bin/kill -{service.reload_signal} $MAINPID"
    yield from _hook(sheet, "before_stop")
    yield from _hook(sheet, "after_stop")
    yield from _stop(sheet)
    yield from _restart(sheet)


def _type(sheet: Sheet) -> str:
    service = sheet.service
    if service.task:
        return "oneshot"
    if service.expect == "stop":
        sheet.lose("expect", "systemd waits for no process that stops itself")
    if not service.background or service.expect in ("fork", "daemon"):
        return "forking"
    return "notify" if service.readiness["kind"] == "notify" else "exec"


def _program(sheet: Sheet) -> str:
    if not sheet.service.script:
        sheet.needs("executable", sheet.service.executable, "there is no program to start")
    return systemd_command(sheet.service.argv)


def _hook(sheet: Sheet, field: str) -> "Iterable[str]":
    """Yield what is run by root before or after a start or a stop.

    Whatever becomes of one after the start, the verb goes on ("-").
    """
    words = ssd_options.hook(sheet.service, field)
    if words:
        prefix = "+" if field == "before_start" else "+-"
        yield f"{HOOKS[field]}={systemd_command(words, prefix)}"


def _readiness(sheet: Sheet) -> "Iterable[str]":
    """Yield what makes a start wait until the service works."""
    readiness = sheet.service.readiness
    words = ready_command(sheet.service)
    if words:
        yield f"ExecStartPost={systemd_command([SHELL, '-c', UNTIL, 'sh', *words])}"
    if "readiness" in sheet.declared:
        yield f"TimeoutStartSec={_time_limit(readiness['timeout'])}"


def _stop(sheet: Sheet) -> "Iterable[str]":
    """Yield the signals of a stop. The main process gets the first, all of them the last."""
    ending = Ending(sheet.service)
    yield "KillMode=mixed"
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
    # It sends a CONT of its own after the first signal.
    if [each for each in ending.skipped if each != (0, signals.SIGCONT)]:
        sheet.lose("stop_schedule", "between the first signal and the last systemd sends no other")
    elif ending.repeats:
        sheet.lose("stop_schedule", "systemd does not repeat it")


def _time_limit(seconds: float) -> str:
    """Return a time that is a limit, also if it is none at all: for systemd 0 is for ever."""
    return f"{seconds}" if seconds else "1ms"


def _restart(sheet: Sheet) -> "Iterable[str]":
    """Yield when systemd brings it back."""
    respawn = sheet.service.respawn
    if respawn["when"] == "never":
        return
    always = respawn["when"] == "always"
    if always and sheet.service.task:
        sheet.lose("respawn", "systemd brings a task back only if it has failed")
        always = False
    yield f"Restart={'always' if always else 'on-failure'}"
    yield f"RestartSec={respawn['delay']}"
    normal = [
        str(each) if isinstance(each, int) else f"SIG{each}" for each in respawn["normal_exit"]
    ]
    if normal:
        words = " ".join(normal)
        yield f"SuccessExitStatus={words}"
        yield f"RestartPreventExitStatus={words}"
