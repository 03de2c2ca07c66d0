"""A job for Upstart: init(5).

Upstart runs a block of shell as it is, up to the first line ``end script``. In the line of ``exec``
a backslash is special, even in single quotes, and a newline is a blank; a command with such words
becomes a block.
"""

import re
from math import ceil

from ssd.service.generators import ssd_options
from ssd.service.generators.quoting import VARIABLE, has_controls, line
from ssd.service.generators.sheet import KILL, Ending, Sheet, directories, ready_command
from ssd.service.sources.upstart.lexer import Reader
from ssd.service.sources.upstart.lexer import quote as upstart_word
from ssd.service.words import join, quote
from ssd.signal_names import signal_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ssd.service.declaration import Service

KIND = "upstart"
PATH = "/etc/init/{name}.conf"
MODE = 0o644
A_YEAR = 366 * 24 * 3600  # seconds; stands for a KILL that never comes

_EVENTS = "events order jobs, see start_on"
LOST = {
    "pidfile": "Upstart knows the process that it started without a pidfile",
    "process_name": "Upstart knows its process by its pid",
    "match_executable": "Upstart knows its process by its pid",
    "match_interpreted": "Upstart knows its process by its pid",
    "same_namespace": "Upstart knows its process by its pid",
    "clear_environment": "a job gets PATH, TERM and a few variables of Upstart",
    "login": "Upstart sets no variables of a login",
    "capabilities": "a job has no stanza for it",
    "no_new_privs": "a job has no stanza for it",
    "securebits": "a job has no stanza for it",
    "cpu_scheduling": "a job has no scheduling policy",
    "io_scheduling": "a job has no priority for the disk",
    "output": "Upstart writes its own log, /var/log/upstart",
    "stdout": "Upstart writes its own log, /var/log/upstart",
    "stderr": "Upstart writes its own log, /var/log/upstart",
    "provides": _EVENTS,
    "required_start": _EVENTS,
    "required_stop": _EVENTS,
    "should_start": _EVENTS,
    "should_stop": _EVENTS,
    "requires": _EVENTS,
    "after": _EVENTS,
    "on_required_failure": _EVENTS,
    "health": "Upstart knows only whether the process runs",
    "watchdog": "Upstart knows only whether the process runs",
    "log": "Upstart writes its own log, /var/log/upstart",
}
# The limits that a job can set.
LIMITS = frozenset(
    "as core cpu data fsize memlock msgqueue nice nofile nproc rss rtprio sigpending stack".split()
)
# The line that ends a block, with or without a comment.
_END = re.compile(r"^([^\S\n]*end)([^\S\n]+script)", re.MULTILINE)
_SPECIAL = frozenset("\\\n\r\"'")
HOOKS = {
    "before_start": "pre-start", "after_start": "post-start",
    "before_stop": "pre-stop", "after_stop": "post-stop",
}  # fmt: skip
MAKE = "[ -d {path} ] || {{ (umask 022 && mkdir -p -m {mode} {path}) && chown -h {owner} {path}; }}"


def generate(service: "Service") -> Sheet:
    """Write the job. Raises Inexpressible."""
    lost = {name: reason for name, reason in LOST.items() if name != "pidfile"}
    sheet = Sheet(service, KIND, LOST if service.pidfile != "none" else lost)
    lines = [*_about(sheet), "", *_events(sheet), "", *_surroundings(sheet), *_process(sheet)]
    lines += _scripts(sheet)
    sheet.add(*sheet.head())
    sheet.add(*(f"# Documentation: {line(each)}" for each in service.documentation))
    sheet.add("", *lines)
    return sheet


def _about(sheet: Sheet) -> "Iterable[str]":
    service = sheet.service
    if service.short_description and service.description not in ("", service.short_description):
        sheet.lose("short_description", "a job has one description")
    yield _text("description", service.description or service.short_description or service.name)
    for word, value in (
        ("author", service.author),
        ("version", service.version),
        ("usage", service.usage),
    ):
        if value:
            yield _text(word, value)


def _text(word: str, value: str) -> str:
    """Return a stanza with one text. Upstart reads a newline in quotes as a blank."""
    return f"{word} {upstart_word(line(value))}"


