"""The report of a rollout, made from its journal: report.json for programs, report.txt for people.

Each is replaced as a whole, so that a reader never sees half of one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time

from ansible_collections.ssd.daemon.plugins.plugin_utils import rollout_journal as journal
from ansible_collections.ssd.daemon.plugins.plugin_utils import rollout_lock

_LOCK = ".report.lock"
VERSION = 1  # of report.json's keys, in the role's README; keys may be added to a version
RESULTS = (*journal.GOOD, *journal.BAD, "interrupted", "running", "untouched")
STATES = ("running", "finished", "stopped", "interrupted")
_ROLLOUT = (
    *("id", "service", "check", "began", "since", "resumed", "pid", "controller", "batch"),
    *("max_failed", "reason", "resume"),
)
# Seconds for each host of the rollout between two reports while hosts are at work. To make one
# takes 0.035 ms for each host, so that is less than 1 % of the time.
_PER_HOST = 0.005


def write(directory, over=None):
    """Write both files anew; return what is in report.json.

    ``over``: whether the run has ended; None: look whether its process lives. Raises
    FileNotFoundError if there is no journal.
    """
    with open(os.path.join(directory, _LOCK), "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _write(directory, over)


def write_sometimes(directory):
    """Write both files anew, unless that was just done or is being done.

    The whole report for each host would take a time that grows with the square of their number.
    """
    with open(os.path.join(directory, _LOCK), "a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        # The lock's file was changed with the report, and has the number of hosts as its size.
        last = os.fstat(lock.fileno())
        if not 0 <= time.time() - last.st_mtime < _PER_HOST * last.st_size:
            # A worker may outlive its ansible-playbook: it looks whether that lives.
            _write(directory, None)


def _write(directory, over):
    report = made(*journal.read(directory), over)
    _replace(os.path.join(directory, "report.json"), json.dumps(report, indent=1) + "\n")
    _replace(os.path.join(directory, "report.txt"), table(report))
    os.truncate(os.path.join(directory, _LOCK), len(report["hosts"]))
    os.utime(os.path.join(directory, _LOCK))
    return report


def _replace(path, text):
    new = f"{path}.new"
    try:
        with open(new, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(new, path)
    except OSError:
        with contextlib.suppress(OSError):  # the first error tells why
            os.unlink(new)
        raise


def made(rollout, records, over=None):
    """Return the report on a rollout and the records of its hosts."""
    if over is None:
        over = not rollout_lock.lives(rollout)
    hosts = [_shown(record, over) for record in records.values()]
    counts = dict.fromkeys(RESULTS, 0)
    for host in hosts:
        counts[host["result"]] += 1
    bad = sum(counts[result] for result in journal.BAD)
    left = sum(counts[result] for result in ("interrupted", "running", "untouched"))
    if not left and bad <= rollout["max_failed"]:
        state = "finished"
    elif not over:
        state = "running"
    else:
        state = "stopped" if bad or rollout.get("reason") else "interrupted"
    return {
        "version": VERSION,
        "state": state,
        **{key: rollout.get(key) for key in _ROLLOUT},
        "reason": rollout.get("reason") or _left_out(rollout, hosts, over),
        "updated": round(time.time(), 3),
        "counts": counts,
        "hosts": hosts,
    }


def _left_out(rollout, hosts, over):
    """Return that hosts of an earlier run were not among those of the last one; None if all were.

    They may have gone from the inventory, or --limit has left them out.
    """
    names = [
        host["host"] for host in hosts
        if host["host"] not in rollout["run_hosts"] and host["result"] not in journal.GOOD
    ]  # fmt: skip
    if not names or not over:
        return None
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return f"not among the hosts of the last run: {shown}"


def _shown(record, over):
    """Return a record as in the report: what goes on is interrupted once all is over.

    A host goes on until its resume hook has ended, also if it has its new process.
    """
    shown = dict(record)
    unresumed = shown["drained"] and shown["result"] in journal.GOOD
    if shown["result"] is None or unresumed:
        shown["result"] = "interrupted" if over else "running"
        if over and (unresumed or not shown["message"]):
            phase = "resume" if unresumed else shown["phase"]
            shown["message"] = f"the run ended, or lost the host, in its {phase}"
    return shown


def table(report):
    """Return the report as text."""
    would = "would be " if report["check"] else ""
    lines = [
        f"{report['service']}: {'prediction' if report['check'] else 'rollout'} {report['state']}, "
        + ", ".join(f"{number} {result}" for result, number in report["counts"].items() if number),
        f"began {_moment(report['began'])}, report of {_moment(report['updated'])}",
    ]
    if report["reason"]:
        lines.append(report["reason"])
    rows = [("host", "result", "old pid", "new pid", "seconds", "KILL", "message")]
    for host in report["hosts"]:
        result = host["result"]
        rows.append((
            host["host"],
            (would if result == "restarted" else "") + result,
            _cell(host["old_pid"]),
            _cell(host["new_pid"]),
            "-" if host["seconds"] is None else f"{host['seconds']:.1f}",
            {True: "yes", False: "no", None: "-"}[host["killed"]],
            " ".join([*(["(drained)"] if host["drained"] else []), *host["message"].split()]),
        ))  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines.append("")
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
    if report["state"] not in ("finished", "running") and not report["check"]:
        lines += ["", "To go on with the rest:", f"  {report['resume']}"]
    return "\n".join(lines) + "\n"


def _cell(value):
    return "-" if value is None else str(value)


def _moment(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
