"""Ubuntu's job of nova-compute, unmodified, from the event that starts it to its end.

data/nova-compute.conf is that of Ubuntu's package nova-compute. It waits for libvirt-bin and
neutron-ovs-cleanup, which a test lets go by a FIFO, or which take the seconds that they say.
"""

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from . import world as machines
from .world import Machine, finished, stub

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(machines.obstacle()), reason=machines.obstacle() or "it can be made"),
]

NOVA = Path(__file__).parents[1].joinpath("data", "nova-compute.conf").read_text()
RUNLEVEL = "initctl emit runlevel RUNLEVEL=2"
# As the real one, it leaves at TERM.
COMPUTE = """#!/bin/sh
echo "$0 $*, $(id -un), in $(pwd)"
trap 'echo nova-compute leaves; exit 0' TERM
while :; do /bin/sleep 1000 & wait; done
"""
FILES = {
    "/usr/bin/nova-compute": COMPUTE,
    "/etc/nova/nova.conf": "[DEFAULT]\n",
    "/etc/nova/nova-compute.conf": "[DEFAULT]\n",
    "/usr/sbin/modprobe": stub(),
}
CONFIG = "--config-file=/etc/nova/nova.conf --config-file=/etc/nova/nova-compute.conf"
RUNS = f"/usr/bin/nova-compute {CONFIG}, nova, in /\n"
WAITER = "wait-for-state WAITER=nova-compute WAIT_FOR=libvirt-bin"


def held(name: str) -> str:
    """Return a job that is up when the test has written into its FIFO."""
    return f"pre-start script\nread word < /srv/{name}\nend script\nexec /bin/sleep 1000\n"


def takes(seconds: int) -> str:
    """Return a job that is up after so many seconds."""
    return f"pre-start exec /bin/sleep {seconds}\nexec /bin/sleep 1000\n"


FAILS = "pre-start exec false\nexec /bin/sleep 1000\n"

Make = Callable[..., Machine]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes a machine with nova's job, other jobs and files."""
    with ExitStack() as stack:

        def make(
            jobs: "dict[str, str] | None" = None,
            files: "dict[str, str] | None" = None,
            words: tuple[str, ...] = (),
        ) -> Machine:
            made: AbstractContextManager[Machine] = machines.machine(
                tmp_path, {"nova-compute": NOVA, **(jobs or {})}, {**FILES, **(files or {})}, *words
            )
            return stack.enter_context(made)

        yield make


def test_nova_waits_for_what_it_needs(make: Make) -> None:
    """For libvirt-bin by wait-for-state, then for neutron-ovs-cleanup, which it pushes itself."""
    needed = {name: held(name) for name in ("libvirt-bin", "neutron-ovs-cleanup")}
    machine = make(needed)
    machine.out("mkfifo /srv/libvirt-bin /srv/neutron-ovs-cleanup")
    emit = machine.begin(RUNLEVEL)
    machine.until_status("libvirt-bin", "start/pre-start")
    assert "nova-compute start/pre-start" == machine.status("nova-compute")
    assert "start/running" in machine.out(f"status {WAITER}")
    assert "neutron-ovs-cleanup stop/waiting" == machine.status("neutron-ovs-cleanup")
    machine.out("echo go > /srv/libvirt-bin")
    machine.until_status("neutron-ovs-cleanup", "start/pre-start")
    assert "libvirt-bin start/running" == machine.status("libvirt-bin")
    assert "Unknown instance" in machine.sh(f"status {WAITER}").stderr
    assert "nova-compute start/pre-start" == machine.status("nova-compute")
    assert emit.poll() is None
    assert "uid" not in machine.log("nova-compute")
    machine.out("echo go > /srv/neutron-ovs-cleanup")
    assert (0, "") == finished(emit)
    assert "nova-compute start/running" == machine.status("nova-compute")
    machine.until_log("nova-compute", RUNS)


def test_life_of_nova_second_by_second(make: Make) -> None:
    """libvirt-bin takes two seconds and neutron-ovs-cleanup one; nova looks again after another."""
    machine = make({"libvirt-bin": takes(2), "neutron-ovs-cleanup": takes(1)})
    began = time.monotonic()
    emit = machine.begin(RUNLEVEL)
    machine.until_status("libvirt-bin", "start/running")
    libvirt = time.monotonic() - began
    machine.until_status("neutron-ovs-cleanup", "start/running")
    neutron = time.monotonic() - began
    assert (0, "") == finished(emit)
    all_of_it = time.monotonic() - began
    machine.until_log("nova-compute", RUNS)
    log = re.sub(r"process \d+", "process N", machine.log("nova-compute"))
    log = re.sub(r"stop/killed.*", "stop/waiting", log)  # as the moment would have it
    expected = (
        "libvirt-bin stop/waiting\n"
        "wait-for-state stop/waiting\n"
        "neutron-ovs-cleanup stop/waiting\n"
        "neutron-ovs-cleanup stop/waiting\n"
        "Attempting to start neutron-ovs-cleanup\n"
        "neutron-ovs-cleanup start/running, process N\n"
        "Recheck neutron-ovs-cleanup status in 1s\n"
        "neutron-ovs-cleanup start/running, process N\n"
    )
    assert expected + RUNS == re.sub(r"wait-for-state \(.*?\) ", "wait-for-state ", log)
    assert 2 <= libvirt < neutron
    assert 3 <= neutron < all_of_it
    assert 4 <= all_of_it < 8, "4.1 seconds on the original"
    assert "modprobe nbd\n" == machine.text("/srv/calls")


