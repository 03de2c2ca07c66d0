"""Complete the report when ansible-playbook ends, however it does but by SIGKILL or SIGTERM.

Tasks run in processes forked from ansible-playbook, and none runs once a play has stopped or the
operator has pressed Ctrl-C. The linear strategy loads action plugins in ansible-playbook's own
process; so this module is imported there, and what it registers with atexit runs there alone. A
task tells it by a file, which it inherits, that there is a report to complete.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import sys
import tempfile

from ansible_collections.ssd.daemon.plugins.plugin_utils import rollout_lock, rollout_report

_MAIN = os.getpid()
_file = tempfile.TemporaryFile("w+", encoding="utf-8")


def announce(directory, lock):
    """Say from a task that this run writes the report of that directory, and holds that lock."""
    _file.seek(0, os.SEEK_END)
    print(json.dumps([directory, lock]), file=_file, flush=True)


def _complete():
    """Write the reports of this run; give its locks back."""
    if os.getpid() != _MAIN:
        return
    _file.seek(0)
    for line in _file:
        directory, lock = json.loads(line)
        with contextlib.suppress(FileNotFoundError):  # somebody removed it
            report = rollout_report.write(directory, over=True)
            sys.stderr.write(_summary(report, directory))
        rollout_lock.release(lock, _MAIN)


def _summary(report, directory):
    lines = rollout_report.table(report).splitlines()
    resume = lines[-2:] if lines[-2].startswith("To go on") else []
    where = f"report: {os.path.join(directory, 'report.txt')}"
    return "\n".join([lines[0], where, *resume, ""])


atexit.register(_complete)
