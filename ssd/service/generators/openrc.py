"""A service script for OpenRC: openrc-run(8), and its service script guide.

openrc-run joins the variables into a command line, splits it at blanks, and has the shell evaluate
the result again. So a word that needs quotes gets a variable of its own, which that evaluation
expands. A stop does not evaluate again: the words that it uses must need no quotes.
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
    seconds_to_stay,
)
from ssd.service.words import join, quote
from ssd.signal_names import signal_name
from ssd.surroundings.capabilities import inheritance, securebits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

KIND = "openrc"
PATH = "/etc/init.d/{name}"
MODE = 0o755

LOST = {
    "match_executable": "OpenRC always matches the program",
    "match_interpreted": "OpenRC has --interpreted, but gives it to no stop",
    "same_namespace": "OpenRC's start-stop-daemon does not look at PID namespaces",
    "default_start": "rc-update(8) adds it to runlevels",
    "default_stop": "rc-update(8) adds it to runlevels",
    "manual": "rc-update(8) adds it to runlevels",
    "short_description": "OpenRC has one description",
    "start_on": "the function depend orders services",
    "stop_on": "the function depend orders services",
    "emits": "OpenRC has no events",
    "export": "OpenRC has no events",
    "instance": "an instance is a link to the script under another name",
    "console": "the output goes to its log, or nowhere",
    "cgroups": "control groups have another setting, rc_cgroup_settings",
    "pass_environment": "rc_env_allow in rc.conf selects the variables of services",
    "apparmor_load": "OpenRC loads no profiles",
    "apparmor_profile": "OpenRC sets no profile; one for the path of the program applies by itself",
    "clear_environment": "rc_env_allow in rc.conf selects the variables of services",
    "debug": "OpenRC has no such mark",
    "watchdog": "OpenRC does not wait for notifications",
    "on_required_failure": "OpenRC starts nothing whose need has failed",
}
# Words that a stop passes on without quotes, and names that depend accepts.
PLAIN = re.compile(r"[A-Za-z0-9_./@%+:,-]+\Z", re.ASCII)
# OpenRC's start-stop-daemon succeeds at a stop if nothing runs, but fails with --oknodo then; and a
# --stop that only signals removes the pidfile. OpenRC on Debian 12 uses dpkg's tool.
OPENRCS_OWN = [
    "# Is this OpenRC's start-stop-daemon, or dpkg's, as on Debian 12?",
    "case $(start-stop-daemon --version 2> /dev/null) in *OpenRC*) ;; *) return 1 ;; esac",
]
STOP = [
    "# A service that ended by itself counts as stopped. retry is split into words.",
    'openrcs_own || retry="$retry --oknodo"',
    "default_stop",
]
POLICIES = {"other": "--other", "fifo": "--fifo", "rr": "--rr"}  # chrt(1)


def generate(service: "Service") -> Sheet:
    """Write the script. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    if service.expect != "none" and service.background:
        sheet.lose("expect", "a start returns as soon as the program is started")
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
    """Yield names and values; a list holds words that the shell evaluates again."""
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
            raise Inexpressible("pidfile", "OpenRC needs one to send a service to the background")
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
    yield from _log(sheet)
    if service.kill_mode in ("tree", "cgroup"):
        yield "rc_cgroup_cleanup", "yes"
    elif service.kill_mode == "group":
        sheet.lose("kill_mode", "a stop signals the main process, or with tree all of the service")
    yield "umask", service.umask
    # OpenRC's own tool alone reads them; dpkg's would start the service without.
    if service.capabilities is not None:
        yield "capabilities", inheritance(service.capabilities).text()
    if service.securebits is not None:
        yield "secbits", str(securebits(service.securebits))
    if service.no_new_privs:
        yield "no_new_privs", "yes"
    yield "retry", _schedule(service)
    words = ["--group", service.group] if service.group and not service.user else []
    words += ["--nicelevel", str(service.nice)] if service.nice else []
    yield "start_stop_daemon_args", words


