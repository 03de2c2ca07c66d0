"""A verb for all declared services at once."""

from ssd import statuses
from ssd.errors import Error
from ssd.service import sources, verbs
from ssd.service.sources import toml
from ssd.service.verbs.performing import perform, sentence
from ssd.service.verbs.steps import Steps
from ssd.writing import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.cli import Call
    from ssd.service.declaration import Service

ALL = ("start", "stop", "status", "restart", "try-restart", "force-reload", "reload")


def perform_all(call: "Call", words: list[str]) -> int:
    """Do ``all VERB``; return 0 if it went well for every service, else the highest status."""
    verb, options = words[0] if words else "", words[1:]
    if verb not in ALL or options not in ([], ["--json"]) or options and verb != "status":
        write(2, f"Usage: {call.program} all {{{'|'.join(ALL)}}}\n")
        return statuses.UNIMPLEMENTED
    if options:
        return _facts(call)
    if verb == "status":
        return _statuses(call)
    services, broken = _read(call, verb)
    from ssd.service.verbs.order import levels

    found = [broken]
    ordered = levels(services)
    others = _others(call, [each.name for each in services])
    if verb == "stop":
        from ssd.service.verbs.stopping import stop_level

        for level in reversed(ordered):
            ours = [each for each in level if each.name not in others]
            theirs = [each for each in level if each.name in others]
            found += [_perform(call, each, verb, others) for each in theirs]
            found += stop_level(ours, call.program, call.table)
    else:
        found += [_perform(call, each, verb, others) for level in ordered for each in level]
    return max(found)


def _others(call: "Call", names: list[str]) -> dict[str, str]:
    """Return the services that another init runs, with that."""
    from ssd.service.cli import other_inits

    if call.table is not None or not other_inits():
        return {}
    from ssd.service.verbs.inits import runners

    return runners(names, call.inside)


def _perform(call: "Call", service: "Service", verb: str, others: dict[str, str]) -> int:
    """Do it to one; a declaration that lacks something does not hold up the others."""
    from ssd.service.cli import warn

    if service.name in others:
        from ssd.service.verbs import inits

        return inits.perform(others[service.name], service, verb, call.program)
    script = f"{call.program} {service.name}"
    warn(call.program, service, [verb])
    try:
        return perform(service, verb, program=call.program, script=script, table=call.table)
    except (Error, OSError) as error:
        return _fail(call, error, verb)


def _fail(call: "Call", error: "Error | OSError", verb: str) -> int:
    """Say what went wrong; return the status that it is for a verb by name, too."""
    from ssd.service.wording import describe, exit_status

    write(2, f"{call.program}: {describe(error)}\n")
    return exit_status(error, verb)


def _read(call: "Call", verb: str) -> "tuple[list[Service], int]":
    """Read all declarations; those that cannot be meant are told of and left out."""
    services, status = [], 0
    for name in sources.names(call.directory):
        try:
            services.append(sources.find(name, call.directory))
        except (Error, OSError) as error:
            status = max(status, _fail(call, error, verb))
    return services, status


def _facts(call: "Call") -> int:
    """Print the facts of all as a JSON list."""
    import json

    from ssd.service.verbs.facts import gather

    services, status = _read(call, "status")
    gathered = []
    others = _others(call, [each.name for each in services])
    for service in services:
        if service.name in others:
            from ssd.service.verbs.inits import refuse_facts

            status = max(status, refuse_facts(others[service.name], service, call.program))
            continue
        try:
            found, facts = gather(service, call.table)
        except Error as error:
            found = _fail(call, error, "status")
        else:
            gathered.append(facts)
        status = max(status, found)
    write(1, json.dumps(gathered, indent=2) + "\n")
    return status


def _statuses(call: "Call") -> int:
    """Ask after all, in as many processes as there are processors, and print in order."""
    from ssd.service.verbs.sharing import share

    names = sources.names(call.directory)
    ways: set[str] = set()
    answers = share(names, lambda name: _status(name, call, ways))
    write(1, "".join(text for _, text, _ in answers))
    write(2, "".join(f"{call.program}: {line}\n" for *_, lines in answers for line in lines))
    return max((status for status, _, _ in answers), default=0)


def _status(name: str, call: "Call", ways: set[str]) -> tuple[int, str, list[str]]:
    """Return the LSB status of one service, what is said of it, and complaints."""
    try:
        service = _find(name, call.directory, ways)
        other = _others(call, [service.name]).get(service.name)
        if other is not None:
            from ssd.service.verbs.inits import NAMES

            return statuses.SUCCESS, f"{service.name} is running, {NAMES[other]} runs it\n", []
        steps = Steps(service, call.table)
        outcome = steps.look()
    except (Error, OSError) as error:
        from ssd.service.wording import describe, exit_status

        return exit_status(error, "status"), "", [describe(error)]
    status = verbs.decide("status", verbs.LOOK, outcome).status
    return status, sentence(steps, outcome, brief=True), steps.complaints


def _find(name: str, directory: str, ways: set[str]) -> "Service":
    """Return a declaration that was listed; most are in TOML, and need not be looked for."""
    try:
        return toml.read(f"{directory}/{name}.toml", ways=ways)
    except FileNotFoundError:
        return sources.find(name, directory)


def status_all(call: "Call", words: list[str]) -> int:
    """Do ``--status-all``: declared services and init scripts, as service(8) shows them."""
    from ssd.service.initscripts import status_all as inquiry

    ways: set[str] = set()

    def ask(name: str) -> tuple[int, str]:
        status, _, complaints = _status(name, call, ways)
        return status, "; ".join(complaints)

    declared = {name: lambda name=name: ask(name) for name in sources.names(call.directory)}
    return inquiry.main(words, call.program, declared)
