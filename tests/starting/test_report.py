"""The reports of a start, and the result at their end."""

import errno
import os
import select
import sys
import threading

import pytest
from kit.children import python

from ssd.errors import StartFailed
from ssd.matching import Process
from ssd.processes import default_table
from ssd.starting import report

# Executes a program while many descriptors must be closed after the one that reports the exec, so
# that the process keeps its old name for a long time. Prints the name that we see then.
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


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows how an exec proceeds")
@pytest.mark.parametrize("vfork", [[""], ["1"]], ids=["fork", "vfork"])
def test_executed_program_has_its_name(vfork: list[str]) -> None:
    """A start returns when every criterion finds the process.

    After vfork(2), as for a child, the pipe closes before the process has its new name.
    """
    done = python(SLOW, *vfork)
    if b"TypeError" in done.stderr:
        pytest.skip("the fork_exec of this Python takes something else")
    assert b"sleep\n" == done.stdout, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows how an exec proceeds")
@pytest.mark.parametrize("error", [None, PermissionError, ProcessLookupError, FileNotFoundError])
def test_after_exec_waits_for_the_lock_of_the_kernel(
    error: type[OSError] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open(2) waits for it, permitted or not."""
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


def test_report_may_arrive_in_many_parts() -> None:
    """A long text may have four bytes for each character: more than one atomic write."""
    reading, writing_end = os.pipe()
    text = "\N{GRINNING FACE}" * 2000
    report.send_error(writing_end, StartFailed("exec", text, errno.ENOENT, text))
    whole = os.read(reading, 65536)
    assert select.PIPE_BUF < len(whole)

    def tell() -> None:
        for number in range(len(whole)):
            os.write(writing_end, whole[number : number + 1])
        os.close(writing_end)

    teller = threading.Thread(target=tell)
    teller.start()
    ((_, values),) = report.receive(reading)
    teller.join()
    os.close(reading)
    error = report.error_from(values)
    assert isinstance(error, StartFailed)
    assert (text[:1000], text[:1000]) == (error.detail, error.reason)


def test_incomplete_report_is_ignored() -> None:
    """The sender was killed; earlier messages count."""
    reading, writing_end = os.pipe()
    report.send(writing_end, "warning", "first")
    report.send(writing_end, "warning", "second")
    both = os.read(reading, 4096)
    os.write(writing_end, both[:-3])
    os.close(writing_end)
    assert [("warning", ["first"])] == list(report.receive(reading))
    os.close(reading)


class LateFailure(StartFailed):
    """A failure of a class that reports do not know."""


def test_subclass_is_reported_as_its_nearest_class() -> None:
    """It keeps its fields; an error of another kind becomes a StartFailed of stage "internal"."""
    reading, writing_end = os.pipe()
    report.send_error(writing_end, LateFailure("nice", "5", errno.EPERM, "not permitted"))
    report.send_error(writing_end, KeyError("x"))
    os.close(writing_end)
    late, internal = (report.error_from(values) for _, values in report.receive(reading))
    os.close(reading)
    assert isinstance(late, StartFailed)
    assert isinstance(internal, StartFailed)
    assert (StartFailed, "nice", errno.EPERM) == (type(late), late.stage, late.errno)
    assert ("internal", "KeyError('x')") == (internal.stage, internal.detail)