def _log(sheet: Sheet) -> "Iterable[tuple[str, list[str]]]":
    """Yield the files of the output; without one it goes nowhere."""
    service, log = sheet.service, sheet.service.log
    out, err = service.stdout or service.output, service.stderr or service.output
    declared = "log" in sheet.declared and not (out and err)
    if declared and log["kind"] == "file":
        sheet.lose("log", "OpenRC has no log of its own; logrotate(8) rotates files")
        out, err = out or log["path"], err or log["stderr_path"] or log["path"]
    for name, path in (("output_log", out), ("error_log", err)):
        if path:
            yield name, [path]
    if declared and log["kind"] != "file" and (log["syslog"] or log["forward"]):
        sheet.lose("log", "OpenRC passes the output to no other log")


def _schedule(service: "Service") -> str:
    """Return the stop schedule for OpenRC's start-stop-daemon.

    There a time alone sends no KILL, and a wait of 0 seconds ends the schedule with success.
    Such a wait is left out: the next step follows at once anyway.
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
            words.append("1")  # without a pause the loop would spin
    return "/".join(words)


def _plain(field: str, value: str) -> str:
    """Return a value that needs no quotes. Raises Inexpressible for any other."""
    if not PLAIN.match(value):
        raise Inexpressible(field, f"OpenRC would split {value!r} at a stop")
    return value


def _supervised(sheet: Sheet) -> bool:
    """Return whether supervise-daemon(8) restarts the service."""
    service = sheet.service
    watched = _watched(service)
    if not watched and service.respawn["when"] != "never":
        sheet.lose("respawn", "OpenRC supervises only programs that stay in the foreground")
    return watched


def _supervision(sheet: Sheet) -> "Iterable[tuple[str, str]]":
    respawn = sheet.service.respawn
    yield "supervisor", "supervise-daemon"
    yield "respawn_delay", str(max(1, ceil(respawn["delay"])))  # it rejects 0
    yield "respawn_max", str(respawn["limit"])
    yield "respawn_period", str(max(1, ceil(respawn["interval"])))
    if sheet.service.health["kind"] == "command":
        yield "healthcheck_timer", str(max(1, ceil(sheet.service.health["interval"])))
    if respawn["when"] == "failure" or respawn["normal_exit"]:
        sheet.lose("respawn", "OpenRC restarts it after any exit status")
    said = sheet.declared["respawn"]
    if isinstance(said, dict) and {"backoff", "delay_max", "reset"} & {*said}:
        sheet.lose("respawn", "the delay of OpenRC does not grow")


def _depend(sheet: Sheet) -> "Iterable[str]":
    """Yield the function that declares the dependencies."""
    service = sheet.service
    others = [name for name in service.provides if name != service.name and name[:1] != "$"]
    later = [*service.required_stop, *service.should_stop]
    known = [*service.required_start, *service.should_start]
    lines = []
    for word, field, names in (
        ("need", "required_start", services(service.required_start)),
        ("need", "requires", services(service.requires)),
        ("use", "should_start", services(service.should_start)),
        ("after", "after", services(service.after)),
        ("after", "required_stop", services([name for name in later if name not in known])),
        ("provide", "provides", others),
    ):
        good = [name for name in names if PLAIN.match(name) or name == "*"]
        for name in names:
            if name not in good:
                sheet.lose(field, f"{name!r} cannot be the name of a service")
        if good:
            lines.append(f"    {word} {join(good)}")
    if lines:
        yield from ("", "depend() {", *lines, "}")


def _functions(sheet: Sheet) -> "Iterable[str]":
    """Yield the functions that run before and after a start or a stop."""
    service = sheet.service
    for name, lines in (
        ("start_pre", [*_preparation(sheet), *_hook(service, "before_start")]),
        ("start_post", [*_ready(sheet), *_hook(service, "after_start")]),
        ("stop_pre", _hook(service, "before_stop")),
        ("stop_post", _hook(service, "after_stop")),
        ("openrcs_own", OPENRCS_OWN if not _watched(service) else []),
        ("stop", STOP if not _watched(service) else []),
        ("healthcheck", _health(sheet)),
        ("reload", _reload(service)),
    ):
        if lines:
            yield from ("", f"{name}() {{", *(f"    {each}" for each in lines), "}")


def _watched(service: "Service") -> bool:
    """Return whether supervise-daemon(8) can supervise it, which needs the foreground."""
    return service.respawn["when"] != "never" and service.background and not service.task


def _preparation(sheet: Sheet) -> "Iterable[str]":
    """Yield the preparations of a start."""
    yield from _directories(sheet.service)
    yield from _surroundings(sheet)


def _directories(service: "Service") -> "Iterable[str]":
    for directory in directories(service):
        path = quote(directory.path)
        owner = f"{directory.user or 'root'}:{directory.group or ''}".rstrip(":")
        words = f"-d -m {directory.mode} -o {quote(owner)} {path}"
        yield f"[ -d {path} ] || checkpath {words} || return 1"


def _surroundings(sheet: Sheet) -> "Iterable[str]":
    """Yield the changes of the shell's own state, which the service inherits."""
    from ssd.service.rare_commands import scheduling
    from ssd.starting.command import IO_CLASSES  # ionice(1) has the same numbers

    service = sheet.service
    yield from ssd_options.login(service, "return 1")
    ssd_options.lose_home(sheet)
    for path in service.environment_files:
        yield f"set -a; . {quote(path)} || return 1; set +a"
    for name, value in service.environment.items():
        if VARIABLE.match(name):
            yield f"export {name}={quote(value)}"
        else:
            sheet.lose("environment", f"a shell accepts no variable named {name!r}")
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
    """Return the line of a hook; only a failure of before_start ends the verb."""
    words = ssd_options.hook(service, field)
    failing = "return 1" if field == "before_start" else f'ewarn "$RC_SVCNAME: {field} failed"'
    return [f"{join(words)} || {failing}"] if words else []


