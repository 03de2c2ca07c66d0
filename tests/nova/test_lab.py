"""scripts/nova-lab does nothing twice and leaves nothing behind."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from lab.building import CONSTRAINTS
from lab.layout import closed_to_others
from lab.machine import Machine
from lab.running import probe

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]


def test_all_services_run_after_nova_lab_up(machine: Machine) -> None:
    """The status lists each service, and nova-compute, which the lab does not start."""
    lines = machine.nova_lab("status").stdout
    for name in ("epmd", "broker", "placement", "conductor"):
        assert f"{name} is running (process" in lines


def test_libraries_have_the_pinned_versions(machine: Machine) -> None:
    """So that the lab is the same tomorrow."""
    wanted = dict(re.findall(r"^(\S+)==(\S+)$", CONSTRAINTS.read_text(), re.MULTILINE))
    frozen = machine.run([machine.lab.command("pip"), "freeze"]).stdout
    found = dict(re.findall(r"^(\S+)==(\S+)$", frozen, re.MULTILINE))
    assert "34.0.0" == found["nova"]
    assert {} == {name: text for name, text in found.items() if wanted.get(name, text) != text}


def pids(machine: Machine) -> str:
    """Return the pids in the services' pidfiles."""
    return machine.run(["sh", "-c", 'head "$1"/*.pid', "sh", machine.lab.run]).stdout


def test_second_up_does_nothing(machine: Machine) -> None:
    """Every step is skipped, and the processes stay."""
    before = pids(machine)
    lines = machine.nova_lab("up").stdout.splitlines()
    assert 7 == len([line for line in lines if line.endswith("done before")])
    assert 4 == len([line for line in lines if line.endswith("runs already")])
    assert before == pids(machine)


def test_interrupted_up_goes_on_where_it_was(machine: Machine) -> None:
    """The signal ends it with all its commands; the next one waits for their leftovers."""
    machine.nova_lab("stop", "conductor")
    done = machine.interrupt_up("starting conductor", signal.SIGTERM)
    assert 128 + signal.SIGTERM == done.returncode
    assert "interrupted by SIGTERM" in done.stdout
    machine.until_none("bin/ssd-service")
    machine.nova_lab("up")
    consumers = machine.run(probe(machine.lab, "consumers", "conductor")).stdout
    assert int(consumers) > 0, "up has not waited for it"


def test_service_not_seen_ready_is_started_anew(machine: Machine) -> None:
    """It runs, but the wait for it was interrupted."""
    before = pids(machine)
    machine.run(["rm", machine.lab.run / "placement.ready"])
    lines = machine.nova_lab("up").stdout
    assert "nova-lab: stopping placement" in lines
    assert before != pids(machine)
    assert 0 == machine.nova_lab("status").returncode


def test_failed_step_names_itself_its_reason_and_its_log(machine: Machine) -> None:
    """The placement service cannot start: another user owns the settings."""
    settings = machine.lab.etc / "placement"
    machine.nova_lab("stop", "placement")
    settings.rename(settings.with_suffix(".away"))
    try:
        done = machine.nova_lab("start", "placement", check=False)
    finally:
        settings.with_suffix(".away").rename(settings)
    assert 1 == done.returncode
    assert "failed at step 'starting placement': " in done.stdout
    assert "(all of it in " in done.stdout
    machine.nova_lab("start", "placement")


def test_directory_that_nova_cannot_reach_is_refused(machine: Machine, tmp_path: Path) -> None:
    """It names the directory in the way, and what to do."""
    tmp_path.chmod(0o700)
    assert tmp_path == closed_to_others(tmp_path / "lab") or closed_to_others(tmp_path.parent)
    script = machine.lab.checkout / "scripts/nova-lab"
    environment = {**os.environ, "NOVA_LAB": str(tmp_path / "lab")}
    done = subprocess.run([script, "up"], env=environment, capture_output=True, text=True)
    assert 1 == done.returncode
    assert "set NOVA_LAB to a directory elsewhere" in done.stderr


def test_down_leaves_no_process(machine: Machine) -> None:
    """Only the namespace's own two are left; and up brings everything back."""
    lines = machine.nova_lab("down").stdout
    assert "no process of the lab is left" in lines
    assert 2 == len(machine.left()), lines
    assert 3 == machine.nova_lab("status", check=False).returncode
    machine.nova_lab("up")
    assert 0 == machine.nova_lab("status").returncode
