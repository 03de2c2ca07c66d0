"""Trace an init script again, with other answers, until its daemon is seen for what it is.

A first trace answers as if each unknown program did its work well. That misleads a script whose
program is not installed, that reads what a program prints, or that asks its program whether it
runs already.
"""

import os

from ssd.service.environment import DEFAULT_PATH
from ssd.service.errors import DeclarationError
from ssd.service.importing import ends, functions, openrc, starts
from ssd.service.importing.trace.running import Work, trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ssd.service.importing.script_text import Script
    from ssd.service.importing.starts import Started

    Record = dict[str, Any]

MOST_SAID = 200  # characters of what a script prints
NOT_INSTALLED = "not installed here, a stand-in took its place"


def traced(script: "Script", tell: "starts.Tell") -> "tuple[Started, Record, Record | None]":
    """Run the script; return what it started, the record, and that of a stubborn daemon.

    Raises DeclarationError if it starts nothing.
    """
    work = _work(script, tell)
    found, record = _until_started(work, script, tell)
    if found is None:
        raise DeclarationError(_nothing(record), file=script.path)
    if _is_doubtful(found, record, script):
        found, record = _other_answers(work, found, record)
    if any(not each["background"] and "started" not in each for each in found.others):
        # What ran before the daemon must not look like one.
        work.leave = [] if found.options or found.background else found.call["words"]
        record = trace(work)
        found = starts.started(record) or found
    stubborn = None
    if ends.by_signals(record) and not ends.stops(record):
        work.stubborn = True
        stubborn = trace(work)
    return found, record, stubborn


def _work(script: "Script", tell: "starts.Tell") -> Work:
    """Return what to trace."""
    verbs = ["start", "stop"]
    verbs[1:1] = [each for each in ("reload", "force-reload") if each in script.text][:1]
    work = Work(script.path, verbs, {"PATH": DEFAULT_PATH}, {}, script.pidfiles())
    there = [each for each in functions.PATHS if os.path.exists(each)]
    if not there and any(each in script.text for each in functions.PATHS):
        work.files = dict.fromkeys(functions.PATHS, functions.TEXT)
        tell("functions", f"{functions.PATHS[0]} is not here: a stand-in took its place", False)
    if not os.access(script.path, os.X_OK):
        work.interpreter = script.first[2:].split(maxsplit=1) or ["/bin/sh"]
    if openrc.interprets(script.first):
        work.files[script.first[2:].split()[0]] = openrc.TEXT
    return work


def _until_started(
    work: Work, script: "Script", tell: "starts.Tell"
) -> "tuple[Started | None, Record]":
    """Trace, with stand-ins of missing programs and then with real answers, if nothing starts."""
    record = trace(work)
    found = starts.started(record)
    missing = script.missing() if found is None else []
    if missing:
        work.programs += missing
        record = trace(work)
        found = starts.started(record)
        tell("start", f"{' '.join(missing)}: {NOT_INSTALLED}", False)
    hangs = record["statuses"]["start"] is None
    asked = any(event.get("role") == "query" for event in record["events"])
    if found is None and asked and not hangs:
        work.asks = True
        record = trace(work)
        found = starts.started(record)
    return found, record


def _nothing(record: "Record") -> str:
    """Return why nothing can be imported."""
    status = record["statuses"]["start"]
    said = " ".join(record["output"]["start"].split())[-MOST_SAID:]
    words = "took too long" if status is None else f"ended with status {status}"
    return f"its start starts no daemon, and {words}" + (f"; it said: {said}" if said else "")


def _is_sure(found: "Started") -> bool:
    """Tell whether it can only be the daemon: start-stop-daemon or the background has it."""
    return found.options is not None or found.background


def _is_doubtful(found: "Started", record: "Record", script: "Script") -> bool:
    """Tell whether a program in the foreground may be another than the daemon.

    A test of the configuration is taken for it at first, and a question whether it runs.
    """
    if _is_sure(found):
        return False
    ended = any(call["found"] for call, _ in ends.calls_of(record, "stop"))
    has_another = any(each in script.text for each in ("start-stop-daemon", "start_daemon"))
    return has_another or record["statuses"]["start"] != 0 or not (ended or ends.by_signals(record))


def _other_answers(work: Work, found: "Started", record: "Record") -> "tuple[Started, Record]":
    """Trace without a daemon of this program, then with its failure; return what is sure."""
    for failing in ([], [found.call["words"]]):
        work.leave, work.failing = [], failing
        again = trace(work)
        other = starts.started(again)
        if other is not None and _is_sure(other):
            return other, again
    work.leave, work.failing = None, []
    return found, record
