"""The outcomes of one verb for all declared services: for ``all VERB --json`` and ``--plan``."""

from ssd.denials import status_of
from ssd.errors import Error
from ssd.sentences import describe
from ssd.service.errors import DeclarationError, UnknownService
from ssd.service.outcome import (
    ABSENT,
    DECLARATION,
    FAILED,
    OTHER_INIT,
    UNKNOWN_SERVICE,
    USAGE,
    Outcome,
    about,
)
from ssd.service.verbs.outcomes import VERBS, carry_out, plan, stop_all
from ssd.service.verbs.performing import warn
from ssd.stdio import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.processes.contract import ProcessTable
    from ssd.service.declaration import Service
    from ssd.service.outcome import Facts
    from ssd.service.verbs.fleet import Fleet


def facts(fleet: "Fleet", verb: str, planned: bool) -> "tuple[int, list[Facts]]":
    """Do a verb to all services of a fleet, or plan it, and complain on standard error.

    Returns the highest status, and the JSON object of each service, sorted by name.
    """
    told = [shown(outcome, fleet.program) for outcome in outcomes(fleet, verb, planned)]
    return highest(told), told


def highest(told: "list[Facts]") -> int:
    """Return the highest status of JSON objects."""
    return max((int(str(each["status"])) for each in told), default=0)


def outcomes(fleet: "Fleet", verb: str, planned: bool) -> list[Outcome]:
    """Do a verb to all services of a fleet, or plan it; return the outcomes, sorted by name.

    One that fails does not stop the others. The order is that of ``Fleet.perform``.
    """
    told: list[Outcome] = []

    def fail(error: "Error | OSError", verb: str, name: str) -> int:
        told.append(broken(name, verb, error, planned, kind=DECLARATION))
        return told[-1].status

    services, _ = fleet.read(verb, fail)
    others = fleet.others([each.name for each in services])
    ours = []
    for each in services:
        if each.name in others:
            told.append(of_other_init(each, verb, others[each.name], planned))
        else:
            ours.append(each)
    from ssd.service.verbs.levels import levels

    ordered = levels(ours)
    if verb == "stop" and not planned:
        for level in reversed(ordered):
            told += stop_all(level, fleet.table)
    else:
        told += [one(s, verb, planned, fleet.table, fleet.program) for lv in ordered for s in lv]
    return sorted(told, key=lambda outcome: outcome.name)


def one(
    service: "Service", verb: str, planned: bool, table: "ProcessTable | None", program: str
) -> Outcome:
    """Do a verb to one service, or plan it; an error is an outcome, too."""
    warn(program, service, [verb])
    try:
        if planned:
            return plan(service, verb, table=table)
        return carry_out(service, verb, table, alone=True)
    except (Error, OSError) as error:
        return broken(service.name, verb, error, planned, service)


def broken(
    name: str,
    verb: "str | None",
    error: BaseException,
    planned: bool = False,
    service: "Service | None" = None,
    kind: "str | None" = None,
) -> Outcome:
    """Return the outcome of a verb that an error ended before anything was done.

    ``kind``: what an error means that says nothing of it itself.
    """
    if isinstance(error, UnknownService):
        kind = UNKNOWN_SERVICE
    elif isinstance(error, DeclarationError):
        kind = DECLARATION
    status, file = status_of(error, verb or ""), getattr(error, "file", None)
    return refused(name, verb, status, describe(error), kind, planned, service, file)


def refused(
    name: str,
    verb: "str | None",
    status: int,
    error: str,
    kind: "str | None",
    planned: bool = False,
    service: "Service | None" = None,
    file: "str | None" = None,
) -> Outcome:
    """Return the outcome of a verb that was not tried, for a reason of ``ssd.service.outcome``."""
    return Outcome(
        name,
        verb if verb in VERBS else None,
        FAILED,
        status,
        planned=planned,
        error=error,
        error_kind=kind,
        **({"declared_in": file} if service is None else about(service)),
    )


def of_other_init(service: "Service", verb: str, init: str, planned: bool) -> Outcome:
    """Have systemd or OpenRC do a verb to a service that it runs; return the outcome."""
    from ssd.service.verbs import init_outcomes

    try:
        return init_outcomes.perform(init, service, verb, planned)
    except (Error, OSError) as error:
        status = status_of(error, verb)
        return refused(service.name, verb, status, describe(error), OTHER_INIT, planned, service)


def shown(outcome: Outcome, program: str) -> "Facts":
    """Return the JSON object of an outcome, and complain on standard error as without --json.

    Raises OSError if psutil cannot read the facts of a process for a lack of memory or descriptors.
    """
    complain(outcome, program)
    if outcome.verb == "status" and not outcome.planned and outcome.error is None:
        from ssd.service.verbs.status_json import detailed

        return detailed(outcome)
    return outcome.to_dict()


def say(outcome: Outcome, program: str) -> None:
    """Print an outcome as sentences: those of a plan, and what it complains of."""
    if outcome.messages:
        write(1, "".join(f"{line}\n" for line in outcome.messages))
        outcome.complaints = [line for line in outcome.complaints if line != outcome.error]
        outcome.error = None
    complain(outcome, program)


def complain(outcome: Outcome, program: str) -> None:
    """Print complaints and the error of an outcome on standard error, each once.

    Without ``--json`` three have no program before them: a usage, an unknown service, as with
    service(8), and a program that is not installed.
    """
    lines = [f"{program}: {line}" for line in outcome.complaints]
    error = outcome.error
    if error is not None and error not in outcome.complaints:
        alone = outcome.error_kind in (USAGE, UNKNOWN_SERVICE)
        front = f"{outcome.name}: " if outcome.outcome == ABSENT else f"{program}: "
        lines.append(error if alone else f"{front}{error}")
    write(2, "".join(f"{line}\n" for line in lines))
