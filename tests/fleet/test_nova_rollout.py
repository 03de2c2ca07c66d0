"""Rollouts of a real nova-compute over real ssh, with nova's own API."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.nova_host import BEHIND, NovaHost, nova_host
from kit.nova_servers import running_server
from lab import entry_points
from lab.entry_points import Compute
from lab.layout import HOST
from lab.machine import Machine

pytestmark = [
    pytest.mark.fleet,
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]

MARK = "ssd.daemon rolling_restart, rollout "
# A task that holds a rollout: %s gets a reader then. It stands after nova's drain hook, or before
# its resume hook.
HOLD = """
- ansible.builtin.command: cat %s
  delegate_to: localhost
  vars:
    ansible_connection: local
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
"""
DRAIN = '- ansible.builtin.include_tasks: "{{ role_path }}/tasks/nova_drain.yml"'
RESUME = '- ansible.builtin.include_tasks: "{{ role_path }}/tasks/nova_resume.yml"'


@pytest.fixture(scope="module")
def host(
    machine: Machine, tmp_path_factory: pytest.TempPathFactory, collections: Path
) -> Iterator[NovaHost]:
    """Return the lab's machine, reached by ssh."""
    with nova_host(machine, tmp_path_factory.mktemp("nova"), collections) as made:
        yield made


@pytest.fixture
def compute(host: NovaHost) -> Iterator[Compute]:
    """Return its nova-compute, which runs and is enabled."""
    compute = Compute(host.machine, entry_points.declared(host.lab))
    compute.verb("start")
    compute.await_heartbeats(1)
    host.set(status="enabled")
    yield compute
    compute.verb("stop")


def outcome(host: NovaHost, report: str) -> tuple[str, str, str]:
    """Return the result in the record, the status in its notes, and that in nova's own list."""
    record = host.report(report)[HOST]
    return record["result"], record["notes"]["nova"]["status"], host.service()["status"]


def test_rollout_drains_restarts_and_enables(host: NovaHost, compute: Compute) -> None:
    """Nova gets: disabled, a call of the new process that it answers, enabled; in this order."""
    pid, before = compute.pid(), len(host.requests())
    log = host.directory / "ansible.log"
    done = host.run(host.rollout("whole", "-vvvv"), ANSIBLE_LOG_PATH=str(log))
    assert 0 == done.returncode, done.stdout
    assert pid != compute.pid()
    assert ("restarted", "enabled", "enabled") == outcome(host, "whole")
    record = host.report("whole")[HOST]
    assert (pid, compute.pid()) == (record["old_pid"], record["new_pid"])
    assert "up" == host.service()["state"]
    id_ = host.service()["id"]
    telling = [
        asked.rpartition("/")[2]
        for asked in host.requests(before)
        if asked.startswith(f"PUT /v2.1/os-services/{id_}") or asked.endswith("/uptime")
    ]
    assert [id_, "uptime", id_] == telling
    assert host.token() not in done.stdout + log.read_text()


def test_service_disabled_before_stays_disabled(host: NovaHost, compute: Compute) -> None:
    """Its reason is kept, and the record says that it is not the rollout's."""
    pid = compute.pid()
    host.set(status="disabled", disabled_reason="a disk is bad")
    done = host.run(host.rollout("other"))
    assert 0 == done.returncode, done.stdout
    assert pid != compute.pid()
    assert ("restarted", "disabled", "disabled") == outcome(host, "other")
    assert "a disk is bad" == host.service()["disabled_reason"]
    assert "a disk is bad" in host.report("other")[HOST]["notes"]["nova"]["msg"]


@pytest.mark.parametrize(
    ("phase", "tasks", "restarted"),
    [("drain", DRAIN + HOLD, False), ("resume", HOLD + RESUME, True)],
    ids=["before the restart", "after it"],
)
def test_interrupted_rollout_enables_once_resumed(
    host: NovaHost,
    compute: Compute,
    tmp_path: Path,
    phase: str,
    tasks: str,
    restarted: bool,
) -> None:
    """The mark in nova tells whose disabling it is; the second run need not have done it."""
    os.mkfifo(fifo := tmp_path / "held")
    (hook := tmp_path / "hook.yml").write_text(tasks % fifo)
    pid, report = compute.pid(), f"cut-{phase}"
    words = host.rollout(report, "-e", f"rolling_restart_{phase}_tasks={hook}")
    with (tmp_path / "output").open("w") as output:
        begun = subprocess.Popen(
            words, env=host.environment(), stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
        with fifo.open("w"):  # once the hook reads it
            begun.send_signal(signal.SIGINT)
            begun.wait(600)
    service = host.service()
    assert "disabled" == service["status"]
    assert service["disabled_reason"].startswith(MARK)
    assert "interrupted" == host.report(report)[HOST]["result"], (tmp_path / "output").read_text()
    assert restarted == (pid != (now := compute.pid()))

    done = host.run(host.rollout(report, "-e", "rolling_restart_resume=true"))
    assert 0 == done.returncode, done.stdout
    assert restarted == (now == compute.pid())
    assert ("restarted", "enabled", "enabled") == outcome(host, report)


def test_compute_that_does_not_come_up_stops_the_rollout(host: NovaHost, compute: Compute) -> None:
    """It stays disabled, and the record says so. Repaired and resumed, it is enabled."""
    settings = host.lab.etc / "nova.conf"
    good = settings.read_text()
    settings.write_text(f"{good}\n[DEFAULT]\ncompute_driver = missing.Driver\n")
    try:
        done = host.run(host.rollout("broken", hosts="compute"))
    finally:
        settings.write_text(good)
    assert 0 != done.returncode
    assert ("failed", "disabled", "disabled") == outcome(host, "broken")
    assert "restart" == host.report("broken")[HOST]["failed_in"]
    assert host.service()["disabled_reason"].startswith(MARK)
    assert "untouched" == host.report("broken")[BEHIND]["result"]

    done = host.run(host.rollout("broken", "-e", "rolling_restart_resume=true"))
    assert 0 == done.returncode, done.stdout
    assert ("restarted", "enabled", "enabled") == outcome(host, "broken")


def test_migration_that_nova_gives_up_lets_the_host_in(host: NovaHost, compute: Compute) -> None:
    """It accepts what it is asked, and knows nowhere to move to. Nothing is restarted."""
    pid = compute.pid()
    with running_server(host, "guest") as server:
        done = host.run(host.rollout("full", "-e", "rolling_restart_nova_migrate=true"))
        (migration,) = host.migrations(server)
    assert 0 != done.returncode
    assert ("live-migration", HOST, "error") == tuple(
        migration[key] for key in ("migration_type", "source_compute", "status")
    )
    assert ("failed", "enabled", "enabled") == outcome(host, "full")
    record = host.report("full")[HOST]
    assert "drain" == record["failed_in"]
    assert f"live migration has failed for guest ({server})" in record["message"]
    assert pid == compute.pid()


def test_compute_that_answers_nothing_is_not_back(host: NovaHost, compute: Compute) -> None:
    """As nova-compute is after a HUP: heartbeat and consumer stay, and no call is answered."""
    host.set(status="disabled", disabled_reason=f"{MARK}deaf")
    compute.machine.signal(compute.pid(), signal.SIGHUP)
    while compute.ping(10) is not None:
        pass
    arguments = f"host={HOST} rollout=deaf state=resumed timeout=10 cloud=nova-lab"
    done = host.run(["ansible", HOST, "-m", "ssd.daemon.nova_host", "-a", arguments])
    assert 0 != done.returncode
    assert "it has not answered a call" in done.stdout
    assert "disabled" == host.service()["status"]
