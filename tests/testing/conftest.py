"""What several tests of the fakes start with."""

import signal

import pytest

from ssd import Command
from ssd.testing import FakeProcesses, dies, reloads


@pytest.fixture
def webd(fake_processes: FakeProcesses) -> Command:
    """Return the command of a program that is registered, and on no disk."""
    reactions = {signal.SIGTERM: dies(after=3), signal.SIGHUP: reloads()}
    fake_processes.register("/usr/sbin/webd", reactions=reactions)
    return Command(["/usr/sbin/webd", "-f"])
