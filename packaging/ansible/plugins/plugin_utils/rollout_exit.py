"""Complete the report when ansible-playbook ends, however it does but by SIGKILL.

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
import signal
import sys
import tempfile
import threading

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
    for signum in _SIGNALS:
        signal.signal(signum, signal.SIG_IGN)  # it takes a moment, and must not be cut
    _file.seek(0)
    for line in _file:
        directory, lock = json.loads(line)
        try:
            _say(_summary(rollout_report.write(directory, over=True), directory))
        except FileNotFoundError as error:
            _say(f"report: {directory} is gone: {error}\n")
        except OSError as error:
            _say(
                f"report: {directory} could not be written: {error}. When that is mended, "
                "ssd.daemon.rollout_report writes it from the journal there.\n"
            )
        with contextlib.suppress(OSError):  # it ends with this process in any case
            rollout_lock.release(lock, _MAIN)


def _say(text):
    with contextlib.suppress(OSError):  # the terminal has gone
        sys.stderr.write(text)
        sys.stderr.flush()


def _interrupt(signum, frame):
    """End this run as Ctrl-C does, so that what is registered with atexit runs."""
    if os.getpid() != _MAIN:  # a fork of 2.16, which has no handlers of its own
        signal.signal(signum, signal.SIG_DFL)
        os.kill(os.getpid(), signum)
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        _ctrl_c(signal.SIGINT, frame)
    finally:
        for each in _SIGNALS:  # ansible-core 2.19 has none left: a second Ctrl-C would kill it
            signal.signal(each, _again)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _again(signum, _frame):
    """End at once, but with a report: an operator has pressed Ctrl-C twice."""
    if os.getpid() == _MAIN:
        _complete()
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)


def _summary(report, directory):
    lines = rollout_report.table(report).splitlines()
    resume = lines[-2:] if lines[-2].startswith("To go on") else []
    where = f"report: {os.path.join(directory, 'report.txt')}"
    return "\n".join([lines[0], where, *resume, ""])


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Ansible's own handler ends the tasks of 2.19, and raises KeyboardInterrupt.
_ctrl_c = signal.getsignal(signal.SIGINT)
if callable(_ctrl_c) and threading.current_thread() is threading.main_thread():
    for _signum in _SIGNALS:
        if signal.getsignal(_signum) is not signal.SIG_IGN:  # as nohup(1) does
            signal.signal(_signum, _interrupt)
atexit.register(_complete)
