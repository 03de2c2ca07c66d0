"""The options of the command: one table, and a command line that is read by it."""

from ssd.cli.grammar import Unusable, Usage, parse
from ssd.signals import signal_number, whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ssd.matching import Match
    from ssd.schedule import Schedule

START, STOP, STATUS, PIDOF, HELP, VERSION = (
    "start", "stop", "status", "pidof", "help", "version",
)  # fmt: skip

# (letter, long name, name of the value or None, purpose), in the order of the manual page.
# The help text, the page docs/reference/command.md and the shell completions follow this table,
# and that of ``ssd.cli.added``, which has what only ssd can do.
COMMANDS = (
    ("S", START, None, "start a program; arguments after -- are for it"),
    ("K", STOP, None, "stop a program"),
    ("T", STATUS, None, "get the program status"),
    ("", PIDOF, None, "print the pids of the program (status as --status)"),
    ("H", HELP, None, "print help information"),
    ("V", VERSION, None, "print version"),
)
MATCHING = (
    ("", "pid", "pid", "pid to check"),
    ("", "ppid", "ppid", "parent pid to check"),
    ("p", "pidfile", "file", "pid file to check"),
    ("x", "exec", "executable", "program to start, or check if it is running"),
    ("n", "name", "name", "process name to check"),
    ("u", "user", "user|uid", "process owner to check"),
)
GENERIC = (
    ("g", "group", "group|gid", "run process as this group"),
    ("c", "chuid", "user|uid[:group|gid]", "change to this user and group before starting"),
    ("s", "signal", "signal", "signal to send (default TERM)"),
    ("R", "retry", "schedule", "check whether processes die, and retry"),
    ("a", "startas", "path", "program to start (default is that of --exec)"),
    ("r", "chroot", "directory", "change root to this directory before starting"),
    ("d", "chdir", "directory", "change to this directory (default is /)"),
    ("N", "nicelevel", "increment", "add to the nice level of the process"),
    ("P", "procsched", "policy[:priority]", "set the process scheduler (default priority 0)"),
    ("I", "iosched", "class[:priority]", "set the I/O scheduler (default priority 4)"),
    ("k", "umask", "mask", "set the umask before starting"),
    ("b", "background", None, "force the process to detach"),
    ("", "notify-await", None, "wait for a readiness notification"),
    ("", "notify-timeout", "seconds", "wait this long for it (default 60)"),
    ("C", "no-close", None, "do not close any file descriptor"),
    ("O", "output", "file", "append stdout and stderr to this file"),
    ("m", "make-pidfile", None, "create the pidfile before starting"),
    ("", "remove-pidfile", None, "remove the pidfile after stopping"),
    ("", "tree", None, "stop all that belongs to the process as well"),
    ("t", "test", None, "only say what would be done"),
    ("o", "oknodo", None, "exit status 0 (not 1) if nothing done"),
    ("q", "quiet", None, "be more quiet"),
    ("v", "verbose", None, "be more verbose"),
)
TABLE = COMMANDS + MATCHING + GENERIC
RARE = ("procsched", "iosched", "umask", "nicelevel", "notify-timeout")  # ``ssd.cli.values``
_LONG = {name: value is not None for _, name, value, _ in TABLE}
_SHORT = {letter: value is not None for letter, _, value, _ in TABLE if letter}
_NAMES = {word: name for letter, name, _, _ in TABLE for word in (letter, name) if word}


class Options:
    """A command line as given: attributes are the long names with ``_`` for ``-``.

    command: its long name; None if none was read yet. operands: the arguments of the
    program. given: the raw values by long name. quietness: 1 quiet, 0, -1 verbose. If an
    option is repeated, the last one counts. added: those of ``ssd.cli.added``, all of them;
    for_match, for_command, for_start: the keyword arguments that they make.
    """

    def __init__(self) -> None:
        self.command: str | None = None
        self.operands: list[str] = []
        self.given: dict[str, str | None] = {}
        self.quietness = 0
        self.chuid: str | None = None
        self.group: str | None = None
        self.pid: int | None = None
        self.ppid: int | None = None
        self.signal = 15
        self.schedule: Schedule | None = None
        self.procsched: tuple[str, int] | None = None
        self.iosched: tuple[str, int] | None = None
        self.umask: int | None = None
        self.nicelevel = 0
        self.notify_timeout = 60
        self.added: list[tuple[str, str | None]] = []
        self.for_match: dict[str, Any] = {}
        self.for_command: dict[str, Any] = {}
        self.for_start: dict[str, Any] = {}

    def value(self, name: str) -> str | None:
        """Return the value of an option by its long name; None if it was not given."""
        return self.given.get(name)

    def has(self, name: str) -> bool:
        """Tell whether an option was given."""
        return name in self.given

    def match(self) -> "Match":
        """Return the Match; a relative --exec is below --chdir and --chroot."""
        from ssd.matching import Match

        name = self.value("name")
        match = Match(
            pid=self.pid,
            ppid=self.ppid,
            pidfile=self.value("pidfile"),
            exec=self.executable(inside=False),
            name=name and "",  # the command itself warns of a long one
            user=self.value("user"),
            **self.for_match,
        )
        match.name = name
        return match

    def executable(self, inside: bool = True) -> str | None:
        """Return the path of --exec, inside the --chroot or as seen from outside."""
        path = self.value("exec")
        if path is None:
            return None
        if not path.startswith("/"):
            chdir = self.value("chdir")
            path = f"{'/' if chdir is None else chdir}/{path}"
        root = None if inside else self.value("chroot")
        return path if root is None else f"{root}/{path}"


