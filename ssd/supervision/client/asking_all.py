"""``ssd-service all VERB`` where a supervisor has some or all of the services.

The rest is done by ``ssd.service.verbs.fleet``, which is loaded only if there is a rest.
"""

from ssd import statuses
from ssd.service import DIRECTORY, sources, verbs
from ssd.stdio import write
from ssd.supervision.client import Connection, NoAnswer, Unreachable, find, showing
from ssd.supervision.client.showing import ACTIONS, STDERR, STDOUT, fail
from ssd.supervision.control import answers
from ssd.supervision.places import UPSTART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ssd.service.verbs.fleet import Fleet

    Facts = dict[str, object]
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
    looks = words in (["status"], ["status", "--json"])
    if not looks and (len(words) != 1 or words[0] not in ACTIONS):
        return None
    there: dict[str, Connection] = {}
    try:
        for directory, connection in find(given):
            if looks or directory != UPSTART:
                there[directory] = connection
            if not looks:
                break
    except Unreachable as error:
        if not there:
            return None if looks else fail(program, error)
    if not there:
        return None
    directory = next((each for each in there if each != UPSTART), DIRECTORY)
    try:
        if looks:
            return _statuses(there, directory, words, rest, names)
        return _act(program, there[directory], directory, words[0], rest)
    except NoAnswer as error:
        return fail(program, error, statuses.UNKNOWN if looks else statuses.FAILED)


def _ask_all(connection: Connection, details: bool = False) -> "list[Facts]":
    """Return the facts of all services, sorted by name; ``details``: also what is declared."""
    found: list[Facts] = []
    for line in connection.ask("status", all=True, details=details or None):
        rows = line.get("services")
        if isinstance(rows, list):
            found += rows
        elif line.get("ok") is False:
            raise NoAnswer(connection.path, f"says: {line.get('message')}")
    return found


def _ask_each(there: "dict[str, Connection]", directory: str, details: bool) -> "list[Facts]":
    """Return the facts of all services of several supervisors; no job of a declared name counts."""
    found: dict[str, Facts] = {}
    declared = sources.names(directory) if UPSTART in there else []
    for place, connection in there.items():
        for row in _ask_all(connection, details):
            name = str(row["name"])
            if place != UPSTART or name not in declared:
                found.setdefault(name, row)
    return [found[name] for name in sorted(found)]


def _left(found: "list[Facts]", directory: str) -> "list[str]":
    """Return the names of declared services that the supervisor does not have."""
    have = {row.get("declared_as") or row["name"] for row in found}
    left = [name for name in sources.names(directory) if name not in have]
    if left:
        from ssd.service.sources.instances import expanded

        left = [name for name in expanded(left, directory) if name not in have]
    return left


def _statuses(
    there: "dict[str, Connection]",
    directory: str,
    words: "list[str]",
    rest: "Rest",
    names: "Sequence[str] | None",
) -> int:
    """Show one line for each service, or all facts."""
    as_json = len(words) > 1
    found = _ask_each(there, directory, as_json)
    if names is None:
        left = _left(found, directory)
    else:
        found = [row for row in found if row["name"] in names]
        left = [name for name in names if name not in {row["name"] for row in found}]
    highest = max(map(answers.status_of, found), default=0)
    if as_json:
        return _facts(found, directory, left, highest, rest)
    texts = {str(row["name"]): answers.sentence(row, brief=True) for row in found}
    complaints = ""
    if left:
        status, others, complaints = rest(directory, left).sentences()
        highest, texts = max(highest, status), dict(sorted({**texts, **others}.items()))
    write(STDOUT, "".join(texts.values()))
    write(STDERR, complaints)
    return highest


def _facts(
    found: "list[Facts]", directory: str, left: "list[str]", highest: int, rest: "Rest"
) -> int:
    from ssd.service.verbs.status_json import supervised, write_json

    gathered = [
        supervised(row, answers.status_of(row), answers.facts_of_json(row)) for row in found
    ]
    if left:
        status, others = rest(directory, left).facts()
        highest, gathered = max(highest, status), [*gathered, *others]
    write_json(sorted(gathered, key=lambda each: str(each["name"])))
    return highest


def _act(program: str, connection: Connection, directory: str, verb: str, rest: "Rest") -> int:
    """Do an action to all; those without a supervisor stop first and start last."""
    left = _left(_ask_all(connection), directory)
    highest = rest(directory, left).perform([verb]) if left and verb == "stop" else 0
    highest = max(highest, _show(program, connection, verb))
    if left and verb != "stop":
        highest = max(highest, rest(directory, left).perform([verb]))
    return highest


def _show(program: str, connection: Connection, verb: str) -> int:
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
