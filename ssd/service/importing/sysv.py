"""An init script as a declaration: its verbs run in a trace, and what it gave is written down.

docs/howto/from-init-script.md says what such a trace sees, and what it cannot see.
"""

import os

from ssd.cli.grammar import Unusable, Usage
from ssd.service.declaration import Service
from ssd.service.errors import BadValue, DeclarationError
from ssd.service.importing import attempts, ends, openrc, starts
from ssd.service.importing.imported import Imported, Note, Place
from ssd.service.importing.script_text import Script
from ssd.service.importing.trace.running import VERB_TIMEOUT
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
# Files there are no loss.
UNTOLD = (*starts.TEMPORARY, "/var/log/", "/run/lock/", "/var/lock/", "/dev/")
LONGEST_NAME = 15  # characters of a process's name that the kernel keeps
MOST_SAID = 200  # characters of what a script prints


def read(path: str, root: bool = True) -> Imported:
    """Import an init script by running it in a trace. Raises DeclarationError and OSError.

    Nothing is started, and nothing outside of the trace's sandbox is changed. ``root`` as for
    ``supervisord.read``.
    """
    path = os.path.abspath(path)
    check(path)
    if not os.path.isfile(path) and os.path.exists(path):
        raise DeclarationError("must be a file", file=path)
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        text = file.read(MOST_READ)
        mode = os.fstat(file.fileno()).st_mode
    made = Imported()
    made.mode &= mode

    def tell(option: str, words: str, lost: bool = True) -> None:
        note = Note(Place(path, None), option, words, lost)
        if str(note) not in map(str, made.notes):  # a script may ask twice
            made.notes.append(note)

    script = Script(path, text)
    name = _name(path)
    try:
        found, record, stubborn = attempts.traced(script, tell)
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
    _tell_text(script, tell)
    events = record["events"]
    if os.geteuid() and any(e["kind"] == "call" and e["role"] == "changer" for e in events):
        tell("user", "su and its like cannot change the user in a trace that is not root's")
    _tell_ends(record, tell)
    made.services = [Service(file=None, name=name, **fields)]
    return made


def _name(path: str) -> str:
    """Return the name of the service: a file with a dot in its name is no declaration."""
    return os.path.basename(path).removesuffix(".sh").replace(".", "-").lstrip("-") or "unnamed"


def _criteria(found: "Started", record: "Record", root: bool, tell: "starts.Tell") -> "Fields":
    """Return by what the daemon is found: pidfile, program, name."""
    every = [*([found.options] if found.options else []), *ends.stops(record)]
    given = [str(each.value("pidfile")) for each in every if each.value("pidfile")]
    pids = [str(pid) for _, pid in record["daemons"]]
    written = [
        change["path"]
        for change in record["changes"]
        if change["kind"] == "file" and change["content"].strip() in pids
    ]
    made: Fields = {}
    for path in [*given, *written][:1]:
        made["pidfile"] = "/" + path.lstrip("/")
        if not given and found.options and any(word.endswith(path) for word in found.argv):
            tell("pidfile", f"{path} is what the arguments of the daemon name", False)
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


def _tell_text(script: Script, tell: "starts.Tell") -> None:
    """Tell what the text of a script has that no run shows: its files and its other verbs."""
    for path in script.settings():
        there = "as it is now" if os.path.exists(path) else "which is not here"
        tell("start", f"reads {path}, {there}: the declaration does not follow it", False)
    others = script.other_verbs()
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
    for line in record["output"]["start"].split("\n"):
        if "ulimit:" in line:
            tell("limits", f"the trace cannot set one that the script sets: {line.strip()}")
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
