"""Plain init scripts, run as service(8) runs them.

In the directory ``/``, with locale, PATH and TERM for an environment, and by execve(2): the
script takes this process's place, so its status and its output reach the caller without a word
of ours. Where systemd or OpenRC manages the machine they have their say, as with service(8).
"""

import errno
import os

from ssd.writing import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIRECTORY = "/etc/init.d"
SYSTEMD = "/run/systemd/system"  # sd_booted(3)
OPENRC = "/run/openrc/started"  # what rc-status(8) takes for started
FULL_RESTART = "--full-restart"

UNRECOGNIZED = 1
CANNOT_RUN, NOT_FOUND = 126, 127  # those of env(1), through which service(8) runs a script

# All of them are set, to nothing where the caller has none, as service(8) does.
KEPT = (
    b"LANG", b"LANGUAGE", b"LC_CTYPE", b"LC_NUMERIC", b"LC_TIME", b"LC_COLLATE", b"LC_MONETARY",
    b"LC_MESSAGES", b"LC_PAPER", b"LC_NAME", b"LC_ADDRESS", b"LC_TELEPHONE", b"LC_MEASUREMENT",
    b"LC_IDENTIFICATION", b"LC_ALL", b"PATH", b"TERM",
)  # fmt: skip
# What dash(1) takes where there is no PATH at all.
DEFAULT_PATH = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Run:
    """A program about to be executed: its file, its words (argv[0] too), its environment."""

    __slots__ = ("file", "argv", "environment")

    def __init__(
        self, file: str, argv: "Sequence[str]", environment: "Mapping[bytes, bytes]"
    ) -> None:
        self.file = file
        self.argv = list(argv)
        self.environment = dict(environment)

    def by_shell(self) -> "Run":
        """Return the same for a script whose first line names no interpreter, as execvp(3)."""
        return Run("/bin/sh", ["/bin/sh", self.file, *self.argv[1:]], self.environment)


def reduced(environment: "Mapping[bytes, bytes]") -> "dict[bytes, bytes]":
    """Return what service(8) leaves of an environment."""
    kept = {name: environment.get(name, b"") for name in KEPT}
    if b"PATH" not in environment:
        kept[b"PATH"] = DEFAULT_PATH
    return kept


def find(name: str, directory: str = DIRECTORY) -> str | None:
    """Return the path of the init script of that name, None if there is none to execute.

    A name is that of a file in the directory: no path, and no directory (divergences.md).
    """
    path = f"{directory}/{name}"
    if not name or "/" in name or "\0" in name or not os.path.isfile(path):
        return None
    return path if os.access(path, os.X_OK) else None


def prepare(path: str, words: "Sequence[str]", with_ssd: bool = False) -> Run:
    """Return what runs an init script with these words.

    ``with_ssd``: where it calls start-stop-daemon it finds ssd. Raises OSError if that
    cannot be arranged, or the script cannot be read.
    """
    from ssd.launch import environment

    run = Run(path, [path, *words], reduced(environment.inherited()))
    if with_ssd:
        from ssd.service import substitution

        return substitution.substituted(run)
    return run


def main(words: "Sequence[str]", program: str = "ssd-service", with_ssd: bool = False) -> int:
    """Do ``NAME [VERB [OPTION]...]`` or ``NAME --full-restart`` with a plain init script.

    The script, or systemctl(1) where systemd runs and ``with_ssd`` does not ask for the
    script itself, takes this process's place. Returns only if there is nothing to execute:
    1 for a service that nobody knows, 126 and 127 as env(1).
    """
    name, *rest = words
    os.chdir("/")
    full = rest == [FULL_RESTART]
    try:
        if os.path.isdir(SYSTEMD) and not with_ssd:
            from ssd.service import systemctl

            # A restart by systemd is a full one.
            rest = ["restart"] if full else rest
            call = systemctl.call(name, rest)
            if call is not None:
                _execute(call)
        elif full:
            return _full_restart(name, with_ssd)
        return _become(name, rest, with_ssd)
    except OSError as error:
        write(2, f"{program}: {error.filename or name}: {_reason(error)}\n")
        return NOT_FOUND if error.errno == errno.ENOENT else CANNOT_RUN


def _full_restart(name: str, with_ssd: bool) -> int:
    """Run the script's stop, whatever comes of it, and become its start."""
    path = find(name)
    if path is not None:
        from ssd.service import spawning

        spawning.wait(spawning.spawn(prepare(path, ["stop"], with_ssd)))
    return _become(name, ["start"], with_ssd)


def _become(name: str, words: "Sequence[str]", with_ssd: bool) -> int:
    """Become the script; return the status of a service that there is not."""
    path = find(name)
    if path is None:
        # Without the name of the program: scripts look for the sentence of service(8).
        write(2, f"{name}: unrecognized service\n")
        return UNRECOGNIZED
    _tell_openrc(path, name, words[0] if words else "")
    _execute(prepare(path, words, with_ssd))
    raise AssertionError("execve(2) returned without an error")


def _execute(run: Run) -> None:
    """Execute a program in this process. Raises OSError with the file's name."""
    from ssd.signals import raw as signals
    from ssd.signals import set_ignored

    set_ignored(signals.SIG_DFL)
    try:
        try:
            os.execve(run.file, run.argv, run.environment)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            shell = run.by_shell()
            os.execve(shell.file, shell.argv, shell.environment)
    except OSError as error:
        set_ignored(signals.SIG_IGN)  # still Python: a closed stderr must not be the end
        raise OSError(error.errno, error.strerror, run.file) from error


def _reason(error: OSError) -> str:
    """Say why a program could not be executed."""
    if error.errno == errno.ENOENT and os.path.exists(str(error.filename)):
        return "the interpreter that its first line names does not exist"
    return error.strerror or str(error)


def _tell_openrc(path: str, name: str, verb: str) -> None:
    """Keep OpenRC's list of what is started, as service(8) does, before the script runs."""
    if verb not in ("start", "stop") or not os.path.isdir(OPENRC):
        return
    link = f"{OPENRC}/{name}"
    try:
        if verb == "stop":
            os.unlink(link)
        elif not os.path.islink(link):
            os.symlink(path, link)
    except OSError:
        pass  # a list for people to read: the script runs all the same
