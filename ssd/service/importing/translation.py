"""What the options of one process of supervisord are in a declaration."""

import os

from ssd.service.importing import values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.importing.programs import Program

    Fields = dict[str, object]

# supervisord's own defaults, where they are not ours
START_SECONDS, START_RETRIES = "1", "3"
STOP_SIGNAL, STOP_WAIT = "TERM", "10"
LOG_SIZE, LOG_BACKUPS = "50MB", "10"
AFTER_KILL = 5  # seconds
SMALLEST_LOG = 1000  # bytes, ssd.service.rare_kinds
NOWHERE = ("none", "off", "/dev/null", "syslog")
OUTPUTS = ("/dev/stdout", "/dev/stderr", "/dev/fd/1", "/dev/fd/2")
ENV = "/usr/bin/env"
# Options that are read only in some cases, with their kinds.
CHECKED: "dict[str, Callable[[str], object]]" = {
    f"{stream}_{name}": kind
    for stream in ("stdout", "stderr")
    for name, kind in (
        ("logfile_maxbytes", values.size),
        ("logfile_backups", values.integer),
        ("capture_maxbytes", values.size),
        ("events_enabled", values.flag),
        ("syslog", values.flag),
    )
}


def fields(program: "Program", variables: "dict[str, str]") -> "Fields":
    """Return the fields of a process; ``variables`` is its environment.

    Raises DeclarationError, and what ``program.value`` raises.
    """
    made: Fields = dict(command(program, variables))
    directory = program.text("directory", program.server.given.get("directory", ""))
    if directory:
        made["working_directory"] = absolute(program, "directory", directory)
    user = program.text("user", program.server.user)
    if user:
        made["user"] = user
    if variables:
        made["environment"] = variables
    umask = program.value("umask", values.octal, program.server.given.get("umask", "022"))
    if umask != "022":
        made["umask"] = umask
    if not program.value("autostart", values.flag, "true"):
        made["manual"] = True
    made |= life(program)
    made |= stop(program)
    made |= log(program)
    return made


def command(program: "Program", variables: "dict[str, str]") -> "Fields":
    """Return program and arguments; a name without a path is looked up now, and not at a start."""
    first, *arguments = program.value("command", values.words, "")
    if "/" in first:
        return {"executable": absolute(program, "command", first), "arguments": arguments}
    path = variables.get("PATH", program.server.environment.get("PATH", os.defpath))
    for directory in path.split(os.pathsep):
        found = os.path.join(directory, first)
        if os.path.isabs(found) and os.path.isfile(found) and os.access(found, os.X_OK):
            program.note("command", f"{first} is {found}, found in PATH by this import", lost=False)
            return {"executable": found, "arguments": arguments}
    words = f"{first} is not in PATH: {ENV} will look for it at each start"
    program.note("command", words, lost=False)
    return {"executable": ENV, "arguments": [first, *arguments]}


def absolute(program: "Program", option: str, path: str) -> str:
    """Make a path absolute: supervisord takes it as seen from its own working directory."""
    if os.path.isabs(path):
        return path
    base = program.server.given.get("directory", program.server.here)
    whole = os.path.normpath(os.path.join(base, path))
    program.note(option, f"{path} is {whole}, as seen from {base}", lost=False)
    return whole


def life(program: "Program") -> "Fields":
    """Return whether and how often it is restarted, and when its start counts.

    Without startsecs it counts at once. With supervisord's default, 1, each priority would add a
    second to the start of all, for a start waits for those of the priority before.
    """
    when = program.value("autorestart", values.restart, "unexpected")
    statuses = program.value("exitcodes", values.exit_statuses, "0")
    if when != "unexpected":
        policy: Fields = {"when": when}
    elif 0 in statuses:
        policy = {"when": "failure"}
    else:  # 0 is unexpected, too
        policy = {"when": "always"}
    if when == "unexpected" and statuses != [0]:
        policy["normal_exit"] = statuses
    seconds = program.value("startsecs", values.integer, START_SECONDS)
    if seconds != int(START_SECONDS):
        policy["reset"] = max(seconds, 0)
    if program.value("startretries", values.integer, START_RETRIES) != int(START_RETRIES):
        policy |= retries(program, policy["when"] == "never", max(seconds, 0))
    made: Fields = {"respawn": policy}
    if program.given("startsecs") and seconds > 0:
        made["readiness"] = {"kind": "stays", "timeout": seconds}
    return made


