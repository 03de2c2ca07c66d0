"""A service script for OpenRC: openrc-run(8), and its service script guide.

openrc-run puts the variables together to a command line, takes that apart at blanks, and has the
shell read it once more. So what is no plain word stands in a variable of its own, which that last
reading puts in. A stop does not read it once more: what it uses has to be plain.
"""

import re
from math import ceil

from ssd.schedule import SEND, Schedule
from ssd.service.generators import ssd_options
from ssd.service.generators.facilities import services
from ssd.service.generators.quoting import VARIABLE, line
from ssd.service.generators.sheet import (
    Inexpressible,
    Sheet,
    directories,
    oom_score,
    ready_command,
)
from ssd.service.words import join, quote
from ssd.signals import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

KIND = "openrc"
PATH = "/etc/init.d/{name}"
MODE = 0o755

LOST = {
    "match_executable": "OpenRC matches the program in any case",
    "default_start": "rc-update(8) puts it into runlevels",
    "default_stop": "rc-update(8) puts it into runlevels",
    "manual": "rc-update(8) puts it into runlevels",
    "short_description": "there is one description",
    "start_on": "services are ordered by depend",
    "stop_on": "services are ordered by depend",
    "emits": "there are no events",
    "export": "there are no events",
    "expect": "a start returns when the program has been started",
    "instance": "an instance is a link to the script with another name",
    "console": "its output goes to its log, or nowhere",
    "cgroups": "control groups have settings of their own, rc_cgroup_settings",
    "pass_environment": "rc_env_allow in rc.conf says what services get",
    "apparmor_load": "OpenRC knows no profiles",
    "apparmor_profile": "OpenRC knows no profiles; one for the program's path applies by itself",
    "debug": "there is no such mark",
}
# What a stop passes on without quotes, and what depend can name.
PLAIN = re.compile(r"[A-Za-z0-9_./@%+:,-]+\Z", re.ASCII)
# OpenRC's start-stop-daemon takes what does not run for stopped, fails with --oknodo where nothing
# runs, and removes the pidfile at a --stop that only signals. Debian 12's OpenRC has dpkg's.
OPENRCS_OWN = [
    "# OpenRC's start-stop-daemon, or dpkg's, as on Debian 12?",
    "case $(start-stop-daemon --version 2> /dev/null) in *OpenRC*) ;; *) return 1 ;; esac",
]
STOP = [
    "# What does not run any more is stopped. The schedule is passed on as words.",
    'openrcs_own || retry="$retry --oknodo"',
    "default_stop",
]
POLICIES = {"other": "--other", "fifo": "--fifo", "rr": "--rr"}  # chrt(1)