def test_process_of_nova_is_that_of_start_stop_daemon(make: Make) -> None:
    """It is the job's main process, of user nova with its groups, in / with nova's HOME."""
    machine = make()
    machine.out(RUNLEVEL)
    machine.until_log("nova-compute", RUNS)
    inside = machine.pid("nova-compute")
    status = dict(
        line.split(":\t", 1) for line in machine.text(f"/proc/{inside}/status").splitlines()
    )
    assert (["990"] * 4, ["990"] * 4) == (status["Uid"].split(), status["Gid"].split())
    assert ["990", "991"] == status["Groups"].split()
    assert "/\n" == machine.out(f"readlink /proc/{inside}/cwd")
    environment = machine.text(f"/proc/{inside}/environ").rstrip("\0").split("\0")
    assert {"HOME=/var/lib/nova", "UPSTART_EVENTS=runlevel", "RUNLEVEL=2"} <= {*environment}
    assert "nova root\nnova root\n" == machine.out("stat -c '%U %G' /run/nova /run/lock/nova")


def test_nova_ends_with_the_runlevel(make: Make) -> None:
    """It gets TERM, and leaves by itself."""
    machine = make()
    machine.out(RUNLEVEL)
    machine.until_log("nova-compute", RUNS)
    machine.out("initctl emit runlevel RUNLEVEL=0")
    assert "nova-compute stop/waiting" == machine.status("nova-compute")
    machine.until_log("nova-compute", "nova-compute leaves\n")


def test_nova_killed_stays_down(make: Make) -> None:
    """The job has no respawn; it can be started again."""
    machine = make()
    machine.out(RUNLEVEL)
    killed = machine.pid("nova-compute")
    machine.out(f"kill -{int(signal.SIGKILL)} {killed}")
    machine.until_status("nova-compute", "stop/waiting")
    assert machine.out("start nova-compute").startswith("nova-compute start/running, process ")
    assert killed != machine.pid("nova-compute")
    assert "nova-compute stop/waiting\n" == machine.out("stop nova-compute")


def test_module_that_cannot_be_loaded_fails_the_start(make: Make) -> None:
    """The script has -e; but not within a container, where it is not tried."""
    machine = make(files={"/usr/sbin/modprobe": stub("exit 1")})
    done = machine.sh("start nova-compute")
    assert (1, "start: Job failed to start\n") == (done.returncode, done.stderr)
    assert "nova-compute stop/waiting" == machine.status("nova-compute")
    assert 1 == machine.sh(RUNLEVEL).returncode
    machine.out("touch /run/container_type")
    assert machine.out("start nova-compute").startswith("nova-compute start/running")


def test_libvirt_that_fails_does_not_stop_nova(make: Make) -> None:
    """Its stop ends the waiter, which counts as done."""
    machine = make({"libvirt-bin": FAILS})
    assert machine.out("start nova-compute").startswith("nova-compute start/running")
    assert "libvirt-bin stop/waiting" == machine.status("libvirt-bin")
    lines = machine.log("nova-compute").splitlines()
    assert "libvirt-bin stop/waiting" == lines[0]
    assert lines[1].startswith("wait-for-state ")


# In place of sleep(1): nobody waits, and the seconds are written down.
NO_SLEEP = {"/usr/local/sbin/sleep": stub("exit 0")}


def test_neutron_that_never_runs_delays_nova_for_199_seconds(make: Make) -> None:
    """It is pushed nineteen times, and then nova starts without it."""
    machine = make({"neutron-ovs-cleanup": FAILS}, NO_SLEEP)
    assert machine.out("start nova-compute").startswith("nova-compute start/running")
    calls = machine.text("/srv/calls").splitlines()
    seconds = [int(call.split()[1]) for call in calls if call.startswith("sleep ")]
    assert seconds == [(number + 1) // 2 * 2 + 1 for number in range(19)]
    assert 199 == sum(seconds)
    log = machine.log("nova-compute")
    assert 19 == log.count("start: Job failed to start\n")
    assert "Max retries (20) reached - no longer waiting for neutron-ovs-cleanup" in log


def test_stop_ends_the_wait_for_neutron(make: Make) -> None:
    """On the original it would block until pre-start has ended: up to 199 seconds."""
    machine = make({"neutron-ovs-cleanup": FAILS})
    start = machine.begin("start nova-compute")
    machine.until_log("nova-compute", "Recheck neutron-ovs-cleanup status in 3s\n")
    began = time.monotonic()
    assert "nova-compute stop/waiting\n" == machine.out("stop nova-compute")
    assert time.monotonic() - began < 10
    assert 0 == finished(start)[0]
    assert "" == machine.log("nova-compute").partition("uid")[2]
