"""A Supervisor and a small model of it, driven through random wishes, crashes and times."""

import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ssd.supervision import Event, events
from ssd.testing import FakeProcess, dies, exits, notifies, together
from supervision.machine import Machine

# What each requires and wants, and whether it comes back.
SERVICES = {
    "db": {"respawn": {"when": "always", "limit": 0}},
    "cache": {
        "after": ["db"], "respawn": {"when": "failure", "limit": 0},
        "readiness": {"kind": "notify", "timeout": 3}, "watchdog": 20,
    },
    "web": {
        "requires": ["db"], "after": ["cache"], "respawn": {"when": "always", "limit": 0},
        "health": {"kind": "command", "command": ["/bin/check"], "interval": 2},
    },
    "once": {"requires": ["web"], "before_stop": "drain", "after_stop": "clean"},
}  # fmt: skip
REQUIRES = {"web": ["db"], "once": ["web", "db"]}
LONG = 200.0  # seconds in which every delay and every stop ends
names = st.sampled_from(sorted(SERVICES))


@pytest.fixture(autouse=True)
def few_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thousands of starts inherit little, whatever the environment of the tests is."""
    for name in set(os.environ) - {"PATH", "HOME", "TMPDIR"}:
        monkeypatch.delenv(name)


def speaks(process: FakeProcess) -> None:
    """Be ready after a second, and report from then on."""
    process.after(1.0, together(notifies("READY=1"), notifies("WATCHDOG=1", every=9)))


class Supervised(RuleBasedStateMachine):
    """The model is what somebody wishes: a set of names. All else follows, given time."""

    @initialize()
    def begin(self) -> None:
        """Declare the services; each takes two seconds to stop, each hook one to run."""
        self.directory = tempfile.TemporaryDirectory()
        services = [{"name": name, **fields} for name, fields in SERVICES.items()]
        self.machine = Machine(Path(self.directory.name), services)
        self.supervisor = self.machine.supervisor
        table = self.machine.table
        table.register("/bin/sh", runs=lambda process: process.die(after=1.0, status=0))
        for name in SERVICES:
            table.register(
                f"/bin/{name}",
                reactions={signal.SIGTERM: dies(after=2.0)},
                runs=speaks if name == "cache" else None,
            )
        table.register("/bin/check", runs=exits(0, after=0.5))
        self.wanted: set[str] = set()
        self.broken: set[str] = set()
        self.supervisor.listeners.append(self._check_order)

    def _check_order(self, event: Event) -> None:
        """A start begins only while all that it requires is up."""
        if type(event) is events.Starting:
            for need in SERVICES[event.name].get("requires", []):
                assert self.supervisor.units[need].is_up, (event, self.machine.states())

    @rule(name=names)
    def start(self, name: str) -> None:
        """Somebody starts a service, and with it what that requires."""
        self.supervisor.start(name)
        self.wanted |= {name, *REQUIRES.get(name, [])}

    @rule(name=names)
    def stop(self, name: str) -> None:
        """Somebody stops a service."""
        self.supervisor.stop(name)
        self.wanted.discard(name)

    @rule(name=names)
    def restart(self, name: str) -> None:
        """Somebody restarts a service, which may be stopped."""
        if self.supervisor.units[name].at_rest:
            self.wanted |= set(REQUIRES.get(name, []))
        self.supervisor.restart(name)
        self.wanted.add(name)

    @rule(name=names, status=st.sampled_from([0, 1, -9, -11]))
    def crash(self, name: str, status: int) -> None:
        """A main process ends by itself."""
        unit = self.supervisor.units[name]
        if unit.process is None:
            return
        self.machine.table[unit.process.pid].die(status=status)
        comes_back = SERVICES[name].get("respawn", {}).get("when", "never")  # type: ignore[attr-defined]
        if comes_back == "never" or comes_back == "failure" and status == 0:
            self.broken.add(name)  # it may stay down, unless somebody starts it later

    @rule(seconds=st.sampled_from([0.0, 0.1, 0.5, 1.0, 2.0, 5.0]))
    def wait(self, seconds: float) -> None:
        """A little time passes."""
        self.machine.until(self.machine.table.now() + seconds)

    @rule()
    def settle(self) -> None:
        """Much time passes: then all is as somebody wished."""
        self.machine.until(self.machine.table.now() + LONG)
        for name, unit in self.supervisor.units.items():
            if name not in self.wanted:
                assert unit.at_rest, self.machine.states()
            elif name in self.broken or set(REQUIRES.get(name, [])) & (self.broken - {name}):
                assert unit.at_rest or unit.state in ("running", "starting"), self.machine.states()
            elif all(need in self.wanted for need in REQUIRES.get(name, [])):
                assert unit.state == "running", self.machine.states()
        self.wanted = {n for n, unit in self.supervisor.units.items() if not unit.at_rest}
        self.broken.clear()

    @invariant()
    def lives_once(self) -> None:
        """No service ever has two main processes, and the supervisor knows the one."""
        if not hasattr(self, "machine"):
            return
        living: dict[str, list[int]] = {name: [] for name in SERVICES}
        for process in self.machine.table.started:
            name = process.argv[0].removeprefix("/bin/")
            if not process.ended and name in living:
                living[name].append(process.pid)
        for name, unit in self.supervisor.units.items():
            known = [] if unit.process is None else [unit.process.pid]
            assert living[name] == known or not living[name] and unit.main.ended()
            if unit.at_rest:
                assert [] == living[name]

    @invariant()
    def checks_end_with_what_they_check(self) -> None:
        """Readiness is awaited of what has just been started, health checked of what runs."""
        for unit in self.supervisor.units.values() if hasattr(self, "machine") else ():
            assert unit.gate is None or unit.gate.is_over or unit.state == "spawned"
            assert unit.health is None or unit.state in ("running", "pre-stop")

    @invariant()
    def counts_what_is_active(self) -> None:
        """The end of a shutdown is told by this count."""
        if hasattr(self, "machine"):
            units = self.supervisor.units.values()
            assert self.supervisor.active == sum(not unit.at_rest for unit in units)

    def teardown(self) -> None:
        """Stop all; nothing is left."""
        if not hasattr(self, "machine"):
            return
        self.supervisor.shutdown()
        self.machine.until(self.machine.table.now() + LONG)
        assert all(each.ended for each in self.machine.table.started)
        assert {"stop/waiting", "stop/failed"} >= set(self.machine.states().values())
        self.directory.cleanup()


TestSupervised = Supervised.TestCase
TestSupervised.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
