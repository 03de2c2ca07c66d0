"""What is known of a start when its reports have ended."""

import os
import sys

import pytest
from support import python

from ssd.launch import report
from ssd.processes import default_table
from ssd.processes.identity import Process

# Executes a program while many descriptors are to be closed behind that which tells of the exec,
# so that the process has its old name for long after. Prints the name that it has for us then.
SLOW = """
import os, resource, signal, sys
from ssd.launch import report
from ssd.processes import default_table

limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 100_000)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    null = os.open(os.devnull, os.O_RDONLY)
    while os.dup(null) < limit - 1:
        pass
    os.execv("/bin/sleep", ["sleep", "1000"])
os.close(writing)
process = default_table().process(pid)
os.read(reading, 1)
assert process == report.arrived(process, None)
with open(f"/proc/{pid}/comm") as comm:
    print(comm.read(), end="")
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows how an exec goes on")
def test_a_program_that_has_arrived_has_its_name() -> None:
    """A start returns when every criterion finds what it has started."""
    assert b"sleep\n" == python(SLOW).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows how an exec goes on")
@pytest.mark.parametrize("error", [None, PermissionError, ProcessLookupError, FileNotFoundError])
def test_an_exec_is_waited_for_by_the_lock_of_the_kernel(
    error: type[OSError] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is opened waits for it, whether we are let in or not."""
    opened: list[str] = []
    plain = os.open

    def open_(path: str, flags: int, *more: int) -> int:
        opened.append(path)
        if error is not None:
            raise error
        return plain(path, flags, *more)

    process = default_table().process(os.getpid())
    assert process is not None
    with monkeypatch.context() as patch:
        patch.setattr(report.os, "open", open_)
        patch.setattr("ssd.processes.hidden.as_seen", lambda known, table: Process(known.pid, 0))
        arrived = report.arrived(process, None)
    assert [f"/proc/{os.getpid()}/auxv"] == opened
    assert (Process(os.getpid(), 0) if error is FileNotFoundError else process) == arrived
