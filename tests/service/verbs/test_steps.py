"""The look at a service."""

import os

from ssd.service import Service
from ssd.service.verbs.steps import Steps


def test_look_finds_every_process(running, pidfile) -> None:
    """The processes that a verb acts on."""
    steps = Steps(Service(name="nap", pidfile=str(pidfile)), running)
    assert "running" == steps.look()
    assert [200] == [process.pid for process in steps.processes]
    assert os.path.exists(pidfile)