def generate(service: "Service") -> Sheet:
    """Write the script. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    assignments = list(_assignments(sheet))
    functions = [*_depend(sheet), *_functions(sheet)]
    sheet.add("#!/sbin/openrc-run", *sheet.head())
    sheet.add(*(f"# Documentation: {line(each)}" for each in service.documentation))
    sheet.add("", *assignments, *functions)
    return sheet


def _assignments(sheet: Sheet) -> "Iterable[str]":
    """Yield the variables that openrc-run(8) reads."""
    service = sheet.service
    for name, value in _variables(sheet):
        if not isinstance(value, list):
            if value:
                yield f"{name}={quote(value)}"
            continue
        words = []
        for number, word in enumerate(value, 1):
            if PLAIN.match(word):
                words.append(word)
            else:
                yield f"{name}_{number}={quote(word)}"
                words.append(f'"${name}_{number}"')
        if words:
            yield f"{name}={quote(' '.join(words))}"
    if service.reload_signal != "none":
        yield "extra_started_commands=reload"


def _variables(sheet: Sheet) -> "Iterable[tuple[str, str | list[str]]]":
    """Yield names and values; a list has the words that the shell reads once more."""
    service = sheet.service
    if not service.script:
        sheet.needs("executable", service.executable, "there is no program to start")
    program, *arguments = service.argv
    yield "name", service.name
    yield "description", line(service.description)
    yield "command", _plain("executable", program)
    yield "command_args", arguments
    supervised = _supervised(sheet)
    if supervised:
        yield from _supervision(sheet)
    elif service.background and not service.task:
        if service.pidfile == "none":
            raise Inexpressible("pidfile", "OpenRC sends nothing to the background without one")
        yield "command_background", "yes"
    if service.pidfile != "none":
        yield "pidfile", _plain("pidfile", service.pidfile)
    if service.process_name:
        yield "procname", _plain("process_name", service.process_name)
    if service.user:
        both = f"{service.user}:{service.group}" if service.group else service.user
        yield "command_user", [both]
    if service.root:
        yield "chroot", _plain("root", service.root)
    if service.working_directory != "/":
        yield "directory", [service.working_directory]
    if service.output:
        yield "output_log", [service.output]
        yield "error_log", [service.output]
    yield "umask", service.umask
    yield "retry", _schedule(service)
    words = ["--group", service.group] if service.group and not service.user else []
    words += ["--nicelevel", str(service.nice)] if service.nice else []
    yield "start_stop_daemon_args", words


def _schedule(service: "Service") -> str:
    """Return the stop schedule in the words of OpenRC's start-stop-daemon.

    To that a time alone sends no KILL, and a wait of 0 seconds ends the schedule, with
    success: what comes after it follows at once without it, too.
    """
    schedule = Schedule.parse(service.stop_schedule)
    words = []
    last = len(schedule.steps) - 1
    for number, (kind, value) in enumerate(schedule.steps):
        repeated = schedule.repeat is not None and number >= schedule.repeat
        if number == schedule.repeat:
            words.append("forever")
        if kind == SEND:
            name = signal_name(value)
            words.append(f"-{name}" if name.isdigit() else name.removeprefix("SIG"))
        elif value or number == last and not repeated:
            words.append(str(value))
        elif repeated and schedule.spins:
            words.append("1")  # not without a breath
    return "/".join(words)


def _plain(field: str, value: str) -> str:
    """Return a value that needs no quotes. Raises Inexpressible."""
    if not PLAIN.match(value):
        raise Inexpressible(field, f"OpenRC's stop would take {value!r} apart")
    return value


def _supervised(sheet: Sheet) -> bool:
    """Tell whether supervise-daemon(8) is to bring it back."""
    service = sheet.service
    watched = _watched(service)
    if not watched and service.respawn["when"] != "never":
        sheet.lose("respawn", "OpenRC watches only what stays in the foreground")
    return watched


def _supervision(sheet: Sheet) -> "Iterable[tuple[str, str]]":
    respawn = sheet.service.respawn
    yield "supervisor", "supervise-daemon"
    yield "respawn_delay", str(max(1, ceil(respawn["delay"])))  # it takes 0 for a mistake
    yield "respawn_max", str(respawn["limit"])
    yield "respawn_period", str(max(1, ceil(respawn["interval"])))
    if respawn["when"] == "failure" or respawn["normal_exit"]:
        sheet.lose("respawn", "OpenRC brings it back whatever its exit status is")


def _depend(sheet: Sheet) -> "Iterable[str]":
    """Yield the function that says what it needs."""
    service = sheet.service
    others = [name for name in service.provides if name != service.name and name[:1] != "$"]
    later = [*service.required_stop, *service.should_stop]
    known = [*service.required_start, *service.should_start]
    lines = []
    for word, field, names in (
        ("need", "required_start", services(service.required_start)),
        ("use", "should_start", services(service.should_start)),
        ("after", "required_stop", services([name for name in later if name not in known])),
        ("provide", "provides", others),
    ):
        good = [name for name in names if PLAIN.match(name) or name == "*"]
        for name in names:
            if name not in good:
                sheet.lose(field, f"{name!r} can be no name of a service")
        if good:
            lines.append(f"    {word} {join(good)}")
    if lines:
        yield from ("", "depend() {", *lines, "}")


def _functions(sheet: Sheet) -> "Iterable[str]":
    """Yield the functions that run before and after."""
    service = sheet.service
    for name, lines in (
        ("start_pre", [*_preparation(sheet), *_hook(service, "before_start")]),
        ("start_post", [*_ready(sheet), *_hook(service, "after_start")]),
        ("stop_pre", _hook(service, "before_stop")),
        ("stop_post", _hook(service, "after_stop")),
        ("openrcs_own", OPENRCS_OWN if not _watched(service) else []),
        ("stop", STOP if not _watched(service) else []),
        ("reload", _reload(service)),
    ):
        if lines:
            yield from ("", f"{name}() {{", *(f"    {each}" for each in lines), "}")


def _watched(service: "Service") -> bool:
    """Tell whether supervise-daemon(8) is to bring it back; it watches only the foreground."""
    return service.respawn["when"] != "never" and service.background and not service.task


def _preparation(sheet: Sheet) -> "Iterable[str]":
    """Yield what has to be there, or be so, before the start."""
    yield from _directories(sheet.service)
    yield from _surroundings(sheet)


def _directories(service: "Service") -> "Iterable[str]":
    for directory in directories(service):
        path = quote(directory.path)
        owner = f"{directory.user or 'root'}:{directory.group or ''}".rstrip(":")
        words = f"-d -m {directory.mode} -o {quote(owner)} {path}"
        yield f"[ -d {path} ] || checkpath {words} || return 1"


def _surroundings(sheet: Sheet) -> "Iterable[str]":
    """Yield what changes the shell itself, from which the service inherits it."""
    from ssd.service.declaration import scheduling
    from ssd.starting.command import IO_CLASSES  # ionice(1) has the same numbers

    service = sheet.service
    for path in service.environment_files:
        yield f"set -a; . {quote(path)} || return 1; set +a"
    for name, value in service.environment.items():
        if VARIABLE.match(name):
            yield f"export {name}={quote(value)}"
        else:
            sheet.lose("environment", f"a shell has no variable with the name {name!r}")
    limits = ssd_options.limits(service)
    if limits:
        yield f"{join(limits)} --pid $$ || return 1"
    if service.cpu_scheduling:
        policy, priority = scheduling(service.cpu_scheduling, 0)
        yield f"chrt {POLICIES[policy]} --pid {priority} $$ || return 1"
    if service.io_scheduling:
        name, priority = scheduling(service.io_scheduling, 4)
        level = "" if name == "idle" else f" --classdata {priority}"
        yield f"ionice --class {IO_CLASSES[name]}{level} --pid $$ || return 1"
    score = oom_score(service)
    if score is not None:
        yield f"echo {score} > /proc/$$/oom_score_adj || return 1"


def _hook(service: "Service", field: str) -> list[str]:
    """Return the line of a hook; whatever becomes of one after the start, the verb goes on."""
    words = ssd_options.hook(service, field)
    failing = "return 1" if field == "before_start" else f'ewarn "$RC_SVCNAME: {field} failed"'
    return [f"{join(words)} || {failing}"] if words else []


def _ready(sheet: Sheet) -> "Iterable[str]":
    """Yield what waits until the service works."""
    readiness = sheet.service.readiness
    words = ready_command(sheet.service)
    if readiness["kind"] == "notify":
        sheet.lose("readiness", "OpenRC waits for no notification")
    if words:
        yield f"local left={ceil(readiness['timeout'])}"
        yield f"until {join(words)}; do"
        yield "    [ $left -gt 0 ] || return 1"
        yield "    left=$((left - 1)); sleep 1"
        yield "done"


def _reload(service: "Service") -> list[str]:
    if service.reload_signal == "none":
        return []
    signal = f"--signal {quote(service.reload_signal)}"
    known = '--exec "$command"' if service.pidfile == "none" else '--pidfile "$pidfile"'
    if _watched(service):
        call = [f'supervise-daemon "$RC_SVCNAME" {signal} {known}']
    else:
        call = [
            "local stop=--stop",
            "! openrcs_own || stop=",
            f"start-stop-daemon $stop {signal} {known}",
        ]
    return ['ebegin "Reloading $RC_SVCNAME"', *call, "eend $?"]