def _events(sheet: Sheet) -> "Iterable[str]":
    """Yield the events that start and stop the job; the default is its runlevels."""
    service = sheet.service
    levels = "".join(service.default_start) or "2345"
    for field, default in (
        ("start_on", f"runlevel [{levels}]"),
        ("stop_on", f"runlevel [!{levels}]"),
    ):
        events = " ".join(getattr(service, field).split())
        if events and not balanced(events):
            sheet.lose(field, "its quotes or parentheses do not match, or it has a comment")
            events = ""
        if not (service.manual and not getattr(service, field)):
            yield f"{field.replace('_', ' ')} {events or default}"
    kept = "".join(sorted({*service.default_stop} & {*levels}))
    if kept:
        sheet.lose("default_stop", f"it is also started in runlevel {kept}")
    for word in ("emits", "export"):
        names = [name for name in getattr(service, word) if not has_controls(name)]
        if names:
            yield f"{word} {' '.join(upstart_word(name) for name in names)}"
    if service.manual:
        yield "manual"
    if service.task:
        yield "task"
    if service.instance:
        yield _text("instance", service.instance)
    if service.debug:
        yield "debug"


def balanced(text: str) -> bool:
    """Return whether Upstart reads a text to its end and no further: balanced, no comment."""
    quote, depth, escaped = "", 0, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        if character == "#" and not quote or depth < 0:
            return False
    return not quote and not depth and not escaped


def _surroundings(sheet: Sheet) -> "Iterable[str]":
    """Yield what the processes of the job inherit."""
    service = sheet.service
    for name in service.pass_environment:
        if VARIABLE.match(name):
            yield f"env {name}"
        else:
            sheet.lose("pass_environment", f"Upstart accepts no variable named {name!r}")
    for name, value in service.environment.items():
        if has_controls(f"{name}{value}") or not VARIABLE.match(name):
            sheet.lose("environment", f"a job cannot express {name!r} or its value")
        else:
            yield f"env {name}={upstart_word(value)}"
    by_tool = _by_tool(service)
    for word, field, given in (
        ("setuid", "user", service.user),
        ("setgid", "group", service.group),
        ("chroot", "root", service.root),
        ("chdir", "working_directory", service.working_directory),
    ):
        text = "" if by_tool or given in (None, "/") else str(given)
        if text and has_controls(text):
            sheet.lose(field, f"a stanza cannot express {text!r}")
        elif text:
            yield f"{word} {upstart_word(text)}"
    yield f"umask {service.umask}"
    if -20 <= service.nice <= 19:
        yield from [f"nice {service.nice}"] if service.nice else []
    else:
        sheet.lose("nice", "Upstart accepts -20 to 19")
    for name, limit in service.limits.items():
        if name not in LIMITS:
            sheet.lose("limits", f"a job has no limit {name}")
        else:
            soft, _, hard = str(limit).partition(":")
            yield f"limit {name} {soft} {hard or soft}"
    if service.oom_score is not None:
        yield f"oom score {service.oom_score}"
    if service.console != "log":
        yield f"console {service.console}"
    if service.apparmor_load:
        yield _text("apparmor load", service.apparmor_load)
    if service.apparmor_profile:
        yield _text("apparmor switch", service.apparmor_profile)
    for group in service.cgroups:
        yield f"cgroup {' '.join(upstart_word(line(word)) for word in group.split())}"


def _process(sheet: Sheet) -> "Iterable[str]":
    """Yield how the main process is tracked, restarted, reloaded and stopped."""
    service = sheet.service
    if service.expect != "none":
        yield f"expect {service.expect}"
    elif not service.background and not service.task:
        yield "expect daemon"
    yield from _respawn(sheet)
    if service.reload_signal != "none":
        yield f"reload signal {service.reload_signal}"
    yield from _stop(sheet)


def _stop(sheet: Sheet) -> "Iterable[str]":
    """Yield the signal of a stop, and the seconds to the KILL that Upstart always sends."""
    if sheet.service.kill_mode in ("main", "tree", "cgroup"):
        sheet.lose("kill_mode", "Upstart signals the process group of the main process")
    ending = Ending(sheet.service)
    if ending.first is None:
        sheet.lose("stop_schedule", "it does not begin with a signal")
        return
    yield f"kill signal {signal_name(ending.first).removeprefix('SIG')}"
    seconds = ending.seconds if ending.last == KILL else ending.total
    yield f"kill timeout {A_YEAR if ending.repeats else seconds}"
    if KILL not in (ending.first, ending.last):
        sheet.lose("stop_schedule", "Upstart always sends KILL at the end")
    elif ending.skipped:
        sheet.lose("stop_schedule", "Upstart sends no signal between the first and KILL")


