"""An init script for System V's init, in POSIX shell, on ssd or start-stop-daemon."""

from math import ceil

from ssd.service.generators import ssd_options
from ssd.service.generators.quoting import VARIABLE, has_controls, line
from ssd.service.generators.sheet import (
    Sheet,
    directories,
    modern,
    oom_score,
    ready_command,
    seconds_to_stay,
)
from ssd.service.words import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

KIND = "sysv"
PATH = "/etc/init.d/{name}"
MODE = 0o755

LOST = {
    "respawn": "init starts it once and does not supervise it",
    "health": "init starts it once and does not supervise it",
    "watchdog": "init starts it once and does not supervise it",
    "on_required_failure": "init starts it once and does not supervise it",
    "start_on": "the header orders scripts",
    "stop_on": "the header orders scripts",
    "emits": "init has no events",
    "export": "init has no events",
    "instance": "a script is one service",
    "console": "the output goes to its log, or nowhere",
    "cgroups": "init does not use control groups",
    "pass_environment": "it gets the environment that init or service(8) leave",
    "clear_environment": "it gets the environment that init or service(8) leave",
    "apparmor_load": "init loads no profiles",
    "apparmor_profile": "init sets no profile; one for the path of the program applies by itself",
    "debug": "init has no such mark",
}

# LSB's keywords in their order, the fields, and the value if nothing is declared.
HEADER: "tuple[tuple[str, tuple[str, ...], tuple[str, ...] | None], ...]" = (
    ("Provides", ("provides",), None),
    ("Required-Start", ("required_start", "requires"), ()),
    ("Required-Stop", ("required_stop", "requires"), ()),
    ("Should-Start", ("should_start", "after"), None),
    ("Should-Stop", ("should_stop", "after"), None),
    ("Default-Start", ("default_start",), ("2", "3", "4", "5")),
    ("Default-Stop", ("default_stop",), ("0", "1", "6")),
)

# If one of these hooks fails, the verb continues.
LENIENT = '{0} || echo "$NAME: {1} failed" >&2'


