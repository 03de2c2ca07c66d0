"""The command among thousands of processes."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from ssd.processes.scan import CROWD

from .alone import alone

pytestmark = pytest.mark.slow

# A process and its many children, which end with it. To fork is faster than to execute.
MANY = """
import os, sys, _signal
open("/proc/self/comm", "wb").write(b"crowd")
ended, end = os.pipe()
pids = [os.getpid()]
try:
    for _ in range(int(sys.argv[1])):
        pid = os.fork()
        if not pid:
            os.close(end)
            os.read(ended, 1)
            os._exit(0)
        pids.append(pid)
except BlockingIOError:
    pids = []
print(*pids, flush=True)
os.read(0, 1)
_signal.signal(_signal.SIGCHLD, _signal.SIG_IGN)  # the kernel reaps them
"""


@alone
def test_command_searches_a_crowd_with_one_helper(ssd_path: Path) -> None:
    """It finds all, in order, and its helper is the only process that it makes, and has ended."""
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, limit))
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    making = [sys.executable, "-IS", "-c", MANY, str(CROWD + 300)]
    with subprocess.Popen(making, **piped) as many:
        pids = many.stdout.readline().split()
        if not pids:
            pytest.skip("a limit of processes (RLIMIT_NPROC, or the cgroup's)")
        with subprocess.Popen([ssd_path, "--pidof", "--name", "crowd"], **piped) as command:
            assert pids == command.stdout.read().split()
        after = os.posix_spawn("/bin/true", ["true"], {})
        os.waitpid(after, 0)
        helpers = 1 if len(os.sched_getaffinity(0)) > 1 else 0
        assert after == command.pid + helpers + 1  # the kernel gives pids in order
        seen = {int(name) for name in os.listdir("/proc") if name.isdigit()}
        assert set() == seen & {command.pid, command.pid + helpers}
