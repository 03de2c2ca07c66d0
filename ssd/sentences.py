"""Every sentence of both commands, in one place.

Standard output is byte for byte that of start-stop-daemon(8) 1.21.22. Standard error is in our own
words, after the name that the command was called by. The docs show both from here.
"""

import os

from ssd import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Standard output.
ALREADY_RUNNING = "{what} already running.\n"
PROGRESS = {
    "starting": "Starting {what}...\n",
    "detaching": "Detaching to start {what}...\n",
    "detached": "Detaching complete...\n",
    "awaiting": "Waiting for notifications... (timeout {seconds}sec {nanoseconds}nsec)\n",
    "notified": "Child sent some notification...\n",
}
NOTIFIED_READY = "-> Notification => ready for service.\n"
NOTIFIED_LINE = "-> Notification line '{line}' received\n"
NONE_FOUND = "No {what} found running; none killed.\n"
WOULD_SIGNAL = "Would send signal {signum} to {pid}.\n"
STOPPED = "Stopped {what} (pid{pids}){retry}.\n"
RETRY = ", retry #{number}"
NOT_KILLED = "{count} pids were not killed\n"
REFUSED_TO_DIE = "Program {what}, {count} process(es), refused to die.\n"
MATCHED_BY = "{what} (pid {pid}) matched by its {evidence}\n"
RETRY_IGNORED = "Ignoring --retry in test mode\n"

# Standard error. {reason} is the system's text for an error.
TRY_HELP = "Try '{program} --help' for more information.\n"
WARN_NAME = (
    "this system is not able to track process names\n"
    "longer than {limit} characters, please use --exec instead of --name,\n"
    "or add --interpreted for the name that the program itself has."
)
WARN_SIGNAL = "failed to kill {pid}: {reason}"
WARN_KEPT = "pidfile '{path}' is kept: {reason}"

# What could not be done at a stage of a start. {detail} is a path, a number or a name.
STAGES = {
    "capabilities": "unable to set capabilities: {detail}",
    "chdir": "unable to chdir() to {detail}",
    "chroot": "unable to chroot() to {detail}",
    "detach": "unable to detach",
    "exec": "unable to start {detail}",
    "fork": "unable to fork",
    "group": "unable to set gid to {detail}",
    "groups": "unable to set initgroups() with gid {detail}",
    "internal": "internal error, please report: {detail}",
    "interpreter": "unable to run the helper interpreter {detail}",
    "iosched": "unable to alter IO priority to mask {detail}",
    "limit": "unable to set resource limit {detail}",
    "lock": "continuing without protection against concurrent starts: cannot lock {detail}",
    "login": "unable to set the variables of a login of {detail}",
    "logger": "unable to log to '{detail}'",
    "nice": "unable to alter nice level by {detail}",
    "no_new_privs": "unable to forbid the program new privileges",
    "notify": "cannot create notification {detail}",
    "oom": "unable to set the out-of-memory score adjustment to {detail}",
    "output": "unable to open --output file '{detail}'",
    "pidfile": "could not remove pidfile {detail} after the failed start",
    "procsched": "unable to set process scheduler",
    "securebits": "unable to set securebits {detail}",
    "stderr": "unable to open --stderr file '{detail}'",
    "stdout": "unable to open --stdout file '{detail}'",
    "user": "unable to set uid to {detail}",
}

# Why a program is not ready, by the reason in NotReady. {program} is the program with its pid.
NOT_READY = {
    "errno": "{program} failed to initialize ({strerror})",
    "exited": "{program} ended before it was ready",
    "invalid": "cannot parse notification {error.detail}",
    "unheard": "{program} was started, but waiting for it failed: {error.detail}",
    "timeout": "{program} is not ready after {error.detail} seconds"
    " (see --notify-timeout or readiness.timeout)",
}


def at_stage(stage: str, detail: str, reason: str | None) -> str:
    """Say what failed at a stage of a start, and why if a system call failed."""
    text = STAGES[stage].format(detail=detail)
    return f"{text} ({reason})" if reason else text


def _not_ready(error: errors.NotReady) -> str:
    if type(error) is not errors.NotReady:
        return str(error)  # EndedEarly, which is rare, has its sentence itself
    pid = error.process.pid
    program = f"program (pid {pid})" if pid else "program"
    strerror = os.strerror(error.errno) if error.errno else "errno 0"
    return NOT_READY[error.reason].format(error=error, program=program, strerror=strerror)


def _failed_call(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return error.strerror or str(error)
    path = error.filename  # bytes or a descriptor, if the call got that
    return f"{os.fsdecode(path) if isinstance(path, bytes) else path}: {error.strerror}"


def _unforeseen(error: BaseException) -> str:
    where, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<"):  # of importlib, for example
            where = f" ({file}:{trace.tb_lineno})"
        trace = trace.tb_next
    return " ".join(f"unforeseen error: {type(error).__name__}: {error}".split()) + where


# By class of exception: a template over the error, or a function of it. An error of any other
# class is worded as its nearest base class.
SENTENCES: "dict[type[BaseException], str | Callable[[Any], str]]" = {
    errors.ExecutableMissing: "unable to stat {error.path} ({error.strerror})",
    errors.NotReady: _not_ready,
    errors.PidfileUnreadable: "unable to open pidfile {error.path} ({error.reason})",
    errors.PidfileUnsafe: "matching on pidfile {error.path} is insecure: {error.reason}",
    errors.PidfileUnwritable: "unable to write or remove pidfile '{error.path}' ({error.reason})",
    errors.ProcessTableError: "unable to read the process table: {error.reason}",
    errors.ProcessUnreadable: (
        "process {error.pid} runs, but this user may not read whether it is the daemon; "
        "run this as its user, match by its pid alone, or remove the pidfile if it is out of date"
    ),
    errors.StartBlocked: (
        "another start of this daemon has held {error.path} for {error.seconds:g} seconds; "
        "end it, or remove that file"
    ),
    errors.StartFailed: lambda error: at_stage(error.stage, error.detail, error.reason),
    errors.UnknownGroup: "group '{error.group}' not found",
    errors.UnknownUser: "user '{error.user}' not found",
    errors.Error: str,
    OSError: _failed_call,
    BaseException: _unforeseen,
}


def describe(error: BaseException) -> str:
    """Say in one line what went wrong, without the program's name."""
    row = next(SENTENCES[kind] for kind in type(error).__mro__ if kind in SENTENCES)
    return row.format(error=error) if isinstance(row, str) else row(error)


def progress(event: str, what: str, *values: object) -> str:
    """Put one event of a start into the words of --verbose."""
    text = PROGRESS[event]
    if event == "awaiting":
        seconds, rest = divmod(float(str(values[0])), 1)
        return text.format(seconds=int(seconds), nanoseconds=int(rest * 1e9))
    if event == "notified" and values[0] == "ready":
        return text + NOTIFIED_READY
    if event == "notified" and values[0] == "line":
        return text + NOTIFIED_LINE.format(line=values[1])
    return text.format(what=what)