def retries(program: "Program", never: bool, seconds: int) -> "Fields":
    """Return the limit that gives up after as many starts, within the time that they take."""
    count = program.value("startretries", values.integer, START_RETRIES)
    if never:
        program.note("startretries", "without autorestart a start that fails is not repeated")
        return {}
    if count < 1:
        program.note("startretries", "one restart is made before it is given up")
        return {"limit": 1}
    waits = sum(min(1 << each, count) for each in range(min(count - 1, 64)))
    waits += max(0, count - 65) * count
    interval = waits + waits // 8 + count * seconds + 2  # the jitter of each wait is a tenth
    words = f"more than {count} restarts in {interval} seconds, and it is given up"
    program.note("startretries", f"{words}, also if it ran longer than startsecs in between")
    return {"limit": count, "interval": interval, "backoff": 1, "delay_max": count}


def stop(program: "Program") -> "Fields":
    """Return how it is stopped."""
    signal = program.value("stopsignal", values.signal, STOP_SIGNAL)
    seconds = max(0, program.value("stopwaitsecs", values.integer, STOP_WAIT))
    made: Fields = {"stop_schedule": f"{signal}/{seconds}/KILL/{AFTER_KILL}"}
    stopping = program.value("stopasgroup", values.flag, "false")
    killing = program.value("killasgroup", values.flag, str(stopping))
    if stopping and not killing:
        place = program.section.place_of("killasgroup")
        raise place.error("killasgroup", "must not be false if stopasgroup is true")
    if stopping:
        made["kill_mode"] = "group"
    elif not killing and (program.given("stopasgroup") or program.given("killasgroup")):
        made["kill_mode"] = "main"
    return made


def log(program: "Program") -> "Fields":
    """Return where the output goes."""
    for option, kind in CHECKED.items():
        program.value(option, kind, "0")  # also those that have no effect, as supervisord does
    both = program.value("redirect_stderr", values.flag, "false")
    out = program.text("stdout_logfile", "AUTO")
    err = "AUTO" if both else program.text("stderr_logfile", "AUTO")
    made: Fields = {}
    if out.lower() == "syslog" or program.value("stdout_syslog", values.flag, "false"):
        made["syslog"] = True
    if not both:
        if err.lower() == "syslog" or program.value("stderr_syslog", values.flag, "false"):
            made["syslog"] = True
    if out in OUTPUTS or err in OUTPUTS:
        made["forward"] = True
        words = "forwarded to the supervisor's output, with the name in front"
        program.note("stdout_logfile" if out in OUTPUTS else "stderr_logfile", words, lost=False)
    return {"log": made} if files(program, out, err, made) else {}


def files(program: "Program", out: str, err: str, made: "Fields") -> "Fields":
    """Add the files of the output and their sizes."""
    away = [each in OUTPUTS or each.lower() in NOWHERE for each in (out, err)]
    auto = [each.lower() == "auto" for each in (out, err)]
    if away[0] and (away[1] or auto[1]):
        made["kind"] = "none"
        if auto[1] and program.given("stderr_logfile"):
            program.note("stderr_logfile", "goes where standard output goes")
        return made
    if away[0]:
        program.note("stdout_logfile", "goes into the log of standard error, which is in a file")
        out, auto[0], err, auto[1] = err, False, "AUTO", True
    elif away[1]:
        program.note("stderr_logfile", "goes into the log of standard output, which is in a file")
    if not auto[0]:
        made["path"] = _file(program, "stdout_logfile", out)
    if not auto[1] and not away[1] and err != out:
        made["stderr_path"] = _file(program, "stderr_logfile", err)
    stream = "stderr" if away[0] else "stdout"
    return made | _sizes(program, stream, made)


def _file(program: "Program", option: str, path: str) -> str:
    whole = absolute(program, option, os.path.expanduser(path))
    directory = os.path.dirname(whole)
    if not os.path.isdir(directory):
        program.note(option, f"the directory {directory} does not exist yet", lost=False)
    return whole


def _sizes(program: "Program", stream: str, made: "Fields") -> "Fields":
    """Add when a log is rotated; a log without a path has our own sizes unless it says others."""
    for option, default, entry in (
        ("logfile_maxbytes", LOG_SIZE, "max_size"),
        ("logfile_backups", LOG_BACKUPS, "keep"),
    ):
        name = f"{stream}_{option}"
        if "path" in made or "stderr_path" in made or program.given(name):
            number = max(0, program.value(name, values.size, default))
            if entry == "max_size" and 0 < number < SMALLEST_LOG:
                program.note(name, f"is {SMALLEST_LOG}, the smallest size")
                number = SMALLEST_LOG
            made[entry] = number
        other = f"{'stdout' if stream == 'stderr' else 'stderr'}_{option}"
        if program.given(other) and program.text(other, "") != program.text(name, default):
            program.note(other, f"both logs have the number of {name}")
    return made
