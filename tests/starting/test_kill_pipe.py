"""The pipe that ends a future daemon with its starter."""

import fcntl

import pytest
from kit.children import python

pytestmark = pytest.mark.skipif(not hasattr(fcntl, "F_SETSIG"), reason="no F_SETSIG here")

# A starter forks a child that arms the pipe, and is killed. Prints whether the child ends, too.
KILLED = """
import os, select, signal, sys
from ssd.starting.kill_pipe import KillPipe

reader, writer = os.pipe()
starter = os.fork()
if starter == 0:
    kill_pipe = KillPipe()
    if os.fork() == 0:
        kill_pipe.arm_in_child()
        if "disarm" in sys.argv:
            kill_pipe.disarm()
        os.write(writer, b"%d" % os.getpid())
    while True:
        signal.pause()
pid = int(os.read(reader, 20))
child = os.pidfd_open(pid)
os.kill(starter, signal.SIGKILL)
os.waitpid(starter, 0)
ended = select.select([child], [], [], float(sys.argv[1]))[0] != []
print(ended)
if not ended:
    os.kill(pid, signal.SIGKILL)
"""

# The starter has closed its end before the child arms the pipe.
LATE = """
import os
from ssd.starting.kill_pipe import KillPipe
try:
    KillPipe().arm_in_child()
except BrokenPipeError:
    print("too late")
"""


def test_child_is_killed_with_its_starter() -> None:
    """Even while it waits for something else."""
    done = python(KILLED, "20")
    assert (b"True\n", b"") == (done.stdout, done.stderr)


def test_disarmed_child_outlives_its_starter() -> None:
    """The program is not killed."""
    done = python(KILLED, "0.1", "disarm")
    assert (b"False\n", b"") == (done.stdout, done.stderr)


def test_kill_pipe_that_is_armed_too_late_is_an_error() -> None:
    """The signal would never come, so it is an error."""
    done = python(LATE)
    assert (b"too late\n", b"") == (done.stdout, done.stderr)
