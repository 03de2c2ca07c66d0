"""An init script as a declaration: its verbs run in a trace, and what it gave is written down.

docs/howto/from-init-script.md says what such a trace sees, and what it cannot see.
"""

import os
import re

from ssd.cli.grammar import Unusable, Usage
from ssd.service.declaration import Service
from ssd.service.environment import DEFAULT_PATH
from ssd.service.errors import BadValue, DeclarationError
from ssd.service.importing import ends, functions, openrc, starts
from ssd.service.importing.imported import Imported, Note, Place
from ssd.service.importing.trace.running import VERB_TIMEOUT, Work, trace
from ssd.service.sources import header
from ssd.service.sources.debian import header_fields
from ssd.service.trust import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.service.importing.starts import Fields, Started

    Record = dict[str, Any]

MOST_READ = 1 << 20  # bytes of a script
MOST_PATHS = 5  # of files in one note
UNTOLD = (*starts.TEMPORARY, "/var/log/", "/run/lock/", "/dev/")  # files there are no loss
LONGEST_NAME = 15  # characters of a process's name that the kernel keeps
MOST_SAID = 200  # characters of what a script prints
_ASSIGNED = re.compile(r"^\s*(?:export\s+|readonly\s+)?(\w+)=(\"?)([^\"'`;\s]*)\2\s*(?:[;#].*)?$")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_SOURCED = re.compile(r"(?:^|[;&|]|\bthen|\bdo)\s*(?:\.|source)\s+[\"']?(/etc/[\w./$\{\}-]+)")
_LABEL = re.compile(r"^\s*\(?\s*\"?([a-z][\w\"|\s-]*)\)")
_PROGRAMS = ("/bin/", "/sbin/", "/libexec/")
# Verbs of ssd-service, and those that scripts print a usage for.
VERBS = frozenset(
    "start stop restart reload force-reload try-restart condrestart status force-stop force-start "
    "try-reload-or-restart systemd-start help usage".split()
)


def read(path: str, root: bool = True) -> Imported:
    """Import an init script by running it in a trace. Raises DeclarationError and OSError.

    Nothing is started, and nothing outside of the trace's sandbox is changed. ``root`` as for
    ``supervisord.read``.
    """
    path = os.path.abspath(path)
    check(path)
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read(MOST_READ)
        mode = os.fstat(file.fileno()).st_mode
    made = Imported()
    made.mode &= mode

    def tell(option: str, words: str, lost: bool = True) -> None:
        made.notes.append(Note(Place(path, None), option, words, lost))

    name = _name(path)
    try:
        found, record, stubborn = _traced(path, text, tell)
        fields = header_fields(header.parse(text)) | openrc.fields(record["changes"])
        changes = [each for each in record["changes"] if not openrc.is_note(each["path"])]
        record["changes"] = changes
        fields |= starts.fields(found, record, tell)
        fields |= ends.fields(record, stubborn, tell)
    except (BadValue, Usage, Unusable) as error:  # of start-stop-daemon's options
        raise DeclarationError(str(error), file=path) from None
    if fields.get("provides") == [name]:
        del fields["provides"]
    fields |= _criteria(found, record, root, tell)
    _tell_text(text, tell)
    events = record["events"]
    if os.geteuid() and any(e["kind"] == "call" and e["role"] == "changer" for e in events):
        tell("user", "su and its like cannot change the user in a trace that is not root's")
    _tell_ends(record, tell)
    made.services = [Service(file=None, name=name, **fields)]
    return made


def _name(path: str) -> str:
    """Return the name of the service: a file with a dot in its name is no declaration."""
    return os.path.basename(path).removesuffix(".sh").replace(".", "-").lstrip("-") or "unnamed"


def _traced(path: str, text: str, tell: "starts.Tell") -> "tuple[Started, Record, Record | None]":
    """Run the script; return what it started, the record, and that of a stubborn daemon.

    Raises DeclarationError if it starts nothing.
    """
    verbs = ["start", "stop"]
    verbs[1:1] = [each for each in ("reload", "force-reload") if each in text][:1]
    values = assigned(text)
    pidfiles = [
        value
        for variable, value in values.items()
        if value.startswith("/") and (value.endswith(".pid") or "PID" in variable.upper())
    ]
    work = Work(path, verbs, {"PATH": DEFAULT_PATH}, {}, pidfiles)
    there = [each for each in functions.PATHS if os.path.exists(each)]
    if not there and any(each in text for each in functions.PATHS):
        work.files = dict.fromkeys(functions.PATHS, functions.TEXT)
        tell("functions", f"{functions.PATHS[0]} is not here: a stand-in took its place", False)
    first = text.partition("\n")[0]
    if not os.access(path, os.X_OK):
        work.interpreter = first[2:].split(maxsplit=1) or ["/bin/sh"]
    if openrc.interprets(first):
        work.files[first[2:].split()[0]] = openrc.TEXT
    record = trace(work)
    found = starts.started(record)
    if found is None:
        missing = [value for value in values.values() if _is_missing_program(value)]
        if missing:
            work.programs += missing
            record = trace(work)
            found = starts.started(record)
            tell(
                "start",
                f"{' '.join(missing)}: not installed here, a stand-in took its place",
                False,
            )
    if found is None:
        raise DeclarationError(_nothing(record), file=path)
    if any(not each["background"] and "started" not in each for each in found.others):
        # What ran before the daemon must not look like one.
        work.leave = [] if found.options or found.background else found.call["words"]
        record = trace(work)
        found = starts.started(record) or found
    stubborn = None
    if ends.by_signals(record) and not list(ends.stops(record)):
        work.stubborn = True
        stubborn = trace(work)
    return found, record, stubborn