def _respawn(sheet: Sheet) -> "Iterable[str]":
    respawn = sheet.service.respawn
    if respawn["when"] != "never":
        yield "respawn"
        limit = (
            f"{respawn['limit']} {ceil(respawn['interval'])}" if respawn["limit"] else "unlimited"
        )
        yield f"respawn limit {limit}"
        if respawn["delay"] or {"backoff", "delay_max"} & {*_said(sheet)}:
            sheet.lose("respawn", "Upstart restarts it without a delay")
    exits = respawn["normal_exit"]
    if respawn["when"] == "failure" and 0 not in exits:
        exits = [0, *exits]
    if exits:
        yield f"normal exit {' '.join(map(str, exits))}"


def _said(sheet: Sheet) -> "Iterable[str]":
    """Return the entries of respawn that differ from their defaults."""
    said = sheet.declared["respawn"]
    return said if isinstance(said, dict) else ()


def _scripts(sheet: Sheet) -> "Iterable[str]":
    """Yield the stanzas. Raises Inexpressible."""
    service = sheet.service
    for field, stanza in HOOKS.items():
        before: list[str] = []
        if field == "before_start":
            before = list(_directories(sheet))
        elif field == "after_start":
            before = list(_ready(sheet))
        hook = getattr(service, field)
        if hook or before:
            yield ""
            yield from _stanza(f"{stanza} ", before, hook)
    yield ""
    sources = [f"set -a; . {quote(path)}; set +a" for path in service.environment_files]
    if service.script and not _by_tool(service):
        if service.arguments:
            sources.append(f"set -- {join(service.arguments)}")
        yield from _stanza("", sources, service.script)
        return
    if not service.script:
        sheet.needs("executable", service.executable, "there is no program to start")
    words = service.argv
    if _by_tool(service):
        # In the foreground; /dev/null as pidfile matches no process.
        options = [*ssd_options.user_and_root(service), "--chdir", service.working_directory]
        start = ["start-stop-daemon", "--start", "--pidfile", "/dev/null", *options]
        words = [*start, "--startas", words[0], "--", *words[1:]]
    yield from _stanza("", sources, words, replace=True)


def _by_tool(service: "Service") -> bool:
    """Return whether start-stop-daemon must change user and directories for the program.

    Upstart's own stanzas would also apply to the hooks, which run as root and may create the
    directories first.
    """
    hooks = any(getattr(service, field) for field in HOOKS)
    changes = service.user or service.group or service.root or service.working_directory != "/"
    return bool(changes and (hooks or directories(service)))


def _stanza(
    prefix: str, before: "Sequence[str]", what: "str | Sequence[str]", replace: bool = False
) -> "Iterable[str]":
    """Yield a stanza that runs lines and then a piece of shell, or a command.

    ``replace``: the command replaces the shell, so that the job keeps its pid.
    """
    if not before and not isinstance(what, str) and _SPECIAL.isdisjoint("".join([*what])):
        yield f"{prefix}exec {join([*what])}"
        return
    yield f"{prefix}script"
    yield from (_block_word(each) for each in before)
    if isinstance(what, str):
        yield from [_block_text(what)] if what else []
    else:
        yield _block_word(f"{'exec ' if replace else ''}{join([*what])}")
    yield "end script"


def _block_word(quoted: str) -> str:
    """Return quoted words in a form that does not end the block; the shell reads the same."""
    return _END.sub(r"\1''\2", quoted)


def _block_text(text: str) -> str:
    """Return a text for a block, through eval if one of its lines would end the block."""
    if _END.search(text):
        return _block_word(f"eval {quote(text)}")
    block = text if text.endswith("\n") else f"{text}\n"
    # Upstart removes the indentation that all lines share, so one line must have none.
    if Reader(f"{block}end script", "").block("script") != block:
        block = f":\n{block}"
    return block.removesuffix("\n")


def _directories(sheet: Sheet) -> "Iterable[str]":
    for directory in directories(sheet.service):
        owner = quote(directory.owner or "root:")
        yield MAKE.format(path=quote(directory.path), mode=directory.mode, owner=owner)


def _ready(sheet: Sheet) -> "Iterable[str]":
    """Yield the lines that wait until the service is ready."""
    readiness = sheet.service.readiness
    words = ready_command(sheet.service)
    if readiness["kind"] == "notify":
        sheet.lose("readiness", "Upstart does not wait for a notification")
    if readiness["kind"] == "stays":
        sheet.lose("readiness", "Upstart does not check for how long it runs")
    if not words:
        return
    yield f"left={ceil(readiness['timeout'])}"
    yield f"until {join(words)}; do"
    yield '    [ "$left" -gt 0 ] || exit 1'
    yield "    left=$((left - 1)); sleep 1"
    yield "done"
