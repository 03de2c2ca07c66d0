"""An init script for System V's init, in POSIX shell, on ssd or start-stop-daemon."""

from math import ceil

from ssd.service.generators import ssd_options
from ssd.service.generators.quoting import VARIABLE, has_controls, line
from ssd.service.generators.sheet import Sheet, directories, modern, oom_score, ready_command
from ssd.service.words import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

KIND = "sysv"
PATH = "/etc/init.d/{name}"
MODE = 0o755

LOST = {
    "respawn": "init starts it once, and nobody watches it",
    "start_on": "scripts are ordered by their headers",
    "stop_on": "scripts are ordered by their headers",
    "emits": "there are no events",
    "export": "there are no events",
    "expect": "the verb start returns when the program has been started",
    "instance": "a script is one service",
    "console": "its output goes to its log, or nowhere",
    "cgroups": "init knows no control groups",
    "pass_environment": "it gets what init or service(8) leave of the environment",
    "apparmor_load": "init knows no profiles",
    "apparmor_profile": "init knows no profiles; one for the program's path applies by itself",
    "debug": "there is no such mark",
}

# Header, field, and what stands there if nothing is declared; LSB's keywords and their order.
HEADER = (
    ("Provides", "provides", None),
    ("Required-Start", "required_start", ()),
    ("Required-Stop", "required_stop", ()),
    ("Should-Start", "should_start", None),
    ("Should-Stop", "should_stop", None),
    ("Default-Start", "default_start", ("2", "3", "4", "5")),
    ("Default-Stop", "default_stop", ("0", "1", "6")),
)

# What becomes of these hooks, the verb goes on.
LENIENT = '{0} || echo "$NAME: {1} failed" >&2'


def generate(service: "Service") -> Sheet:
    """Write the script. Raises Inexpressible."""
    sheet = Sheet(service, KIND, LOST)
    if not service.script:
        sheet.needs("executable", service.executable, "there is no program to start")
    header = list(_header(sheet))
    if service.output and not (service.background and not service.task):
        sheet.lose("output", "start-stop-daemon redirects only what it sends to the background")
    signal = service.reload_signal
    body = BODY.format(
        names="\n".join(_names(service)),
        functions="\n".join(_functions(sheet)),
        stop=join(ssd_options.stopping(service)),
        before_stop=_step(service, "before_stop", "if matched --status; then " + LENIENT + "; fi"),
        after_stop=_step(service, "after_stop", LENIENT),
        do_reload="" if signal == "none" else RELOAD.format(signal=quote(signal)),
        reload=NO_RELOAD if signal == "none" else WITH_RELOAD,
        reload_word="" if signal == "none" else "reload|",
    )
    sheet.add("#!/bin/sh", *header, *sheet.head(), *_documentation(service), "", body.rstrip())
    return sheet


def _header(sheet: Sheet) -> "Iterable[str]":
    """Yield LSB's header, which insserv and systemd read."""
    service = sheet.service
    yield "### BEGIN INIT INFO"
    for keyword, field, default in HEADER:
        words = _header_words(sheet, field) or default
        if field == "provides" and not words:
            words = ["-".join(service.name.split())]
        if service.manual and field == "default_start":
            words = ()
        if words is not None:
            yield f"# {keyword + ':':<18} {' '.join(words)}".rstrip()
    short = service.short_description or service.description or service.name
    yield f"# Short-Description: {line(short)}"
    if service.description and service.description != short:
        yield f"# Description:       {line(service.description)}"
    yield "### END INIT INFO"
    # For systemd-sysv-generator(8), which takes a service for running for ever without it. A
    # task is waited for, and has no process then.
    path = modern(service.pidfile)
    if path != "none" and not service.task and not has_controls(path) and path == path.strip():
        yield f"# pidfile: {path}"


def _header_words(sheet: Sheet, field: str) -> list[str]:
    """Return the words of a header that can stand there."""
    good = []
    for word in getattr(sheet.service, field):
        if not word or has_controls(word) or " " in word:
            sheet.lose(field, f"{word!r} is not a word of a header")
        else:
            good.append(word)
    return good


def _documentation(service: "Service") -> "Iterable[str]":
    return (f"# Documentation: {line(each)}" for each in service.documentation)


def _names(service: "Service") -> "Iterable[str]":
    """Yield the assignments at the beginning."""
    yield f"NAME={quote(service.name)}"
    yield f"DESC={quote(line(service.description or service.name))}"
    daemon = ssd_options.SHELL if service.script else service.program or ""
    yield f"DAEMON={quote(daemon)}"


