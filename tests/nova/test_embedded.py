"""ssd-compute on RabbitMQ: another process calls its methods, across a restart by ssd too."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from lab.entry_points import Compute, EntryPoint
from lab.machine import WAIT_TIMEOUT, Machine
from lab.running import probe
from lab.services import COMPUTE_QUEUE

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]


@pytest.fixture
def embedded(machine: Machine) -> Iterator[Compute]:
    """Return ssd-compute behind scripts/nova-compute, not started."""
    lab = machine.lab
    settings = ("NAME=ssd-compute", f"DEFAULT_DIR={lab.etc}/default")
    pidfile = f"{lab.root}/compute/run/ssd-compute.pid"
    script = str(lab.checkout / "scripts/nova-compute")
    compute = Compute(machine, EntryPoint("embedded", (script,), pidfile, settings))
    yield compute
    compute.verb("stop")


@pytest.fixture
def client(machine: Machine) -> Iterator[subprocess.Popen[str]]:
    """Return a process that calls the methods whose names it reads, through one connection."""
    words = probe(machine.lab, "talk", "compute", "nova-lab", WAIT_TIMEOUT)
    words[2] = str(machine.lab.etc / "ssd-compute.conf")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    client = subprocess.Popen(machine.enter(words), **pipes)
    yield client
    client.communicate()


def ask(embedded: Compute, *words: object) -> str:
    """Have another process ask the broker about ssd-compute; return its answer."""
    asking = probe(embedded.lab, *words, WAIT_TIMEOUT)
    asking[2] = str(embedded.lab.etc / "ssd-compute.conf")
    return embedded.machine.run(asking).stdout


def pong(embedded: Compute) -> object:
    """Return what another process gets for a ping."""
    return json.loads(ask(embedded, "ping", "compute", "nova-lab").splitlines()[-1])


def call(client: subprocess.Popen[str], method: str) -> object:
    """Have a method called and return the answer."""
    assert client.stdin is not None and client.stdout is not None
    client.stdin.write(f"{method}\n")
    client.stdin.flush()
    return json.loads(client.stdout.readline())


def test_methods_are_answered_across_a_restart(embedded, client) -> None:
    """One client, two processes that answer it; a start returns when the service is ready."""
    assert 0 == embedded.verb("start")
    first = embedded.pid()
    state = call(client, "get_service_state")
    assert ("up", "nova-lab") == (state["state"], state["host"])
    assert call(client, "get_available_resource")["vcpus"] >= 1
    assert call(client, "get_host_uptime") > 0

    assert 0 == embedded.verb("restart")
    assert first != embedded.pid()
    again = call(client, "get_service_state")
    assert again["report_count"] > state["report_count"]
    assert again["started_at"] != state["started_at"]

    assert 0 == embedded.verb("stop")
    assert 3 == embedded.status()
    log = (embedded.lab.log / "ssd-compute.log").read_text()
    assert "transport rabbit" in log
    assert "Stopped in good order" in log


def test_service_outlives_an_outage_of_the_broker(embedded) -> None:
    """It connects again by itself, and answers as nova's services do."""
    assert 0 == embedded.verb("start")
    pid = embedded.pid()
    assert {"service": "compute", "arg": "lab"} == pong(embedded)
    embedded.machine.nova_lab("stop", "broker")
    assert (0, pid) == (embedded.status(), embedded.pid())
    embedded.machine.nova_lab("start", "broker")
    ask(embedded, "await", COMPUTE_QUEUE)  # before that a call would have no queue
    assert {"service": "compute", "arg": "lab"} == pong(embedded)
    assert (0, pid) == (embedded.status(), embedded.pid())
