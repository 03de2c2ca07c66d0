"""Declared processes beside pyfakefs: not even a pidfile is on disk."""

import os

import pytest
from pyfakefs.fake_filesystem import FakeFilesystem

import ssd
from ssd import Match
from ssd.testing import FakeProcesses, SsdCommand

WEBD = "/usr/sbin/webd"
PIDFILE = "/run/webd/webd.pid"


@pytest.fixture
def machine(fs: FakeFilesystem, fake_processes: FakeProcesses) -> FakeProcesses:
    """Return a machine with a program and a directory that exist only there."""
    fs.create_dir(os.path.dirname(PIDFILE))
    fs.create_file(WEBD)
    fake_processes.register(WEBD)
    return fake_processes


def test_daemons_life_on_a_fake_disk(machine: FakeProcesses, ssd_command: SsdCommand) -> None:
    """The executable and the pidfile are those of the fake file system."""
    start = ["--start", "--background", "--make-pidfile", "--pidfile", PIDFILE, "--exec", WEBD]
    stop = ["--stop", "--pidfile", PIDFILE, "--exec", WEBD, "--retry", "5", "--remove-pidfile"]
    assert (0, "", "") == ssd_command(*start)
    with open(PIDFILE) as file:
        assert "101\n" == file.read()
    assert (1, 0) == (ssd_command(*start).exit_status, ssd_command(*stop).exit_status)
    assert [] == os.listdir(os.path.dirname(PIDFILE))


def test_stale_pidfile_and_a_link_on_a_fake_disk(
    machine: FakeProcesses, fs: FakeFilesystem
) -> None:
    """Links are followed by the usual rules."""
    fs.create_file(PIDFILE, contents="4711\n")
    fs.create_symlink("/run/link", PIDFILE)
    for path in (PIDFILE, "/run/link"):
        assert 1 == ssd.status(Match(pidfile=path), table=machine)
    assert [] == ssd.stop(Match(pidfile=PIDFILE), table=machine)
