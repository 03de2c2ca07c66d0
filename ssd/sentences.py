"""Every sentence and exit status of the command; the docs show them from here.

Standard output is byte for byte that of start-stop-daemon(8) 1.21.22. What goes to
standard error begins with the name that the command was called by.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd import errors

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
RETRY_IGNORED = "Ignoring --retry in test mode\n"

# Standard error: {reason} is the system's word for the error.
TRY_HELP = "Try '{program} --help' for more information.\n"
WARN_NAME = (
    "this system is not able to track process names\n"
    "longer than {limit} characters, please use --exec instead of --name."
)
WARN_SIGNAL = "failed to kill {pid}: {reason}"
WARN_KEPT = "pidfile '{path}' is kept: {reason}"

# What could not be done, by the stage of a start. {detail} is a path, a number or a name.
STAGES = {
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
    "nice": "unable to alter nice level by {detail}",
    "notify": "cannot create notification {detail}",
    "output": "unable to open --output file '{detail}'",
    "pidfile": "pidfile {detail} of the failed start is left",
    "procsched": "unable to set process scheduler",
    "user": "unable to set uid to {detail}",
}

# By class of exception: a template over its attributes. A reason in parentheses is added
# where a system call failed.
ERRORS = {
    "ExecutableMissing": "unable to stat {error.path} ({error.strerror})",
    "PidfileUnreadable": "unable to open pidfile {error.path} ({error.reason})",
    "PidfileUnsafe": "matching on pidfile {error.path} is insecure: {error.reason}",
    "PidfileUnwritable": "unable to write or remove pidfile '{error.path}' ({error.reason})",
    "ProcessTableError": "unable to read the process table: {error.reason}",
    "ProcessUnreadable": (
        "process {error.pid} runs, and this user may not read whether it is the one meant; "
        "ask as its user or by its pid alone, or remove a pidfile that is out of date"
    ),
    "StartBlocked": (
        "another start of the same has held {error.path} for {error.seconds:g} seconds; "
        "end it, or remove that file"
    ),
    "UnknownGroup": "group '{error.group}' not found",
    "UnknownUser": "user '{error.user}' not found",
}
NOT_READY = {
    "errno": "program failed to initialize ({reason})",
    "exited": "program (pid {error.process.pid}) ended before it was ready",
    "invalid": "cannot parse notification {error.detail}",
    "unheard": "program (pid {error.process.pid}) was started, but not heard: {error.detail}",
    "timeout": "timed out waiting for a notification ({error.detail} seconds, --notify-timeout)",
}


def describe(error: "errors.Error") -> str:
    """Put an exception of the family into words, without the program's name."""
    name = type(error).__name__
    if name == "StartFailed":
        text = STAGES[error.stage].format(detail=error.detail)  # type: ignore[attr-defined]
        reason = error.reason  # type: ignore[attr-defined]
        return f"{text} ({reason})" if reason else text
    if name == "NotReady":
        code = error.errno  # type: ignore[attr-defined]
        reason = os.strerror(code) if code else "errno 0"
        return NOT_READY[error.reason].format(error=error, reason=reason)  # type: ignore[attr-defined]
    return ERRORS[name].format(error=error)


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
