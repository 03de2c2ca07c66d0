"""nova-compute under ssd-supervise: deaths of its broker, of itself and of the supervisor."""

import json
import re
import signal
from collections.abc import Iterator
from datetime import datetime

import pytest
from lab import supervised
from lab.entry_points import Compute
from lab.machine import Machine
from lab.supervised import NAMES, Supervisor

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]

BROKER, CONDUCTOR, COMPUTE = NAMES
REPLACED = ("conductor", "broker", "epmd")  # of the lab's own: the same programs run here
PONG = {"service": "compute", "arg": "lab"}
RECONNECTED = "Reconnected to AMQP server"  # oslo.messaging


class World:
    """The three services under a supervisor. ``others``: what else runs in the machine."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.compute = Compute(machine, supervised.entry(machine.lab))
        self.others = set(machine.processes())
        self.supervisor = Supervisor(machine)

    def pids(self) -> dict[str, int]:
        """Return the main process of each service, by its pidfile."""
        files = [f"/run/{name}.pid" for name in NAMES]
        told = self.machine.run(["cat", *files]).stdout.split()
        return dict(zip(NAMES, map(int, told), strict=True))

    def ask(self, *words: object) -> str:
        """Return what ssd-service prints."""
        program, directory, _ = self.compute.entry.words
        return self.machine.run([program, directory, *words]).stdout

    def works(self) -> None:
        """Check that nova-compute is up: it takes calls, answers them, and reports."""
        self.compute.ready()
        assert PONG == self.compute.ping()
        self.compute.await_heartbeats(2)
        assert [self.compute.pid()] == self.compute.processes()
        assert 1 == self.compute.consumers()


@pytest.fixture(scope="module")
def world(machine: Machine) -> Iterator[World]:
    """Return the three services, started by a supervisor; the lab's own are away meanwhile."""
    for name in REPLACED:
        machine.nova_lab("stop", name)
    supervised.declare(machine.lab)
    world = World(machine)
    try:
        world.supervisor.until(f"{COMPUTE} is ready")
        yield world
    finally:
        world.supervisor.close()
        machine.nova_lab("up")


def moments(world: World, kind: str) -> dict[str, float]:
    """Return when each service had its first event of a kind."""
    events = [json.loads(line) for line in world.ask("events", "--json").splitlines()]
    return {each["name"]: each["time"] for each in reversed(events) if each["event"] == kind}


def test_services_start_when_the_one_before_works(world: World) -> None:
    """The broker's own log says when its port was open."""
    said = [line.partition(" ")[2].partition(" ")[2] for line in world.supervisor.lines]
    wanted = [each for name in NAMES for each in (f"{name} runs as process", f"{name} is ready")]
    assert wanted == [re.sub(r" \d+$", "", line) for line in said]
    (log,) = world.machine.lab.log.glob("nova-lab@localhost.log")
    opened = re.findall(r"^(\S+ \S+) .* started TCP listener", log.read_text(), re.MULTILINE)
    started = moments(world, "started")
    assert datetime.fromisoformat(opened[-1]).timestamp() < started[CONDUCTOR] < started[COMPUTE]
    world.works()


def test_service_words_reach_the_supervisor(world: World) -> None:
    """Status, log and events are those of what it runs."""
    assert f"{COMPUTE} is running (process {world.compute.pid()}), up " in world.compute.told(
        "status"
    )
    running = [f"{name} is running (process {pid})" for name, pid in world.pids().items()]
    assert sorted(running) == world.ask("all", "status").splitlines()
    assert "completed with 0 plugins" in world.ask("log", BROKER, "-n", "100")
    assert f"{COMPUTE} is ready" in world.ask("events")


def test_broker_killed_comes_back_and_nova_reconnects(world: World) -> None:
    """The same nova-compute goes on; the broker's port mapper, a daemon, does not stay behind."""
    before, offset = world.pids(), world.compute.log_size()
    said = len(world.supervisor.lines)
    (mapper,) = world.machine.named("bin/epmd")
    (emulator,) = world.machine.named("beam.smp")
    world.machine.signal(emulator, signal.SIGKILL)
    world.supervisor.until(f"{BROKER} is ready", said)
    world.works()
    after = world.pids()
    assert before == {**after, BROKER: before[BROKER]}
    assert before[BROKER] != after[BROKER]
    assert [mapper] != world.machine.named("bin/epmd")
    assert any(RECONNECTED in line for line in world.compute.log_since(offset))


def test_compute_killed_comes_back(world: World) -> None:
    """It is up again, and nobody else is touched."""
    before, said = world.pids(), len(world.supervisor.lines)
    world.machine.signal(before[COMPUTE], signal.SIGKILL)
    world.supervisor.until(f"{COMPUTE} is ready", said)
    world.works()
    after = world.pids()
    assert before == {**after, COMPUTE: before[COMPUTE]}
    assert before[COMPUTE] != after[COMPUTE]
    assert "restarted once, it last was ended by SIGKILL" in world.compute.told("status")


def test_supervisor_killed_loses_nothing(world: World) -> None:
    """The next one takes the same processes over."""
    before, offset = world.pids(), world.compute.log_size()
    assert -signal.SIGKILL == world.supervisor.end(signal.SIGKILL)
    assert PONG == world.compute.ping()
    world.supervisor = Supervisor(world.machine)
    for name in NAMES:
        world.supervisor.until(f"{name} is taken over: it runs as process {before[name]}")
    world.works()
    assert before == world.pids()
    assert not any(RECONNECTED in line for line in world.compute.log_since(offset))
    assert 3 == "\n".join(world.supervisor.lines).count("runs as process")


def test_shell_killed_leaves_no_broker_to_its_successor(world: World) -> None:
    """The broker's shell dies, which an earlier supervisor has started; the broker has the port."""
    before, said = world.pids(), len(world.supervisor.lines)
    (emulator,) = world.machine.named("beam.smp")
    world.machine.signal(before[BROKER], signal.SIGKILL)
    world.supervisor.until(f"{BROKER} is ready", said)
    assert emulator not in world.machine.processes()
    world.works()
    assert before == {**world.pids(), BROKER: before[BROKER]}


def test_supervisor_told_to_end_leaves_no_process(world: World) -> None:
    """All stop in the opposite order, with what they have started."""
    said = len(world.supervisor.lines)
    assert 0 == world.supervisor.end(signal.SIGTERM)
    assert world.others == set(world.machine.processes())
    stopped = re.findall(r"(\S+) has stopped", "\n".join(world.supervisor.lines[said:]))
    assert [*reversed(NAMES)] == stopped
    assert 3 == world.compute.verb("status", check=False)