def generate(service: "Service") -> Sheet:
    """Write the script. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    if service.expect != "none" and service.background:
        sheet.lose("expect", "the verb start returns as soon as the program is started")
    if not service.script:
        sheet.needs("executable", service.executable, "there is no program to start")
    header = list(_header(sheet))
    ssd_options.lose_outputs(sheet)
    if service.kill_mode in ("group", "tree", "cgroup"):
        sheet.lose("kill_mode", "a stop signals the main process alone")
    signal = service.reload_signal
    body = BODY.format(
        names="\n".join(_names(service)),
        functions="\n".join(_functions(sheet)),
        stop=join(ssd_options.stopping(service)),
        tool=ssd_options.tool(*ssd_options.matching(service), *_starting(service)[1]),
        before_stop=_step(service, "before_stop", "if matched --status; then " + LENIENT + "; fi"),
        after_stop=_step(service, "after_stop", LENIENT),
        do_reload="" if signal == "none" else RELOAD.format(signal=quote(signal)),
        reload=NO_RELOAD if signal == "none" else WITH_RELOAD,
        reload_word="" if signal == "none" else "reload|",
    )
    sheet.add("#!/bin/sh", *header, *sheet.head(), *_documentation(service), "", body.rstrip())
    return sheet


def _header(sheet: Sheet) -> "Iterable[str]":
    """Yield the LSB header, which insserv and systemd read."""
    service = sheet.service
    yield "### BEGIN INIT INFO"
    for keyword, fields, default in HEADER:
        found = [word for field in fields for word in _header_words(sheet, field)]
        words: Iterable[str] | None = list(dict.fromkeys(found)) or default
        if keyword == "Provides" and not words:
            words = ["-".join(service.name.split())]
        if service.manual and keyword == "Default-Start":
            words = ()
        if words is not None:
            yield f"# {keyword + ':':<18} {' '.join(words)}".rstrip()
    short = service.short_description or service.description or service.name
    yield f"# Short-Description: {line(short)}"
    if service.description and service.description != short:
        yield f"# Description:       {line(service.description)}"
    yield "### END INIT INFO"
    # Without this line systemd-sysv-generator(8) assumes that the service runs until it is
    # stopped. A task has no process after its start.
    path = modern(service.pidfile)
    if path != "none" and not service.task and not has_controls(path) and path == path.strip():
        yield f"# pidfile: {path}"


def _header_words(sheet: Sheet, field: str) -> list[str]:
    """Return the valid words of a header line."""
    good = []
    for word in getattr(sheet.service, field):
        if not word or has_controls(word) or " " in word:
            sheet.lose(field, f"{word!r} cannot be a word of a header")
        else:
            good.append(word)
    return good


def _documentation(service: "Service") -> "Iterable[str]":
    return (f"# Documentation: {line(each)}" for each in service.documentation)


def _names(service: "Service") -> "Iterable[str]":
    """Yield the assignments at the top."""
    yield f"NAME={quote(service.name)}"
    yield f"DESC={quote(line(service.description or service.name))}"
    daemon = ssd_options.SHELL if service.script else service.program or ""
    yield f"DAEMON={quote(daemon)}"


def _functions(sheet: Sheet) -> "Iterable[str]":
    """Yield the functions that depend on the service."""
    service = sheet.service
    made = list(directories(service))
    if made:
        yield MAKE_DIRECTORY
    if ready_command(service):
        yield WAIT_UNTIL
    if seconds_to_stay(service):
        yield STAYS
    match = join(ssd_options.matching(service))
    yield f'matched() {{\n    "$START_STOP_DAEMON" {match} "$@"\n}}\n'
    lines = ""
    for directory in made:
        words = [directory.path, directory.mode, directory.owner or "root:"]
        lines += f"    make_directory {join(words)} || return 1\n"
    lines += _step(service, "before_start", "{} || return 1")
    yield f"prepare() {{\n{lines}    return 0\n}}\n"
    yield from _run_program(sheet)
    lines = _ready(service) + _step(service, "after_start", LENIENT)
    yield f"finish() {{\n{lines}    return 0\n}}\n"


def _run_program(sheet: Sheet) -> "Iterable[str]":
    """Yield the function that starts the program, in a subshell with its own environment."""
    service = sheet.service
    yield "run_program() ("
    yield from (f"    {each}" for each in ssd_options.login(service, "exit 2"))
    ssd_options.lose_home(sheet)
    for path in service.environment_files:
        yield "    set -a"
        yield "    # shellcheck source=/dev/null"
        yield f"    . {quote(path)} || exit 2"
        yield "    set +a"
    for name, value in service.environment.items():
        if VARIABLE.match(name):
            yield f"    export {name}={quote(value)}"
        else:
            sheet.lose("environment", f"a shell accepts no variable named {name!r}")
    score = oom_score(service)
    if score is not None:
        yield f"    echo {score} > /proc/self/oom_score_adj || exit 2"
    program = service.argv
    before, words = _starting(service)
    words += ["--startas", program[0]]
    tool = " ".join([join(before), '"$START_STOP_DAEMON"']).strip()
    yield f"    exec {tool} \\"
    yield f"        {join(words)} \\"
    yield f"        -- {join(program[1:])}".rstrip()
    yield ")\n"


def _starting(service: "Service") -> tuple[list[str], list[str]]:
    """Return the command before the tool that starts the program, and the tool's options."""
    words = ["--start", "--quiet", *ssd_options.matching(service, start=True)]
    words += ssd_options.starting(service)
    before, options = ssd_options.bounds(service, words)
    return before, words + options


def _ready(service: "Service") -> str:
    """Return the line that waits until the service is ready."""
    readiness = service.readiness
    words = ready_command(service)
    seconds = seconds_to_stay(service)
    if seconds:
        return f"    stays {seconds} || return 1\n"
    if not words:
        return ""
    return f"    wait_until {ceil(readiness['timeout'])} {join(words)} || return 1\n"


def _step(service: "Service", field: str, line: str) -> str:
    """Return the line that runs a hook in a shell of its own; empty without the hook."""
    words = ssd_options.hook(service, field)
    return f"    {line.format(join(words), field)}\n" if words else ""


