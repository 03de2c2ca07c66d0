"""The part of a unit that starts, stops, reloads and brings back: systemd.service(5)."""

from ssd.service.generators import ssd_options as start_words
from ssd.service.generators.folders import modern
from ssd.service.generators.policies import KILL, Ending, Readiness, Respawn
from ssd.service.generators.quoting import has_controls, systemd_value, systemd_word, systemd_words
from ssd.service.generators.sheet import Sheet
from ssd.service.generators.signals import name_of
from ssd.signals import raw as signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SHELL = "/bin/sh"
# systemd takes no program with such a character in its path, however it is quoted.
REFUSED_IN_PROGRAMS = frozenset("\"'\\")
HOOKS = {
    "before_start": "ExecStartPre", "after_start": "ExecStartPost",
    "before_stop": "ExecStop", "after_stop": "ExecStopPost",
}  # fmt: skip
UNTIL = 'until "$@"; do sleep 1; done'  # TimeoutStartSec= ends it


def settings(sheet: Sheet) -> "Iterable[str]":
    """Yield the settings. Raises Inexpressible."""
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


def command(words: "Sequence[str]", prefix: str = "") -> str:
    """Return a command line with these words, through a shell if systemd needs one."""
    program = words[0]
    bad = has_controls(program) or not REFUSED_IN_PROGRAMS.isdisjoint(program)
    if bad or not program.startswith("/"):
        words = [SHELL, "-c", 'exec "$0" "$@"', *words]
    elif "$" in program:
        # In the path of the program $$ is no way to write it. With a colon $ is nothing special.
        quoted = " ".join(systemd_word(word, variables=False) for word in words)
        return f"{prefix}:{quoted}"
    return prefix + systemd_words(words)


def _type(sheet: Sheet) -> str:
    service = sheet.service
    if service.task:
        return "oneshot"
    if service.expect == "stop":
        sheet.lose("expect", "systemd waits for no process that stops itself")
    if not service.background or service.expect in ("fork", "daemon"):
        return "forking"
    return "notify" if Readiness(service).kind == "notify" else "exec"


def _program(sheet: Sheet) -> str:
    if not sheet.service.script:
        sheet.needs("executable", sheet.service.executable, "there is no program to start")
    return command(start_words.program(sheet.service))


def _hook(sheet: Sheet, field: str) -> "Iterable[str]":
    """Yield what is run by root before or after a start or a stop.

    Whatever becomes of one after the start, the verb goes on ("-").
    """
    words = start_words.hook(sheet.service, field)
    if words:
        prefix = "+" if field == "before_start" else "+-"
        yield f"{HOOKS[field]}={command(words, prefix)}"


def _readiness(sheet: Sheet) -> "Iterable[str]":
    """Yield what makes a start wait until the service works."""
    readiness = Readiness(sheet.service)
    words = readiness.waits_for(sheet.service)
    if words:
        yield f"ExecStartPost={command([SHELL, '-c', UNTIL, 'sh', *words])}"
    if "readiness" in sheet.declared:
        yield f"TimeoutStartSec={_limit(readiness.timeout)}"


def _stop(sheet: Sheet) -> "Iterable[str]":
    """Yield the signals of a stop. The main process gets the first, all of them the last."""
    ending = Ending(sheet.service)
    yield "KillMode=mixed"
    if ending.first is None:
        sheet.lose("stop_schedule", "it does not begin with a signal")
        return
    yield f"KillSignal={name_of(ending.first)}"
    endless = ending.repeats and ending.last is None
    yield f"TimeoutStopSec={'infinity' if endless else _limit(ending.seconds)}"
    if ending.last is None:
        yield "SendSIGKILL=no"
    elif ending.last != KILL:
        yield f"FinalKillSignal={name_of(ending.last)}"
    # It sends a CONT of its own after the first signal.
    if [each for each in ending.skipped if each != (0, signals.SIGCONT)]:
        sheet.lose("stop_schedule", "between the first signal and the last systemd sends no other")
    elif ending.repeats:
        sheet.lose("stop_schedule", "systemd does not repeat it")


def _limit(seconds: float) -> str:
    """Return a time that is a limit, also if it is none at all: for systemd 0 is for ever."""
    return f"{seconds}" if seconds else "1ms"


def _restart(sheet: Sheet) -> "Iterable[str]":
    """Yield when systemd brings it back."""
    respawn = Respawn(sheet.service)
    if respawn.when == "never":
        return
    always = respawn.when == "always"
    if always and sheet.service.task:
        sheet.lose("respawn", "systemd brings a task back only if it has failed")
        always = False
    yield f"Restart={'always' if always else 'on-failure'}"
    yield f"RestartSec={respawn.delay}"
    normal = [str(each) if isinstance(each, int) else f"SIG{each}" for each in respawn.normal_exit]
    if normal:
        words = " ".join(normal)
        yield f"SuccessExitStatus={words}"
        yield f"RestartPreventExitStatus={words}"