def read(words: list[str], options: Options, posix: "Callable[[], bool] | None" = None) -> None:
    """Read the words after the command's name into ``options``.

    If Usage or Unusable is raised, ``options`` keeps what was read, because the exit status
    depends on it. ``--help`` and ``--version`` end the reading at once.
    """
    reader = parse(words, _SHORT, _LONG, posix, _added)
    try:
        while True:
            letter, value = next(reader)
            name = _NAMES.get(letter, letter)
            if name in (HELP, VERSION):
                options.command = name
                return
            _take(options, name, value)
    except StopIteration as end:
        options.operands = end.value
    _convert(options)
    _check(options)
    if options.added:
        from ssd.cli.settling import settle

        settle(options)


def _added() -> dict[str, bool]:
    """Return the long options that the original lacks: true for those that take a value."""
    from ssd.cli.added import LONG

    return LONG


def _take(options: Options, name: str, value: str | None) -> None:
    """Store one option."""
    if name in (START, STOP, STATUS, PIDOF):
        if options.command not in (None, name):
            raise Usage("only one command can be specified")
        options.command = name
    elif name == "chuid":
        user, colon, group = str(value).partition(":")
        if colon and not group:
            raise Unusable(f"missing group name in --chuid {value}")
        options.chuid = user
        options.group = group if colon else options.group
    elif name == "group":
        options.group = value
    elif name in ("quiet", "verbose"):
        options.quietness = 1 if name == "quiet" else -1
    elif name not in _LONG:
        options.added.append((name, value))
    options.given[name] = value


def _convert(options: Options) -> None:
    """Turn texts into numbers, in the order of the original's error messages."""
    given = options.given
    if "pid" in given:
        options.pid = _positive("pid", given["pid"])
    if "ppid" in given:
        options.ppid = _positive("ppid", given["ppid"])
    if "signal" in given:
        signum = signal_number(str(given["signal"]))
        if signum is None:
            raise Usage("signal value must be a number or the name of a signal (KILL, INT, ...)")
        options.signal = signum
    if "retry" in given:
        from ssd.schedule import Schedule, ScheduleError

        try:
            options.schedule = Schedule.parse(str(given["retry"]), options.signal)
        except ScheduleError as error:
            raise Usage(f"invalid schedule in --retry: {error}") from None
    if not given.keys().isdisjoint(RARE):
        from ssd.cli import values

        for name, value in values.convert(given).items():
            setattr(options, name, value)


def _positive(name: str, text: str | None) -> int:
    value = whole_number(str(text))
    if not value:
        raise Usage(f"{name} value must be a number greater than 0")
    return value


def _check(options: Options) -> None:
    """Reject combinations that make no sense, in the order of the original."""
    has = options.has
    command = options.command
    background = has("background")
    if command is None:
        raise Usage("need one of --start or --stop or --status")
    if not any(has(name) for _, name, _, _ in MATCHING):
        raise Usage("need at least one of --exec, --pid, --ppid, --pidfile, --user or --name")
    startas = options.value("startas") if has("startas") else options.value("exec")
    for wrong, message in (
        (command == START and startas is None, "--start needs --exec or --startas"),
        (has("make-pidfile") and not has("pidfile"), "--make-pidfile requires --pidfile"),
        (has("remove-pidfile") and not has("pidfile"), "--remove-pidfile requires --pidfile"),
        (has("pid") and has("pidfile"), "need either --pid or --pidfile, not both"),
        (background and command != START, "--background is only relevant with --start"),
        (has("no-close") and not background, "--no-close is only relevant with --background"),
        (has("output") and not background, "--output is only relevant with --background"),
        (
            has("output") and not str(options.value("output")).startswith("/"),
            "--output file needs to be an absolute filename",
        ),
    ):
        if wrong:
            raise Usage(message)