# Only with directories to create.
MAKE_DIRECTORY = """\
# Create the directory $1 with mode $2 and owner $3, unless it exists.
make_directory() {
    # shellcheck disable=SC2174 # the mode is only for the last one
    [ -d "$1" ] || { (umask 022 && mkdir -p -m "$2" "$1") && chown -h "$3" "$1"; }
}
"""

# Only with a readiness to wait for.
WAIT_UNTIL = """\
# Run a command once a second until it succeeds; fail after $1 seconds.
wait_until() {
    left=$1
    shift
    until "$@"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 1
    done
}
"""

# Only with a service that must stay.
STAYS = """\
# Check once a second, $1 times, that it runs.
stays() {
    left=$1
    while [ "$left" -gt 0 ]; do
        sleep 1
        matched --status || return 1
        left=$((left - 1))
    done
}
"""

# Only with a reload signal. LSB: 7 means not running.
RELOAD = """\
do_reload() {{
    matched --stop --quiet --signal {signal} || return 2
}}

verb_reload() {{
    matched --status
    case $? in
    0) ;;
    1 | 3) exit 7 ;;
    *) exit 1 ;;
    esac
    report Reloading do_reload
}}

"""

# LSB: a service that cannot reload lacks that verb, and force-reload restarts it.
WITH_RELOAD = "reload | force-reload) verb_reload ;;"
NO_RELOAD = "force-reload) verb_restart ;;"

# What all scripts have. Braces are doubled for str.format. Exit statuses are LSB's.
BODY = """\
# shellcheck disable=SC1003,SC2016 # single quotes are meant literally
# PATH may be short at boot; the caller's directories stay first.
PATH=${{PATH:+$PATH:}}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
{names}
: "${{START_STOP_DAEMON:={tool}}}"

if [ -r /lib/lsb/init-functions ]; then
    # shellcheck source=/dev/null
    . /lib/lsb/init-functions
else
    log_daemon_msg() {{ printf '%s: %s' "$1" "$2"; }}
    log_end_msg() {{
        if [ "$1" -eq 0 ]; then echo .; else echo ' failed!'; fi
        return "$1"
    }}
fi

{functions}
# Return 0: started, 1: already running, 2: could not start.
do_start() {{
    if matched --status; then return 1; fi
    prepare || return 2
    run_program
    case $? in
    0) finish || return 2 ;;
    1) return 1 ;;
    *) return 2 ;;
    esac
}}

# Return 0: stopped, 1: not running, 2: still running.
do_stop() {{
{before_stop}    matched --stop --quiet {stop}
    case $? in
    0) ;;
    # 1 also means: no permission to signal it.
    1) if matched --status; then return 2; else return 1; fi ;;
    *) return 2 ;;
    esac
{after_stop}}}

# A service that is already running is a failure here: the old process is still alive.
do_restart() {{
    do_stop
    if [ $? -gt 1 ] || ! do_start; then return 2; fi
}}

# Debian Policy 9.3.2: the script of a removed package does nothing and succeeds.
unless_removed() {{
    [ -x "$DAEMON" ] || exit 0
}}

# Print "$1 DESC: NAME", run the other words, and print the result; 1 means nothing to do.
report() {{
    log_daemon_msg "$1 $DESC" "$NAME"
    shift
    "$@"
    case $? in
    0 | 1) log_end_msg 0 ;;
    *) log_end_msg 1 ;;
    esac
}}

verb_restart() {{
    unless_removed
    report Restarting do_restart
}}

{do_reload}verb_status() {{
    matched --status
    status=$?
    case $status in
    0) echo "$NAME is running." ;;
    1) echo "$NAME is not running, but its pidfile exists." ;;
    3) echo "$NAME is not running." ;;
    *) echo "$NAME is in an unknown state." ;;
    esac
    return $status
}}

case "$1" in
start)
    unless_removed
    report Starting do_start
    ;;
stop) report Stopping do_stop ;;
restart) verb_restart ;;
{reload}
try-restart)
    matched --status
    case $? in
    0) verb_restart ;;
    1 | 3) ;; # not running
    *) exit 1 ;;
    esac
    ;;
status) verb_status ;;
*)
    echo "Usage: $0 {{start|stop|restart|{reload_word}force-reload|try-restart|status}}" >&2
    exit 3
    ;;
esac
"""
