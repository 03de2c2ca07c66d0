"""Children are waited for and signalled by pidfd, or by pid without one."""

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from ssd.processes import reaping


def start(*argv: str) -> int:
    """Start a child and return its pid; the test reaps it, not Popen."""
    process = subprocess.Popen(argv)
    process.returncode = 0
    return process.pid


@pytest.fixture(params=["by pidfd", "by pid"])
def child(request: pytest.FixtureRequest) -> Iterator[tuple[int, int]]:
    """Start a child that sleeps; return its pid and its pidfd, -1 for none."""
    if request.param == "by pidfd" and not reaping._BY_PIDFD:
        pytest.skip("the system cannot wait by a pidfd")
    pid = start("sleep", "1000")
    pidfd = os.pidfd_open(pid) if request.param == "by pidfd" else -1
    yield pid, pidfd
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    if pidfd >= 0:
        os.close(pidfd)


def test_reap_returns_the_status_once(child: tuple[int, int]) -> None:
    """None while it runs, then minus the signal, then an error."""
    assert None is reaping.reap(*child)
    reaping.send(*child, signal.SIGTERM)
    reaping.await_end(*child)
    assert reaping.is_ours(*child)
    assert -signal.SIGTERM == reaping.reap(*child)
    with pytest.raises(ChildProcessError):
        reaping.reap(*child)
    reaping.await_end(*child)


def test_reap_can_block_until_the_end() -> None:
    """An exit status is returned as it is."""
    assert 7 == reaping.reap(start("sh", "-c", "exit 7"), -1, block=True)


def test_child_that_other_code_reaped_is_known_by_its_pidfd(child: tuple[int, int]) -> None:
    """Without one it counts as ours."""
    pid, pidfd = child
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert (pidfd < 0) == reaping.is_ours(pid, pidfd)
    with pytest.raises(ProcessLookupError):
        reaping.send(pid, pidfd, 0)


def test_close_takes_a_descriptor_from_the_list_once() -> None:
    """A second call finds nothing to close."""
    fds = [os.open(os.devnull, os.O_RDONLY), 12345]
    first = fds[0]
    reaping.close(fds)
    assert [12345] == fds
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(first)
    empty: list[int] = []
    reaping.close(empty)
    assert [] == empty
