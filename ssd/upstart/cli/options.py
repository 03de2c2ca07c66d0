"""The command line of ``ssd-supervise --upstart``, and of the same command called as init.

Those of Upstart's init(8) that say something here are accepted, because scripts give them.
"""

import os

from ssd.errors import Error
from ssd.supervision.cli.options import INITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FLAGS = {
    "--check": "check",
    "--no-startup-event": "silent",
    "--quiet": "quiet",
    "-q": "quiet",
    "--strict": "strict",
}
VALUES = {
    "--confdir": "directory",
    "--directory": "directory",
    "--group": "group",
    "--logdir": "logs",
    "--logs": "logs",
    "--runlevel": "runlevel",
    "--startup-event": "startup",
}
# Options of init(8) alone; --user is decided by who calls.
INIT_FLAGS = {
    "--debug": "debug",
    "--no-inherit-env": "bare",
    "--no-log": "unlogged",
    "--user": "user",
    "--verbose": "verbose",
    "-v": "verbose",
}
INIT_VALUES = {
    "--append-confdir": "after",
    "--default-console": "console",
    "--prepend-confdir": "before",
}
# What init(8) has for what is not here: D-Bus, cgroups, chroots with an Upstart inside.
IDLE = ("--chroot-sessions", "--no-cgroups", "--no-dbus", "--no-sessions")
CONSOLES = ("log", "none", "output", "owner")
HELPING = ("-h", "--help", "-V", "--version")
OTHERS = ("--exit-when-failed", "--exit-with", "--forward")  # of ssd-supervise without --upstart


class Options:
    """What the command line asks for. ``directory``: None for the user's own.

    is_init: whether it is called as init: then it writes no line for each event.
    """

    __slots__ = ("directory", "is_init", "check", "silent", "quiet", "strict", "group", "logs",
                 "runlevel", "startup", "debug", "bare", "unlogged", "user", "verbose", "after",
                 "console", "before")  # fmt: skip

    def __init__(self, is_init: bool) -> None:
        self.directory: str | None = None
        self.is_init = is_init
        self.check = self.silent = self.quiet = self.strict = False
        self.group: str | None = None
        self.logs: str | None = None
        self.runlevel: str | None = None
        self.startup = "startup"
        self.debug = self.bare = self.unlogged = self.user = self.verbose = False
        self.after: str | None = None
        self.console: str | None = None
        self.before: str | None = None

    @property
    def priority(self) -> str:
        """The level of init's messages that it begins with."""
        if self.debug:
            return "debug"
        if self.verbose:
            return "info"
        return "message"


class Wrong(Error):
    """A command line that is wrong. ``option``: which word. ``fault``: what is wrong with it."""

    def __init__(self, option: str, fault: str) -> None:
        super().__init__(f"{option} {fault}")
        self.option: str = option
        self.fault: str = fault


def parse(words: "Sequence[str]", program: str) -> Options:
    """Read the options. Raises Wrong, also for help and the version, with no fault."""
    options = Options(program in INITS)
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word == "--upstart":
            continue  # the directory is the only word that is no option
        if name == "--upstart":
            _take_directory(options, value)
        elif word == "--":
            continue
        elif not word.startswith("-"):
            _take_directory(options, word)
        elif not equals and word in FLAGS | INIT_FLAGS:
            setattr(options, (FLAGS | INIT_FLAGS)[word], True)
        elif name in VALUES | INIT_VALUES:
            if not equals and not rest:
                raise Wrong(word, "requires a value")
            setattr(options, (VALUES | INIT_VALUES)[name], value if equals else rest.pop(0))
        elif word in OTHERS or name in OTHERS:
            raise Wrong(name, "is not for Upstart jobs")
        elif word not in IDLE:
            raise Wrong(word, "" if word in HELPING else "is not an option")
    _check(options)
    return options


def _take_directory(options: Options, path: str) -> None:
    """Take a word that is no option."""
    if options.directory is not None:
        raise Wrong(path, "is one word too many: with --upstart there is one directory")
    if "/" not in path and not os.path.isdir(path):
        raise Wrong(path, f"is no directory; a single job is started by `start {path}'")
    options.directory = path


def _check(options: Options) -> None:
    """Raise Wrong if a value can be none."""
    level, console = options.runlevel, options.console
    if level is not None and level not in tuple("0123456sS"):
        raise Wrong("--runlevel", f"cannot be {level!r}: it is a digit from 0 to 6, or S")
    if console is not None and console not in CONSOLES:
        raise Wrong(
            "--default-console", f"cannot be {console!r}: it is one of {' '.join(CONSOLES)}"
        )
