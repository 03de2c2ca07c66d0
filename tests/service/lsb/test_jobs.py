"""init_is_upstart where ssd-supervise runs Upstart's jobs: scripts leave their services to them."""

import fcntl
import subprocess
from pathlib import Path

import pytest
from kit import namespace

from ssd.service.lsb.scripts import has_jobs

from . import entry_points

# $1: the directory of the commands; $2: the library; $3: a directory of jobs.
BEGIN = """
PATH=$1:$PATH
ssd-supervise --upstart "$3" > /dev/null 2>&1 &
until ssd-initctl status nap > /dev/null 2>&1; do sleep 0.05; done
. "$2"
"""
# The first lines of each verb of an init script of OpenStack's in Debian.
SCRIPT = """\
. "$LIBRARY"
case $1 in
start) init_is_upstart > /dev/null 2>&1 && exit 1; echo "starts it itself" ;;
stop) init_is_upstart > /dev/null 2>&1 && exit 0; echo "stops it itself" ;;
esac
"""


def call(ssd_path: Path, directory: Path, script: str) -> "list[str]":
    """Run a shell script with a supervisor of a job nap; return what it has printed."""
    (directory / "nap.conf").write_text("exec sleep 1000\n")
    (directory / "script").write_text(SCRIPT)
    library = entry_points.shell_library()
    words = ["sh", "-c", BEGIN + script, "sh", str(ssd_path.parent), str(library), str(directory)]
    done = subprocess.run(
        namespace.command(words, keep=[directory]), capture_output=True, text=True, timeout=60
    )
    assert "" == done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.mark.requires_namespaces
@pytest.mark.requires_root
def test_function_tells_whether_the_supervisor_runs(ssd_path: Path, tmp_path: Path) -> None:
    """A link that a killed one has left is no supervisor."""
    script = """
    init_is_upstart; echo $?
    ssd-service lsb init_is_upstart; echo $?
    kill -9 $!; wait $! 2> /dev/null
    init_is_upstart; echo $?
    [ -L /run/ssd-supervise/%upstart ]; echo $?
    ssd-supervise --upstart "$3" > /dev/null 2>&1 &
    until ssd-initctl status nap > /dev/null 2>&1; do sleep 0.05; done
    init_is_upstart; echo $?
    kill $!; wait $!
    init_is_upstart; echo $?
    [ -L /run/ssd-supervise/%upstart ]; echo $?
    """
    assert ["0", "0", "1", "0", "0", "1", "1"] == call(ssd_path, tmp_path, script)


@pytest.mark.requires_namespaces
@pytest.mark.requires_root
def test_script_of_openstack_hands_over(ssd_path: Path, tmp_path: Path) -> None:
    """As under Upstart, its start is 1 and its stop is 0, and it does nothing."""
    script = """
    export LIBRARY=$2
    for verb in start stop; do sh -e "$3/script" $verb; echo $?; done
    kill $!; wait $!
    for verb in start stop; do sh -e "$3/script" $verb; echo $?; done
    """
    own = ["starts it itself", "0", "stops it itself", "0"]
    assert ["1", "0", *own] == call(ssd_path, tmp_path, script)


def test_lock_is_what_counts(tmp_path: Path) -> None:
    """Not that there is a directory, nor a lock that nobody holds."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "run")
    assert not has_jobs(str(link))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").touch()
    assert not has_jobs(str(link))
    with (tmp_path / "run" / "lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert has_jobs(str(link))
    assert not has_jobs(str(link))
