"""The functions of a service script for OpenRC: what is run before and after."""

from ssd.service.generators import ssd_options as start_words
from ssd.service.generators.folders import folders
from ssd.service.generators.policies import Readiness, Respawn, oom_score
from ssd.service.generators.quoting import VARIABLE, shell_word, shell_words
from ssd.service.generators.sheet import Sheet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ssd.service.declaration import Service

IO_CLASSES = {"real-time": 1, "best-effort": 2, "idle": 3}  # ionice(1)
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


def functions(sheet: Sheet) -> "Iterable[str]":
    """Yield the functions that run before and after."""
    service = sheet.service
    for name, lines in (
        ("start_pre", [*_preparation(sheet), *_hook(service, "before_start")]),
        ("start_post", [*_ready(sheet), *_hook(service, "after_start")]),
        ("stop_pre", _hook(service, "before_stop")),
        ("stop_post", _hook(service, "after_stop")),
        ("openrcs_own", OPENRCS_OWN if not watched(service) else []),
        ("stop", STOP if not watched(service) else []),
        ("reload", _reload(service)),
    ):
        if lines:
            yield from ("", f"{name}() {{", *(f"    {each}" for each in lines), "}")


def watched(service: "Service") -> bool:
    """Tell whether supervise-daemon(8) is to bring it back; it watches only the foreground."""
    return Respawn(service).when != "never" and service.background and not service.task


def _preparation(sheet: Sheet) -> "Iterable[str]":
    """Yield what has to be there, or be so, before the start."""
    yield from _directories(sheet.service)
    yield from _surroundings(sheet)


def _directories(service: "Service") -> "Iterable[str]":
    for folder in folders(service):
        path = shell_word(folder.path)
        owner = f"{folder.user or 'root'}:{folder.group or ''}".rstrip(":")
        words = f"-d -m {folder.mode} -o {shell_word(owner)} {path}"
        yield f"[ -d {path} ] || checkpath {words} || return 1"


def _surroundings(sheet: Sheet) -> "Iterable[str]":
    """Yield what changes the shell itself, from which the service inherits it."""
    from ssd.service.surroundings import scheduling

    service = sheet.service
    for path in service.environment_files:
        yield f"set -a; . {shell_word(path)} || return 1; set +a"
    for name, value in service.environment.items():
        if VARIABLE.match(name):
            yield f"export {name}={shell_word(value)}"
        else:
            sheet.lose("environment", f"a shell has no variable with the name {name!r}")
    limits = start_words.limits(service)
    if limits:
        yield f"{shell_words(limits)} --pid $$ || return 1"
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
    words = start_words.hook(service, field)
    failing = "return 1" if field == "before_start" else f'ewarn "$RC_SVCNAME: {field} failed"'
    return [f"{shell_words(words)} || {failing}"] if words else []


def _ready(sheet: Sheet) -> "Iterable[str]":
    """Yield what waits until the service works."""
    readiness = Readiness(sheet.service)
    words = readiness.waits_for(sheet.service)
    if readiness.kind == "notify":
        sheet.lose("readiness", "OpenRC waits for no notification")
    if words:
        yield f"local left={readiness.whole_timeout}"
        yield f"until {shell_words(words)}; do"
        yield "    [ $left -gt 0 ] || return 1"
        yield "    left=$((left - 1)); sleep 1"
        yield "done"


def _reload(service: "Service") -> list[str]:
    if service.reload_signal == "none":
        return []
    signal = f"--signal {shell_word(service.reload_signal)}"
    known = '--exec "$command"' if service.pidfile == "none" else '--pidfile "$pidfile"'
    if watched(service):
        call = [f'supervise-daemon "$RC_SVCNAME" {signal} {known}']
    else:
        call = [
            "local stop=--stop",
            "! openrcs_own || stop=",
            f"start-stop-daemon $stop {signal} {known}",
        ]
    return ['ebegin "Reloading $RC_SVCNAME"', *call, "eend $?"]
