"""An error that nobody foresaw ends no service."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from kit import namespace
from kit.supervise import AS_INIT, NAP, Supervise, declare

pytestmark = pytest.mark.requires_namespaces

FAILING = str(Path(__file__).parents[1] / "failing.py")


def failing(directory: Path, steady: int) -> Supervise:
    """Run a supervisor as process 1 that fails once."""
    declare(directory, {"nap": NAP})
    argv = [*AS_INIT, sys.executable, "-P", FAILING, f"--directory={directory}"]
    return Supervise(
        subprocess.Popen(
            namespace.command(argv, keep=[directory]), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={**os.environ, "STEADY": str(steady)},
        ),
        "python",
    )  # fmt: skip


def test_supervisor_begins_again_in_its_process(tmp_path: Path) -> None:
    """It names the error, and is the services' parent still: it learns how they end."""
    running = failing(tmp_path / "d", steady=0)
    try:
        running.until("nap runs as process")
        running.until("unforeseen error: RuntimeError: nobody foresaw this")
        assert "1" == running.pids_of(running.pid)[-1]
        os.kill(running.outside(running.pid_of("nap")), signal.SIGUSR1)
        running.until("nap was ended by SIGUSR1")
        assert 1 == running.stop()
    finally:
        running.kill()
    assert 1 == sum("runs as process" in line for line in running.said)


def test_error_that_comes_at_once_ends_it(tmp_path: Path) -> None:
    """It would come again."""
    running = failing(tmp_path / "d", steady=1000)
    try:
        assert 1 == running.end()
    finally:
        running.kill()
    assert "it ends: nobody foresaw this" in running.said
