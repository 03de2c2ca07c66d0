"""The journal of a rollout: one line for each thing that has happened, and what they add up to.

Many processes write at once, and a rollout may be killed at any moment: so a fact is one line,
appended by one write under a lock, and nothing is ever rewritten.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time

VERSION = 1
NAME = "journal.jsonl"
# A host's results; None while its restart is going on.
GOOD = ("restarted", "unchanged")
BAD = ("failed", "unreachable")


def append(directory, **fact):
    """Append a fact, with the time in epoch seconds."""
    line = json.dumps({"at": round(time.time(), 3), **plain(fact)}) + "\n"
    with open(os.path.join(directory, NAME), "a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        end = file.seek(0, os.SEEK_END)
        if end and os.pread(file.fileno(), 1, end - 1) != b"\n":
            line = "\n" + line  # after one that was not written to its end
        if file.write(line.encode()) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)


def plain(value):
    """Return a value of Ansible's as one of JSON: its strings, too, have types of their own."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value)


def read(directory):
    """Return the rollout and the records of its hosts, by name, in the order of the play.

    Raises FileNotFoundError if the directory has no journal. A line that was not written to its
    end, on a full disk, is left out.
    """
    rollout, records, done = {}, {}, {}
    with open(os.path.join(directory, NAME), encoding="utf-8") as file:
        for line in file:
            fact = _parsed(line)
            if fact is not None:
                _add(fact, rollout, records, done)
    return rollout, records


def _parsed(line):
    """Return the fact of a line; None if it was not written to its end."""
    try:
        return json.loads(line)
    except ValueError:
        return None


def _add(fact, rollout, records, done):
    """Add one fact to what is known of the rollout and its hosts."""
    event, at = fact.pop("event"), fact.pop("at")
    if event == "host":
        record = records.setdefault(fact["host"], untouched(fact["host"]))
        _merge(record, fact, done)
        record["at"] = at
        rollout["soaked"] = rollout.get("soaked", False) or record["soaked"]
    elif event == "batch":
        rollout["batch"] = fact["number"]
        rollout["batch_hosts"] = fact["hosts"]
        for host in fact["hosts"]:
            records.setdefault(host, untouched(host))["batch"] = fact["number"]
    elif event == "stopped":
        rollout["reason"] = fact["reason"]
    else:  # "begun", or "resumed" by a later run
        rollout["run_hosts"] = set(fact["hosts"])
        for host in fact.pop("hosts"):
            records.setdefault(host, untouched(host))
        rollout.update(fact, **{"began" if event == "begun" else event: at}, reason=None)
        rollout["batch"], rollout["batch_hosts"] = 0, []


def untouched(host):
    """Return the record of a host to which nothing has happened yet."""
    return {
        "host": host,
        "result": "untouched",
        "phase": None,
        "failed_in": None,
        "batch": None,
        "old_pid": None,
        "old_started_at": None,
        "new_pid": None,
        "new_started_at": None,
        "seconds": None,
        "killed": None,
        "drained": False,
        "soaked": False,
        "rc": None,
        "source": None,
        "ssd_version": None,
        "message": "",
        "notes": {},
        "at": None,
    }


def _merge(record, fact, done):
    """Add a fact to the record of its host.

    A host that was restarted, one of ``done``, stays so if a resumed rollout finds its process
    again.
    """
    notes = {**record["notes"], **fact.pop("notes", {})}
    record.update(fact, notes=notes)
    if record["result"] == "restarted":
        done[record["host"]] = {key: record[key] for key in KEPT}
    elif record["result"] == "unchanged":
        before = done.get(record["host"])
        if before and before["new_pid"] == record["new_pid"]:
            record.update(before)


KEPT = (
    *("result", "old_pid", "old_started_at", "new_pid", "new_started_at"),
    *("seconds", "killed", "message", "batch"),
)


def failures(records):
    """Return how many hosts have failed, or could not be reached."""
    return sum(record["result"] in BAD for record in records.values())
