"""Signals reach a supervisor's loop, whenever they come."""

import signal

from kit.children import python

TWICE = """
import os, signal, sys
from ssd.supervision.cli.inbox import Inbox, is_ignored
from ssd.supervision.watch import EpollWatch

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
signal.signal(signal.SIGINT, signal.SIG_IGN)
watch, taken = EpollWatch(), []
Inbox([signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD], taken.append).join(watch)
print(is_ignored(signal.SIGINT), is_ignored(signal.SIGTERM))
print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))
for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
    os.kill(os.getpid(), each)
watch.wait(None)
watch.poll()
print(list(map(int, taken)))
"""
MANY = """
import os, signal
from ssd.supervision.cli.inbox import Inbox
from ssd.supervision.watch import EpollWatch

watch, taken = EpollWatch(), []
Inbox([signal.SIGUSR1, signal.SIGTERM], taken.append).join(watch)
for _ in range(70_000):  # more than a pipe holds
    os.kill(os.getpid(), signal.SIGUSR1)
os.kill(os.getpid(), signal.SIGTERM)
watch.poll()
print(list(map(int, taken)))
"""


def test_signals_that_come_before_the_wait_end_it() -> None:
    """Each once, the first one first; none stays blocked, and an ignored one stays ignored."""
    done = python(TWICE)
    wanted = f"True False\nset()\n[{int(signal.SIGTERM)}, {int(signal.SIGHUP)}]\n"
    assert (wanted, b"") == (done.stdout.decode(), done.stderr)


def test_full_pipe_loses_no_signal() -> None:
    """It only wakes; the numbers are kept elsewhere."""
    done = python(MANY)
    wanted = f"[{int(signal.SIGUSR1)}, {int(signal.SIGTERM)}]\n"
    assert (wanted, b"") == (done.stdout.decode(), done.stderr)
