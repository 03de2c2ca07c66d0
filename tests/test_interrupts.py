"""A process clears up before a signal ends it."""

import os
import signal

import pytest
from kit.children import python

INTERRUPTED = """
import os, signal, sys
from ssd.interrupts import Interruptible
sent, ignored = (getattr(signal, "SIG" + name) for name in sys.argv[1:3])
signal.signal(ignored, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_DFL)
with Interruptible():
    try:
        os.kill(os.getpid(), ignored)
        os.kill(os.getpid(), sent)
    finally:
        print("cleared up", flush=True)
print("went on")
"""


@pytest.mark.parametrize("name", ["HUP", "INT", "TERM"])
def test_interruptible_process_clears_up_and_ends_by_the_signal(name: str) -> None:
    """The caller sees the signal as the cause."""
    other = "HUP" if name == "TERM" else "TERM"
    done = python(INTERRUPTED, name, other)
    expected = (b"cleared up\n", -getattr(signal, f"SIG{name}"))
    assert expected == (done.stdout, done.returncode), os.fsdecode(done.stderr)
