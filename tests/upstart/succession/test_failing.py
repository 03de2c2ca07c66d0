"""Errors that nobody foresaw end no job, and take none of its terminals."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kit import namespace
from kit.supervise import AS_INIT, OWN_LOGS, Supervise

from upstart.cli.running import TERMINALS, write

from .test_upgraded import NAP, TALKER, talk

pytestmark = pytest.mark.requires_namespaces

FAILING = str(Path(__file__).with_name("failing.py"))


def test_jobs_go_on_in_the_same_process(tmp_path: Path) -> None:
    """It is their parent still, as process 1, and reads what they write."""
    directory = tmp_path / "d"
    write(directory, {"nap.conf": NAP, "talker.conf": TALKER})
    argv = ["sh", "-c", f'{TERMINALS} && exec "$@"', "sh", *OWN_LOGS, *AS_INIT]
    argv += [sys.executable, "-P", FAILING, f"--upstart={directory}"]
    process = subprocess.Popen(
        namespace.command(argv, keep=[directory]), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    running = Supervise(process, "python")
    try:
        running.until("nap runs as process", "talker runs as process")
        talk(running, "one")
        for name in ("fail1", "fail2"):
            running.path(f"/run/{name}").touch()
        talk(running, "two")  # its output is a turn
        running.until("nobody foresaw this", "it begins again", "talker is taken over")
        talk(running, "end")
        running.until("talker exited with status 7")
        log = running.path("/var/log/upstart/talker.log").read_text()
        assert ["said one", "said two", "said end"] == log.split("\n")[:3]
        assert 0 == running.stop()
    finally:
        running.kill()
    assert 1 == sum(" nap runs as" in line for line in running.said)
