"""``ssd-service SCRIPT VERB``: the interpreter of a declaration in shell."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ssd.service.cli import Call
    from ssd.service.declaration import Service
    from ssd.service.group import MakeFleet

    Ask = Callable[..., int | None]
    Perform = Callable[[Call, Service, list[str], str], int]


def interpret(
    call: "Call",
    path: str,
    whole: str,
    rest: "list[str]",
    ask: "Ask",
    perform: "Perform",
    fleet: "MakeFleet",
) -> int:
    """Act as the interpreter of the script ``path``; ``rest`` is the verb.

    ``whole``: its absolute path. A script with its own interpreter and verbs is run as it is.
    ``ask`` asks the supervisor that has the service, ``perform`` does the verb, ``fleet``
    makes a fleet of all instances of a template.
    """
    from ssd.service.errors import SeveralInstances
    from ssd.service.sources import read

    if whole.endswith(".conf"):
        from ssd.service.sources.upstart import A_JOB
        from ssd.statuses import UNIMPLEMENTED, UNKNOWN
        from ssd.stdio import write

        write(2, f"{call.program}: {path}: {A_JOB}\n")
        return UNKNOWN if rest[:1] == ["status"] else UNIMPLEMENTED
    if has_verbs(whole):
        from ssd.service.initscripts import cli as initscripts

        return initscripts.run_file(whole, rest, call.program, call.with_ssd)
    from ssd.service.environment import extend_path

    extend_path()
    try:
        service = read(whole, meanwhile=load)
    except SeveralInstances as several:
        call.directory, call.elsewhere = os.path.dirname(whole), True
        from ssd.service.group import perform as perform_all

        return perform_all(call, several, rest, ask, fleet)
    status = ask(call, service.name, rest, os.path.realpath(whole))
    if status is not None:
        return status
    return perform(call, service, rest, os.environ.get("SCRIPTNAME") or path)


def has_verbs(path: str) -> bool:
    """Tell whether a file is a script with verbs of its own, and not a declaration."""
    if path.endswith(".toml") or not os.path.isfile(path):  # a pipe could not be read again
        return False
    from ssd.service.programs import first_line

    first = first_line(path)
    if not first.startswith("#!") or "ssd-service" in first:
        return False
    from ssd.service.sources.shell import has_verbs as text_has_verbs

    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return text_has_verbs(file.read())


def load() -> None:
    """Load what every verb needs, while a shell reads the declaration."""
    from ssd.service import declaration
    from ssd.service.verbs import performing

    _ = declaration, performing
