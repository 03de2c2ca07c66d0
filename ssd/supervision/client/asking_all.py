"""``ssd-service all VERB`` where a supervisor has some or all of the services.

The rest is done by ``ssd.service.verbs.fleet``, which is loaded only if there is a rest.
"""

from ssd import statuses
from ssd.service import DIRECTORY, verbs
from ssd.stdio import write
from ssd.supervision.client import NoAnswer, Unreachable, showing
from ssd.supervision.client.rows import ask_all, ask_each, left_of, reach_all
from ssd.supervision.client.showing import ACTIONS, STDERR, STDOUT, fail
from ssd.supervision.control import answers
from ssd.supervision.places import UPSTART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssd.service.verbs.fleet import Fleet
    from ssd.supervision.client import Connection

    Rest = Callable[[str, list[str]], Fleet]  # the fleet of these names of a directory


def perform(
    program: str,
    given: str,
    words: "list[str]",
    rest: "Rest",
    names: "Sequence[str] | None" = None,
) -> "int | None":
    """Do ``all VERB`` with the supervisor of the ``given`` directory; return the highest status.

    ``names``: the services of which a status is asked for, None for all.

    A status is also that of the Upstart jobs there are; an action on all of these would be one on
    the whole machine, so it needs their directory. Returns None if there is no supervisor, or for
    other words.
    """
    if "--json" in words or "--plan" in words:
        from ssd.supervision.client import telling

        return telling.several(program, given, words, rest, names)
    looks = words == ["status"]
    if not looks and (len(words) != 1 or words[0] not in ACTIONS):
        return None
    try:
        there = reach_all(given, looks)
    except Unreachable as error:
        return fail(program, error)
    if not there:
        return None
    directory = next((each for each in there if each != UPSTART), DIRECTORY)
    try:
        if looks:
            return _statuses(there, directory, rest, names)
        return _act(program, there[directory], directory, words[0], rest)
    except NoAnswer as error:
        return fail(program, error, statuses.UNKNOWN if looks else statuses.FAILED)


def _statuses(
    there: "dict[str, Connection]",
    directory: str,
    rest: "Rest",
    names: "Sequence[str] | None",
) -> int:
    """Show one line for each service."""
    found = ask_each(there, directory)
    if names is None:
        left = left_of(found, directory)
    else:
        found = [row for row in found if row["name"] in names]
        left = [name for name in names if name not in {row["name"] for row in found}]
    highest = max(map(answers.status_of, found), default=0)
    texts = {str(row["name"]): answers.sentence(row, brief=True) for row in found}
    complaints = ""
    if left:
        status, others, complaints = rest(directory, left).sentences()
        highest, texts = max(highest, status), dict(sorted({**texts, **others}.items()))
    write(STDOUT, "".join(texts.values()))
    write(STDERR, complaints)
    return highest


def _act(program: str, connection: "Connection", directory: str, verb: str, rest: "Rest") -> int:
    """Do an action to all; those without a supervisor stop first and start last."""
    left = left_of(ask_all(connection), directory)
    highest = _act_on(rest(directory, left), verb) if left and verb == "stop" else 0
    highest = max(highest, _show(program, connection, verb))
    if left and verb != "stop":
        highest = max(highest, _act_on(rest(directory, left), verb))
    return highest


def _act_on(fleet: "Fleet", verb: str) -> int:
    """Do an action to services that no supervisor has, in the environment of all services."""
    from ssd.service.environment import enter

    enter()
    return fleet.perform([verb])


def _show(program: str, connection: "Connection", verb: str) -> int:
    """Show a console line for each service when it is through."""
    from ssd.service.console import Console

    console = Console(STDOUT)
    highest = statuses.SUCCESS
    for line in connection.ask(verb, all=True):
        if "outcome" not in line:
            if line.get("ok") is False and line.get("error") != "failed":
                write(STDERR, f"{program}: {line.get('message')}\n")
                highest = max(highest, statuses.FAILED)
            continue
        did, name = str(line.get("did", verb)), str(line["name"])
        done = showing.move(did, str(line["outcome"]))
        highest = max(highest, done.status)
        if line["outcome"] in (verbs.ABSENT, "unsupported"):
            write(STDERR, f"{program}: {name}: {line.get('message')}\n")
            continue
        console.begin(verbs.LINES[did].format(line.get("description") or name), name)
        if done.words:
            console.progress(done.words)
        console.end(min(done.status, 1))
        if done.status and line.get("message") and not done.words:
            write(STDERR, f"{program}: {name}: {line['message']}\n")
    return highest