def _functions(sheet: Sheet) -> "Iterable[str]":
    """Yield the functions that differ from service to service."""
    service = sheet.service
    made = list(directories(service))
    if made:
        yield MAKE_DIRECTORY
    if ready_command(service):
        yield WAIT_UNTIL
    match = join(ssd_options.matching(service))
    yield f'matched() {{\n    "$START_STOP_DAEMON" {match} "$@"\n}}\n'
    lines = ""
    for directory in made:
        words = [directory.path, directory.mode, directory.owner or "root:"]
        lines += f"    make_directory {join(words)} || return 1\n"
    lines += _step(service, "before_start", "{} || return 1")
    yield f"prepare() {{\n{lines}    return 0\n}}\n"
    yield from _launch(sheet)
    lines = _ready(service) + _step(service, "after_start", LENIENT)
    yield f"finish() {{\n{lines}    return 0\n}}\n"


def _launch(sheet: Sheet) -> "Iterable[str]":
    """Yield the function that starts the program, in a subshell with its surroundings."""
    service = sheet.service
    yield "launch() ("
    for path in service.environment_files:
        yield "    set -a"
        yield "    # shellcheck source=/dev/null"
        yield f"    . {quote(path)} || exit 2"
        yield "    set +a"
    for name, value in service.environment.items():
        if VARIABLE.match(name):
            yield f"    export {name}={quote(value)}"
        else:
            sheet.lose("environment", f"a shell has no variable with the name {name!r}")
    score = oom_score(service)
    if score is not None:
        yield f"    echo {score} > /proc/self/oom_score_adj || exit 2"
    program = service.argv
    words = ["--start", "--quiet", *ssd_options.matching(service, start=True)]
    words += [*ssd_options.starting(service), "--startas", program[0]]
    tool = " ".join([join(ssd_options.limits(service)), '"$START_STOP_DAEMON"']).strip()
    yield f"    exec {tool} \\"
    yield f"        {join(words)} \\"
    yield f"        -- {join(program[1:])}".rstrip()
    yield ")\n"


def _ready(service: "Service") -> str:
    """Return the line that waits until the service works."""
    readiness = service.readiness
    words = ready_command(service)
    if not words:
        return ""
    return f"    wait_until {ceil(readiness['timeout'])} {join(words)} || return 1\n"


def _step(service: "Service", field: str, line: str) -> str:
    """Return the line that runs a hook by a shell of its own; nothing for no hook."""
    words = ssd_options.hook(service, field)
    return f"    {line.format(join(words), field)}\n" if words else ""


# Only where there are directories to make.
MAKE_DIRECTORY = """\
# Make the directory $1 with mode $2 and owner $3, unless it is there.
make_directory() {
    [ -d "$1" ] || { install -d -m "$2" "$1" && chown -h "$3" "$1"; }
}
"""

# Only where readiness is to be waited for.
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

# Only where there is a signal for it. LSB: 7 is not running.
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

# LSB: a service that cannot reload does not have that verb, and force-reload restarts it.
WITH_RELOAD = "reload | force-reload) verb_reload ;;"
NO_RELOAD = "force-reload) verb_restart ;;"

# Braces are doubled: it is a template for str.format. Exit statuses are LSB's.
BODY = """\
# shellcheck disable=SC1003,SC2016 # what stands in single quotes is meant as it is
# At boot PATH may be short; what the caller put first stays first.
PATH=${{PATH:+$PATH:}}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
{names}
: "${{START_STOP_DAEMON:=$(command -v ssd || command -v start-stop-daemon)}}"

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
# Return 0: started, 1: it was running already, 2: it could not be started.
do_start() {{
    if matched --status; then return 1; fi
    prepare || return 2
    launch
    case $? in
    0) finish || return 2 ;;
    1) return 1 ;;
    *) return 2 ;;
    esac
}}

# Return 0: stopped, 1: it was not running, 2: it still runs.
do_stop() {{
{before_stop}    matched --stop --quiet {stop}
    case $? in
    0) ;;
    # Also if it may not be signalled.
    1) if matched --status; then return 2; else return 1; fi ;;
    *) return 2 ;;
    esac
{after_stop}}}

# Here it is a failure too if it runs already: the old one is still there.
do_restart() {{
    do_stop
    if [ $? -gt 1 ] || ! do_start; then return 2; fi
}}

# Policy 9.3.2: a script that outlives its package does nothing, and succeeds.
unless_removed() {{
    [ -x "$DAEMON" ] || exit 0
}}

# Print "$1 DESC: NAME", run the rest, and print how it went; 1 is that nothing was to do.
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
    *) echo "It cannot be told whether $NAME is running." ;;
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
    1 | 3) ;; # it is not running
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
