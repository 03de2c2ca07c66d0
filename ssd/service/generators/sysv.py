"""An init script for System V's init, in POSIX shell, on ssd or start-stop-daemon."""

from ssd.service.generators import ssd_options as start_words
from ssd.service.generators import sysv_verbs
from ssd.service.generators.folders import folders, modern
from ssd.service.generators.policies import Readiness, oom_score
from ssd.service.generators.quoting import VARIABLE, has_controls, line, shell_word, shell_words
from ssd.service.generators.sheet import Sheet

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
    body = sysv_verbs.BODY.format(
        names="\n".join(_names(service)),
        functions="\n".join(_functions(sheet)),
        stop=shell_words(start_words.stopping(service)),
        before_stop=_step(service, "before_stop", "if matched --status; then " + LENIENT + "; fi"),
        after_stop=_step(service, "after_stop", LENIENT),
        do_reload="" if signal == "none" else sysv_verbs.RELOAD.format(signal=shell_word(signal)),
        reload=sysv_verbs.NO_RELOAD if signal == "none" else sysv_verbs.WITH_RELOAD,
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
    yield f"NAME={shell_word(service.name)}"
    yield f"DESC={shell_word(line(service.description or service.name))}"
    daemon = start_words.SHELL if service.script else service.program or ""
    yield f"DAEMON={shell_word(daemon)}"


def _functions(sheet: Sheet) -> "Iterable[str]":
    """Yield the functions that differ from service to service."""
    service = sheet.service
    made = list(folders(service))
    if made:
        yield sysv_verbs.MAKE_DIRECTORY
    if Readiness(service).waits_for(service):
        yield sysv_verbs.WAIT_UNTIL
    match = shell_words(start_words.matching(service))
    yield f'matched() {{\n    "$START_STOP_DAEMON" {match} "$@"\n}}\n'
    lines = ""
    for folder in made:
        words = [folder.path, folder.mode, folder.owner or "root:"]
        lines += f"    make_directory {shell_words(words)} || return 1\n"
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
        yield f"    . {shell_word(path)} || exit 2"
        yield "    set +a"
    for name, value in service.environment.items():
        if VARIABLE.match(name):
            yield f"    export {name}={shell_word(value)}"
        else:
            sheet.lose("environment", f"a shell has no variable with the name {name!r}")
    score = oom_score(service)
    if score is not None:
        yield f"    echo {score} > /proc/self/oom_score_adj || exit 2"
    program = start_words.program(service)
    words = ["--start", "--quiet", *start_words.matching(service, start=True)]
    words += [*start_words.starting(service), "--startas", program[0]]
    tool = " ".join([shell_words(start_words.limits(service)), '"$START_STOP_DAEMON"']).strip()
    yield f"    exec {tool} \\"
    yield f"        {shell_words(words)} \\"
    yield f"        -- {shell_words(program[1:])}".rstrip()
    yield ")\n"


def _ready(service: "Service") -> str:
    """Return the line that waits until the service works."""
    readiness = Readiness(service)
    words = readiness.waits_for(service)
    if not words:
        return ""
    return f"    wait_until {readiness.whole_timeout} {shell_words(words)} || return 1\n"


def _step(service: "Service", field: str, line: str) -> str:
    """Return the line that runs a hook by a shell of its own; nothing for no hook."""
    words = start_words.hook(service, field)
    return f"    {line.format(shell_words(words), field)}\n" if words else ""
