"""A verb for all declared services at once."""

import marshal
import os

from ssd import statuses
from ssd.errors import Error
from ssd.service import sources, verbs
from ssd.service.sources import toml
from ssd.service.verbs.performing import perform, sentence
from ssd.service.verbs.steps import Steps
from ssd.writing import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import NoReturn, TypeVar

    from ssd.service.cli import Call
    from ssd.service.declaration import Service

    Item = TypeVar("Item")
    Result = TypeVar("Result")

ALL = ("start", "stop", "status", "restart", "try-restart", "force-reload", "reload")
# A process is forked for this many items: the fork takes as long as ten of them.
MIN_SHARE = 100


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
    names = sources.names(call.directory)
    ways: set[str] = set()
    answers = map_in_processes(names, lambda name: _status(name, call, ways))
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


def levels(services: "Iterable[Service]") -> "list[list[Service]]":
    """Return the services in levels: each needs nothing but what is in levels before it.

    Required-Start and Should-Start count as far as they name one of these services, by its
    name or by what it provides. Services that wait for each other share a level. Within a
    level the order is that of the names.
    """
    left = sorted(services, key=lambda service: service.name)
    homes = {facility: s.name for s in left for facility in (s.name, *s.provides)}
    needs = {
        s.name: {homes[w] for w in s.required_start + s.should_start if w in homes} - {s.name}
        for s in left
    }
    ordered = []
    while left:
        waiting = {service.name for service in left}
        ready = [service for service in left if not needs[service.name] & waiting]
        if not ready:  # a circle: nothing says who of it is first, but it is before the others
            circle = min((_needed(each.name, needs, waiting) for each in left), key=len)
            ready = [service for service in left if service.name in circle]
        ordered.append(ready)
        left = [service for service in left if service not in ready]
    return ordered


def _needed(name: str, needs: "dict[str, set[str]]", waiting: "set[str]") -> "set[str]":
    """Return a name and those that it needs, directly or not, as far as they wait."""
    found: set[str] = set()
    ahead = {name}
    while ahead:
        found |= ahead
        ahead = {need for each in ahead for need in needs[each] & waiting} - found
    return found


def map_in_processes(
    items: "Sequence[Item]", work: "Callable[[Item], Result]", most: int | None = None
) -> "list[Result]":
    """Return what ``work`` gives for each item, in their order.

    ``most`` processes take part, as many as there are processors if None. Only for a process
    with a single thread; the results have to be plain (marshal). An exception in ``work``
    ends the whole with that of the caller's own share, or ChildProcessError.
    """
    count = min(most or os.cpu_count() or 1, len(items) // MIN_SHARE) or 1
    size = -(-len(items) // count) or 1
    shares = [items[start : start + size] for start in range(0, len(items), size)]
    helpers = [_start(each, work) for each in shares[1:]]
    results = [work(item) for item in (shares or [[]])[0]]
    for pid, reading in helpers:
        results += _finish(pid, reading)
    return results


def _start(items: "Sequence[Item]", work: "Callable[[Item], Result]") -> tuple[int, int]:
    """Fork a process for these items; return its pid and where to read its results."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _help(items, work, writing)
    os.close(writing)
    return pid, reading


def _help(items: "Sequence[Item]", work: "Callable[[Item], Result]", writing: int) -> "NoReturn":
    """Be the process that was forked."""
    status = 1
    try:
        with open(writing, "wb") as pipe:
            marshal.dump([work(item) for item in items], pipe)
        status = 0
    finally:
        os._exit(status)  # the caller's buffers and exit handlers are not ours


def _finish(pid: int, reading: int) -> "list[Result]":
    """Read the results to their end and reap the process."""
    with open(reading, "rb") as pipe:
        data = pipe.read()
    if os.waitpid(pid, 0)[1]:
        raise ChildProcessError(f"process {pid}, which had a share of the work, has failed")
    results: list[Result] = marshal.loads(data)
    return results