def _nothing(record: "Record") -> str:
    """Return why nothing can be imported."""
    status = record["statuses"]["start"]
    said = " ".join(record["output"]["start"].split())[-MOST_SAID:]
    words = "took too long" if status is None else f"ended with status {status}"
    return f"its start starts no daemon, and {words}" + (f"; it said: {said}" if said else "")


def assigned(text: str) -> "dict[str, str]":
    """Return the variables that a script sets to a text that can be known without running it."""
    values: dict[str, str] = {}
    for line in text.split("\n"):
        match = _ASSIGNED.match(line)
        if match is None or "$(" in match[3]:
            continue
        value = _VARIABLE.sub(lambda each: values.get(each[1], each[0]), match[3])
        if "$" not in value and match[1] not in values:
            values[match[1]] = value
    return values


def _is_missing_program(value: str) -> bool:
    return (
        value.startswith("/")
        and not os.path.exists(value)
        and any(each in value for each in _PROGRAMS)
    )


def _criteria(found: "Started", record: "Record", root: bool, tell: "starts.Tell") -> "Fields":
    """Return by what the daemon is found: pidfile, program, name."""
    every = [*([found.options] if found.options else []), *ends.stops(record)]
    given = [str(each.value("pidfile")) for each in every if each.has("pidfile")]
    pids = [str(pid) for _, pid in record["daemons"]]
    written = [
        change["path"]
        for change in record["changes"]
        if change["kind"] == "file" and change["content"].strip() in pids
    ]
    made: Fields = {}
    for path in [*given, *written][:1]:
        made["pidfile"] = path if path.startswith("/") else f"/{path}"
    many = starts.runs_others(found.program)
    if "pidfile" not in made and not found.background and many:
        tell("pidfile", f"the script knows none, and {found.program} runs more than this daemon: "
             "declare the pidfile that the daemon writes")  # fmt: skip
    elif "pidfile" not in made and (not found.background or not root):
        made |= {"pidfile": "none", "same_namespace": True}
        if not found.background:
            tell("pidfile", "the script knows none: the daemon is found by its program")
    names = [str(each.value("name")) for each in every if each.has("name")]
    if names and len(names[0]) <= LONGEST_NAME:
        made["process_name"] = names[0]
    # A pidfile that the daemon writes as another user is trusted only beside another criterion.
    alone = made.get("pidfile") == "none" or bool(found.call["uid"]) and not found.background
    by_program = any(each.executable() == found.program for each in every)
    if starts.is_script(found.program):  # start-stop-daemon never knew one by --exec
        made |= {"match_interpreted": True} if alone else {}
    elif not many and (by_program or alone) and made.get("pidfile") != "none":
        made["match_executable"] = True
    return made


def _tell_text(text: str, tell: "starts.Tell") -> None:
    """Tell what the text of a script has that no run shows: its files and its other verbs."""
    values = assigned(text)
    files = []
    for line in text.split("\n"):
        for match in [] if line.lstrip().startswith("#") else _SOURCED.finditer(line):
            path = _VARIABLE.sub(lambda each: values.get(each[1], each[0]), match[1])
            if path not in functions.PATHS and path not in files:
                files.append(path)
    for path in files:
        there = "as it is now" if os.path.exists(path) else "which is not here"
        tell("start", f"reads {path}, {there}: the declaration does not follow it", False)
    labels = [match[1] for match in map(_LABEL.match, text.split("\n")) if match]
    verbs = [word.strip('" \t') for label in labels for word in label.split("|")]
    others = sorted({verb for verb in verbs if verb and " " not in verb} - VERBS)
    if others:
        tell("verbs", f"a declaration has no {', '.join(others)}")


def _tell_ends(record: "Record", tell: "starts.Tell") -> None:
    """Tell of verbs that failed, and of files that the start wrote."""
    for verb, status in record["statuses"].items():
        said = " ".join(record["output"][verb].split())[-MOST_SAID:]
        if status is None:
            tell(verb, f"took longer than {VERB_TIMEOUT:.0f} seconds in the trace, and was ended")
        elif status and verb in ("start", "stop"):
            tell(verb, f"ended with status {status} in the trace" + (f": {said}" if said else ""))
    pids = [str(pid) for _, pid in record["daemons"]]
    paths: dict[str, list[str]] = {"removes": [], "writes": []}
    for change in record["changes"]:
        path = change["path"]
        if change["kind"] == "removed":
            paths["removes"].append(path)
        elif change["kind"] == "file" and change["content"].strip() not in pids:
            if not starts.making(change) and not path.startswith(UNTOLD):
                paths["writes"].append(path)
    for verb, several in paths.items():
        if several:
            more = f" and {len(several) - MOST_PATHS} more" if len(several) > MOST_PATHS else ""
            tell("start", f"{verb} {', '.join(several[:MOST_PATHS])}{more}")
