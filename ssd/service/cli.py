"""The command ``ssd-service``: read the first word, then load only what it needs."""

import os
import posix

from ssd.service import DIRECTORY, SUPERVISORS, WORDS
from ssd.statuses import INVALID
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.service.verbs.fleet import Fleet


def main(argv: list[str], table: "ProcessTable | None" = None) -> int:
    """Run the command in a process of its own and return its exit status.

    A plain init script and systemd-start do not return: the program replaces this process.
    """
    call = Call(argv[0], table)
    words: list[str] | None = []
    try:
        _settle()
        words = call.options(argv[1:])
        return call.status if words is None else _dispatch(call, words)
    except BaseException as error:  # Python's status 1 would look like an answer
        of_directory = getattr(error, "filename", None) == call.directory
        if (words or [])[:1] == ["lsb"] and not of_directory:
            raise  # lsb.cli could not be loaded; the script knows the status of each function
        from ssd.denials import status_of
        from ssd.sentences import describe

        write(2, f"{call.program}: {describe(error)}\n")
        return status_of(error, "".join((words or [])[1:2]))


def _settle() -> None:
    """Behave as a C program does, and keep ended children until they are waited for.

    Programs that are started inherit the default action of SIGCHLD, too, as from most shells.
    """
    from ssd.signals import raw as signals
    from ssd.stdio import settle

    settle()
    if signals.getsignal(signals.SIGCHLD) == signals.SIG_IGN:
        signals.signal(signals.SIGCHLD, signals.SIG_DFL)


class Call:
    """How the command was called: its path and its options, which come first."""

    def __init__(self, path: str, table: "ProcessTable | None") -> None:
        self.path = path
        self.program = os.path.basename(path)
        self.table = table
        self.directory = DIRECTORY
        self.elsewhere = False  # whether --directory was given
        self.with_ssd = ""  # the path of this command, which is beside ssd
        self.status = 0
        # The service whose OpenRC script calls us, if one does. (os.environ has the same data.)
        self.inside = os.fsdecode(posix.environ.get(b"RC_SVCNAME", b""))

    def options(self, words: list[str]) -> list[str] | None:
        """Read the options; return the other words, None if help or the usage was printed."""
        rest, option = list(words), ""
        while rest and rest[0].startswith("-") and rest[0] != "--status-all":
            name, equals, value = rest.pop(0).partition("=")
            if name == "--directory" and (equals or rest):
                self.directory, self.elsewhere = value if equals else rest.pop(0), True
            elif name == "--with-ssd" and not equals:
                self.with_ssd = self.path
            else:
                rest, option = [], name
        if not rest:
            from ssd.service import help as help_text

            self.status = help_text.show(option, self.program)
        return rest or None

    def go_elsewhere(self) -> None:
        """Check that a directory that the caller named exists. Raises OSError."""
        if self.elsewhere:
            self.directory = self.absolute(self.directory)
            os.stat(self.directory)

    @staticmethod
    def absolute(path: str) -> str:
        """Make a path absolute. Raises OSError, with the path, if the working directory is gone."""
        try:
            return os.path.abspath(path)
        except OSError as error:
            reason = f"the working directory is gone ({error.strerror})"
            raise OSError(error.errno, reason, path) from error


def _dispatch(call: Call, words: list[str]) -> int:
    """Do what the first word asks for."""
    first, *rest = words
    if "--json" in rest or "--plan" in rest:
        from ssd.service.telling import tell

        if (status := tell(call, first, rest, _ask, _fleet)) is not None:
            return status
    call.go_elsewhere()
    if first == "lsb":
        from ssd.service.lsb import cli as lsb

        return lsb.main(rest)
    if first == "generate":
        from ssd.service.generators import cli as generators

        return generators.main(rest, call.program, call.directory)
    if first == "import":
        from ssd.service.importing import cli as importing

        return importing.main(rest, call.program, call.directory)
    if first == "--status-all":
        return _fleet(call).status_all(rest)
    is_script = "/" in first and os.path.exists(first)  # a job of Upstart may have a slash, too
    if not is_script and (status := _ask(call, first, rest)) is not None:
        return status
    if "/" in first:
        from ssd.service.interpreting import interpret

        return interpret(call, first, Call.absolute(first), rest, _ask, _perform, _fleet)
    if first == "all":
        _enter(rest)
        return _fleet(call).perform(rest)
    return _by_name(call, first, rest)


def _fleet(call: Call, directory: str = "", names: "Sequence[str] | None" = None) -> "Fleet":
    from ssd.service.verbs.fleet import Fleet

    return Fleet(call.program, directory or call.directory, call.table, call.inside, names)


def _ask(call: Call, name: str, rest: list[str], file: str | None = None) -> int | None:
    """Ask the supervisor that has a service; None if ssd-service must do the verb itself."""
    uid, home = os.geteuid(), os.fsdecode(posix.environ.get(b"HOME", b""))
    places = [SUPERVISORS, f"/tmp/ssd-{uid}/supervise"]  # ssd.supervision.places
    if uid != 0:  # if HOME is not its own, the account has another one
        own = os.path.isdir(home) and os.stat(home).st_uid == uid
        places.append(f"{home}/.cache/ssd/supervise" if own else "/")
    if call.table is not None or name not in WORDS and not any(map(os.path.exists, places)):
        return None
    from ssd.supervision.client.asking import perform

    return perform(call, name, rest, file, _fleet)


def _load() -> None:
    """Load what every verb needs, while a shell reads the declaration."""
    from ssd.service import declaration
    from ssd.service.verbs import performing

    _ = declaration, performing


def _by_name(call: Call, name: str, rest: list[str]) -> int:
    """Do a verb to the service of this name, declared or an init script, as service(8) does."""
    from ssd.service.errors import SeveralInstances
    from ssd.service.sources import locate, read

    if (path := locate(name, call.directory)) is None:
        from ssd.service.initscripts import cli as initscripts

        return initscripts.main([name, *rest], call.program, call.with_ssd, call.directory)
    _enter(rest)
    try:
        service = read(path, meanwhile=_load)
    except SeveralInstances as several:
        from ssd.service.group import perform

        return perform(call, several, rest, _ask, _fleet)
    if rest == ["--full-restart"]:
        if (status := _hand_over(call, service, rest)) is not None:
            return status
        _perform(call, service, ["stop"])
        rest = ["start"]
    return _perform(call, service, rest)


def _perform(call: Call, service: "Service", rest: list[str], script: str | None = None) -> int:
    from ssd.service.verbs.performing import perform, warn

    if (status := _hand_over(call, service, rest)) is not None:
        return status
    warn(call.program, service, rest)
    script = script or f"{call.program} {service.name}"
    if len(rest) > 1:
        from ssd.service.verbs.showing import usage

        return usage(service, script, INVALID)
    return perform(service, "".join(rest), program=call.program, script=script, table=call.table)


def _hand_over(call: Call, service: "Service", rest: list[str]) -> int | None:
    """Let another init that runs the service do the verb; None if there is none."""
    from ssd.service.verbs.performing import other_inits

    if call.table is not None or not other_inits():
        return None
    from ssd.service.verbs.inits import hand_over

    return hand_over(service, rest, call.program, call.inside)


def _enter(rest: list[str]) -> None:
    """Enter the directory and the environment that service(8) gives to an init script.

    For systemd-start only extend PATH: the program needs the supervisor's environment.
    """
    from ssd.service.environment import enter, extend_path

    if rest == ["systemd-start"]:
        extend_path()
    else:
        enter()
