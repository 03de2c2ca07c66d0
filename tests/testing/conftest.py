"""Fixtures of several tests of the fakes."""

import signal

import pytest

from ssd import Command
from ssd.testing import FakeProcesses, dies, reloads


@pytest.fixture
def webd(fake_processes: FakeProcesses) -> Command:
    """Return the command of a registered program, which is not on disk."""
    reactions = {signal.SIGTERM: dies(after=3), signal.SIGHUP: reloads()}
    fake_processes.register("/usr/sbin/webd", reactions=reactions)
    return Command(["/usr/sbin/webd", "-f"])
