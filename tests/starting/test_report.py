"""What is known of a start when its reports have ended."""

import os
import sys

import pytest
from kit.children import python

from ssd.matching import Process
from ssd.processes import default_table
from ssd.starting import report

# Executes a program while many descriptors are to be closed behind that which tells of the exec,
# so that the process has its old name for long after. Prints the name that it has for us then.
SLOW = """
import os, resource, signal, sys
from _posixsubprocess import fork_exec
from ssd.starting import report
from ssd.matching import Process

limit = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 100_000)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
reading, writing = os.pipe()
null = os.open(os.devnull, os.O_RDONLY)
while os.dup(null) < limit - 20:
    pass
pid = fork_exec(
    [b"sleep", b"1000"], [b"/bin/sleep"], False, (writing,), None, None,
    -1, -1, -1, -1, -1, -1, reading, writing, False, False, -1, None, None, None, -1, None,
    *map(bool, sys.argv[1:]),
)
try:
    os.close(writing)
    process = Process(pid, 1)
    os.read(reading, 1)
    assert process is report.after_exec(process, None)
    comm = os.open(f"/proc/{pid}/comm", os.O_RDONLY)
    os.write(1, os.read(comm, 16))
finally:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows how an exec goes on")
@pytest.mark.parametrize("vfork", [[""], ["1"]], ids=["fork", "vfork"])
def test_program_that_has_arrived_has_its_name(vfork: list[str]) -> None:
    """A start returns when every criterion finds what it has started.

    After vfork(2), as for a child, its parent is told of the exec before it has the name.
    """
    done = python(SLOW, *vfork)
    if b"TypeError" in done.stderr:
        pytest.skip("the fork_exec of this Python takes something else")
    assert b"sleep\n" == done.stdout, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody knows how an exec goes on")
@pytest.mark.parametrize("error", [None, PermissionError, ProcessLookupError, FileNotFoundError])
def test_exec_is_waited_for_by_the_lock_of_the_kernel(
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
        arrived = report.after_exec(process, None)
    assert [f"/proc/{os.getpid()}/auxv"] == opened
    assert (Process(os.getpid(), 0) if error is FileNotFoundError else process) == arrived
