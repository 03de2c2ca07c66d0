"""What a command has done, as one object for other programs: JSON of one schema.

``ssd --json`` prints it, and ``ssd-service NAME status --json`` with more about the service.
docs/reference/json.md explains each key. Keys may be added; a change of a meaning is a new version.
"""

import os
import sys
import time
from math import isfinite

from ssd.errors import Error
from ssd.matching import UNKNOWN_START
from ssd.statuses import DEAD_WITH_PIDFILE, RUNNING, STOPPED, UNKNOWN

try:
    from _json import encode_basestring_ascii as _quoted
except ImportError:  # no CPython
    from json.encoder import py_encode_basestring_ascii as _quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.processes.recorded import Facts, Record

VERSION = 1
# The state for an LSB status, in the words of ``ssd.service.verbs``.
STATES = {RUNNING: "running", DEAD_WITH_PIDFILE: "dead", STOPPED: "stopped", UNKNOWN: "unknown"}


def answer(
    command: str | None,
    status: int,
    state: str,
    pidfile: str | None,
    processes: "Sequence[object]",
    *,
    steps: "Sequence[object]" = (),
    messages: "Sequence[str]" = (),
    error: str | None = None,
) -> dict[str, object]:
    """Return the keys that an answer of every command has."""
    return {
        "version": VERSION,
        "command": command,
        "status": status,
        "state": state,
        "pidfile": pidfile,
        "processes": list(processes),
        "steps": list(steps),
        "messages": list(messages),
        "error": error,
    }


def identity(process: "Process", table: "ProcessTable") -> dict[str, object]:
    """Return what identifies a process: its pid, and when it was started."""
    return {
        "pid": process.pid,
        "start_time": None if process.start_time == UNKNOWN_START else process.start_time,
        "started_at": started_at(process, table),
    }


def has_ended(process: "Process", table: "ProcessTable") -> bool:
    """Tell whether a process has ended by now; of one that cannot be read nothing says that."""
    try:
        return not process.is_still(table.process(process.pid))
    except Error:
        return False


def started_at(process: "Process", table: "ProcessTable") -> float | None:
    """Return when a process was started, in seconds since the epoch, None if that is not known.

    From its start time (``ssd.matching.Process``) and the clocks of now. The processes of a table
    that makes them itself have another clock.
    """
    if process.start_time == UNKNOWN_START or table.launcher is not None:
        return None
    if sys.platform != "linux":
        return process.start_time / 1_000_000
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_time / os.sysconf("SC_CLK_TCK")
    return round(time.time() - age, 2)  # a tick is 10 ms


def facts_of(
    found: "Facts", table: "ProcessTable", matched_by: str | None, ended: bool
) -> dict[str, object]:
    """Return the facts of a process. ``matched_by``: by what it was found, None for a new one."""
    return {
        **identity(found.process, table),
        "name": found.name,
        "cmdline": found.command_line,
        "matched_by": matched_by,
        "ended": ended,
    }


def steps_of(record: "Record") -> list[dict[str, object]]:
    """Return the steps of a record, with their times in seconds."""
    return [{"at": round(step.at, 4), "event": step.event, **step.facts} for step in record.steps]


def picture(record: "Record", table: "ProcessTable", title: str, command: str = "ssd") -> str:
    """Draw a record as SVG (``timeline``). ``command``: what to call the caller's own lane."""
    from ssd.answers import timeline

    known = {}
    origin = time.time() - record.length
    for process, facts in record.processes.items():
        started = started_at(process, table)
        # 0: it was there before, or its table has no clock to compare with.
        begin = 0.0 if started is None else max(0.0, started - origin)
        known[process.pid] = f"{facts.name or 'pid'} {process.pid}", begin
    lanes = timeline.lanes_of(steps_of(record), known, command)
    return timeline.draw(title, lanes, record.length)


def text(answer: object) -> str:
    """Return an answer as JSON, in ASCII. A byte that is no UTF-8 is shown as U+FFFD.

    As json.dumps(answer, indent=2), but to load that module takes half as long as to start Python.
    """
    return _text(answer, "\n") + "\n"


def _text(value: object, line: str) -> str:
    """Return a value as JSON; ``line``: the end of a line and the indentation of the next."""
    if isinstance(value, str):  # without the lone surrogates that stand for such bytes (PEP 383)
        return _quoted(os.fsencode(value).decode("utf-8", "replace"))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    inner = f"{line}  "
    if isinstance(value, dict):
        rows = [f"{_text(str(key), inner)}: {_text(each, inner)}" for key, each in value.items()]
        return f"{{{inner}{f',{inner}'.join(rows)}{line}}}" if rows else "{}"
    if isinstance(value, (list, tuple)):
        rows = [_text(each, inner) for each in value]
        return f"[{inner}{f',{inner}'.join(rows)}{line}]" if rows else "[]"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float) and isfinite(value):
        return float.__repr__(value)
    raise TypeError(f"{value!r} is no value of JSON")