def _ready(sheet: Sheet) -> "Iterable[str]":
    """Yield the lines that wait until the service is ready."""
    readiness = sheet.service.readiness
    words = ready_command(sheet.service)
    if readiness["kind"] == "notify":
        sheet.lose("readiness", "OpenRC does not wait for a notification")
    if words:
        yield f"local left={ceil(readiness['timeout'])}"
        yield f"until {join(words)}; do"
        yield "    [ $left -gt 0 ] || return 1"
        yield "    left=$((left - 1)); sleep 1"
        yield "done"
    yield from _stays(sheet)


def _stays(sheet: Sheet) -> "Iterable[str]":
    """Yield the lines that check for some seconds that the service runs.

    OpenRC's start-stop-daemon has --wait, in milliseconds; dpkg's, which Debian 12 uses, has not.
    """
    seconds = seconds_to_stay(sheet.service)
    if not seconds:
        return
    if _watched(sheet.service) or sheet.service.pidfile == "none":
        sheet.lose("readiness", "OpenRC cannot tell whether the program has ended meanwhile")
        return
    yield f"local left={seconds}"
    yield "while [ $left -gt 0 ]; do"
    yield "    left=$((left - 1)); sleep 1"
    yield '    kill -0 "$(cat "$pidfile")" 2> /dev/null || return 1'
    yield "done"


def _health(sheet: Sheet) -> list[str]:
    """Return the line of the check that supervise-daemon(8) makes; it restarts what fails."""
    health = sheet.service.health
    if health["kind"] == "none":
        return []
    if health["kind"] != "command" or not _watched(sheet.service):
        sheet.lose("health", "OpenRC checks by a command alone, and only what it respawns")
        return []
    if health["action"] == "mark" or health["retries"] != 1:
        sheet.lose("health", "OpenRC restarts it as soon as one check fails")
    return [join(health["command"])]


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
