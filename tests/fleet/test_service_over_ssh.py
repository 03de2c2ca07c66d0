"""ssd.daemon.service on real ssh: hosts that have ssd, and hosts to which it is carried.

Each task runs on all hosts at once, and must do the same on each.
"""

import os
import select
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from kit import old_pythons, ssh_hosts
from kit.ansible import Ansible, Result
from kit.ssh_hosts import BARE, SSD, Fleet, Host, Kind

pytestmark = [pytest.mark.fleet, pytest.mark.requires_root]

OLD = "3.9"  # the oldest Python that ssd is carried to
SOURCES = {"h1": "host", "bare": "carried", "old": "carried"}
SLEEP = 'executable = "/bin/sleep"\narguments = ["1000"]\n'
# Says so in a FIFO when it has been told to reload.
RELOADED = """
executable = "/bin/sh"
reload_signal = "HUP"
arguments = ["-c", "trap 'echo reloaded > $0' HUP; LOOP", "/run/NAME.fifo"]
""".replace("LOOP", "echo ready > $0; while :; do sleep 9 & wait; done")
# Goes to the background by itself and keeps the streams that it was started with.
HOLDS_STDOUT = """
executable = "/bin/sh"
background = false
arguments = ["-c", "sleep 1000 & echo $! > /run/NAME.pid"]
"""
names = map("nap{}".format, count(1))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Yield a host with ssd, one with python3 alone, and one whose python3 is an old one."""
    python = old_pythons.needed(OLD)
    old = Kind(ssd=False, python=Path(python.python), variables=python.environment)
    kinds = {"h1": SSD, "bare": BARE, "old": old}
    with ssh_hosts.fleet(tmp_path_factory.mktemp("fleet"), kinds) as made:
        yield made


@pytest.fixture(scope="module")
def ansible(fleet: Fleet, collections: Path) -> Ansible:
    """Return Ansible on the controller, with our collection."""
    return Ansible(fleet, collections)


class Tasks:
    """Tasks for one service on all hosts."""

    def __init__(self, ansible: Ansible, name: str) -> None:
        self.ansible, self.name = ansible, name
        self.hosts = list(ansible.fleet)

    def declare(self, text: str) -> None:
        """Declare the service on all hosts; NAME stands for its name."""
        for host in self.hosts:
            host.declare(f"{self.name}.toml", text.replace("NAME", self.name))

    def do(self, state: str, *flags: str, **arguments: Any) -> dict[str, Result]:
        """Return the result of a task that must not fail, by host."""
        results = self.attempt(state, *flags, **arguments)
        for result in results.values():
            assert "ok" == result.outcome, result
        assert SOURCES.keys() == results.keys()
        return results

    def attempt(self, state: str, *flags: str, **arguments: Any) -> dict[str, Result]:
        """Return the result of a task, by host."""
        words = {"name": self.name, "state": state, **arguments}
        return self.ansible.task("all", "ssd.daemon.service", *flags, **words)

    def refused(self, state: str, *flags: str, **arguments: Any) -> dict[str, Result]:
        """Return the result of a task that must fail and change nothing, by host."""
        results = self.attempt(state, *flags, **arguments)
        for result in results.values():
            assert ("failed", False) == (result.outcome, result.values.get("changed")), result
        return results

    def pid(self, host: Host) -> int | None:
        """Return the pid that runs on a host, by its pidfile; None if none does."""
        file = host.path(f"/run/{self.name}.pid")
        pid = int(file.read_text()) if file.exists() else None
        return pid if pid in host.processes() else None

    def pids(self) -> list[int | None]:
        """Return the pid that runs on each host."""
        return [self.pid(host) for host in self.hosts]


@pytest.fixture
def tasks(ansible: Ansible) -> Iterator[Tasks]:
    """Return a function that does tasks for a new service, whose process sleeps."""
    made = Tasks(ansible, next(names))
    made.declare(SLEEP)
    yield made
    for host in made.hosts:
        if made.pid(host):
            host.run(f"kill -9 {made.pid(host)}")


Reader = Callable[[Host], str]


@pytest.fixture
def fifo(tasks: Tasks) -> Iterator[Reader]:
    """Return a function that waits for a word in the FIFO of the service of a host."""
    ends = {}
    for host in tasks.hosts:
        file = host.path(f"/run/{tasks.name}.fifo")
        os.mkfifo(file)
        ends[host.name] = os.open(file, os.O_RDWR)
    yield lambda host: os.read(ends[host.name], 100).decode()
    for end in ends.values():
        os.close(end)


def one(processes: list[dict[str, Any]]) -> int:
    """Return the pid of the only process."""
    (process,) = processes
    return int(process["pid"])


def test_start_tells_what_runs_since(tasks: Tasks) -> None:
    """On a host with ssd and on one without: which of them was used is in the result."""
    for name, result in tasks.do("started").items():
        host = tasks.ansible.fleet[name]
        assert (True, 0, tasks.name) == (result["changed"], result["rc"], result["name"])
        assert "stopped" == result["before"]["state"]
        assert "running" == result["after"]["state"]
        assert tasks.pid(host) == one(result["after"]["processes"])
        assert SOURCES[name] == result["ssd"]["source"]
    version = tasks.ansible.fleet["old"].run("python3 -V").stdout
    assert version.startswith(f"Python {OLD}.")


def test_start_again_changes_nothing(tasks: Tasks) -> None:
    """It runs already."""
    tasks.do("started")
    before = tasks.pids()
    for result in tasks.do("started").values():
        assert (False, 0) == (result["changed"], result["rc"])
        assert result["before"] == result["after"]
    assert before == tasks.pids()
    assert None not in before


def test_check_mode_predicts_and_changes_nothing(tasks: Tasks) -> None:
    """The pid of a process that would start is not known."""
    for result in tasks.do("started", "--check").values():
        assert (True, "running", []) == (
            result["changed"],
            result["after"]["state"],
            result["after"]["processes"],
        )
    assert not any(tasks.pids())
    tasks.do("started")
    before = tasks.pids()
    foretold = {state: tasks.do(state, "--check") for state in ("started", "restarted", "stopped")}
    assert before == tasks.pids()
    assert {"started": False, "restarted": True, "stopped": True} == {
        state: results["bare"]["changed"] for state, results in foretold.items()
    }


def test_diff_shows_before_and_after(tasks: Tasks) -> None:
    """If something changes."""
    for result in tasks.do("started", "--diff").values():
        difference = result["diff"]
        assert ("stopped", "running") == tuple(
            difference[side]["state"] for side in ("before", "after")
        )
    assert all("diff" not in result.values for result in tasks.do("started", "--diff").values())


def test_restart_replaces_the_process(tasks: Tasks) -> None:
    """The old one has ended, the new one runs."""
    tasks.do("started")
    before = tasks.pids()
    for result in tasks.do("restarted").values():
        assert result["changed"]
        assert one(result["before"]["processes"]) != one(result["after"]["processes"])
    for host, old in zip(tasks.hosts, before, strict=True):
        assert old not in host.processes()
        assert tasks.pid(host)


def test_restart_of_what_is_young_is_none(tasks: Tasks) -> None:
    """With if_older_than; a file that is written later makes it old."""
    tasks.do("started")
    before = tasks.pids()
    for result in tasks.do("restarted", if_older_than=[0, "/etc/hostname"]).values():
        assert not result["changed"]
    assert before == tasks.pids()
    for host in tasks.hosts:
        host.path("/etc/ssd/setting").write_text("new")
    for result in tasks.do("restarted", if_older_than=["/etc/ssd/setting"]).values():
        assert result["changed"]


def test_reload_reaches_the_process(tasks: Tasks, fifo: Reader) -> None:
    """It stays the same one."""
    tasks.declare(RELOADED)
    tasks.do("started")
    assert {"ready\n"} == {fifo(host) for host in tasks.hosts}
    for result in tasks.do("reloaded").values():
        assert result["changed"]
        assert one(result["before"]["processes"]) == one(result["after"]["processes"])
    assert {"reloaded\n"} == {fifo(host) for host in tasks.hosts}


def test_reload_that_is_not_declared_fails(tasks: Tasks) -> None:
    """Also in check mode."""
    tasks.do("started")
    for flags in (), ("--check",):
        for result in tasks.refused("reloaded", *flags).values():
            assert "reload" in result["msg"]


def test_stop_ends_the_process_and_then_does_nothing(tasks: Tasks) -> None:
    """The second one has nothing to do, and does not fail."""
    tasks.do("started")
    for result in tasks.do("stopped").values():
        assert (True, 0) == (result["changed"], result["rc"])
        assert ("stopped", []) == (result["after"]["state"], result["after"]["processes"])
    assert not any(tasks.pids())
    for result in tasks.do("stopped").values():
        assert (False, 0) == (result["changed"], result["rc"])


def test_start_after_kill_starts_a_new_one(tasks: Tasks) -> None:
    """Its pidfile is left, and names nobody."""
    tasks.do("started")
    for host in tasks.hosts:
        host.run(f"kill -9 {tasks.pid(host)}", check=True)
    for result in tasks.do("started").values():
        assert (True, "dead") == (result["changed"], result["before"]["state"])
    assert None not in tasks.pids()


def test_unknown_service_fails_with_its_name(tasks: Tasks) -> None:
    """Also in check mode."""
    for flags in (), ("--check",):
        for result in tasks.refused("started", *flags, name="no-such-service").values():
            assert "no-such-service" in result["msg"]
            assert 0 != result["rc"]


def test_program_that_is_not_installed_fails(tasks: Tasks) -> None:
    """Debian's status 0 for it is for packages, and not for operators."""
    tasks.declare('executable = "/usr/sbin/no-such-program"\n')
    for flags in (), ("--check",):
        for result in tasks.refused("started", *flags).values():
            assert "no-such-program" in result["msg"]


def test_wrong_parameter_fails_and_names_what_is_allowed(tasks: Tasks) -> None:
    """A word for the state, a parameter, a time."""
    for result in tasks.refused("running").values():
        assert "started, stopped, restarted, reloaded" in result["msg"]
    for result in tasks.refused("started", since=1).values():
        assert "since" in result["msg"]
    for result in tasks.refused("restarted", if_older_than=["yesterday"]).values():
        assert "yesterday" in result["msg"]
    assert not any(tasks.pids())


def test_unreachable_host_is_none_that_failed(tasks: Tasks) -> None:
    """The other one is done."""
    tasks.hosts[0].link("down")
    try:
        results = tasks.attempt("started")
    finally:
        tasks.hosts[0].link("up")
    outcomes = {name: result.outcome for name, result in results.items()}
    assert {"h1": "unreachable", "bare": "ok", "old": "ok"} == outcomes
    told = results["h1"]
    assert (tasks.name, "started", False) == (told["name"], told["state"], told["changed"])
    assert "unknown" == told["before"]["state"] == told["after"]["state"]
    assert [True, False, False] == [pid is None for pid in tasks.pids()]


def test_ordinary_user_becomes_root(tasks: Tasks) -> None:
    """Without become it may not, and says so."""
    user = ("-e", "ansible_user=operator")
    assert SOURCES.keys() == tasks.refused("started", *user).keys()
    assert not any(tasks.pids())
    for result in tasks.do("started", *user, "--become").values():
        assert result["changed"]
    assert None not in tasks.pids()


@pytest.mark.parametrize("pipelining", ["true", "false"], ids=["pipelining", "terminal"])
def test_daemon_survives_the_end_of_its_session(pipelining: str, tasks: Tasks) -> None:
    """Each connection ends with its task, as does the terminal that one has without pipelining."""
    alone = ("-e", "ansible_control_path=none", "-e", f"ansible_pipelining={pipelining}")
    tasks.do("started", *alone)
    before = tasks.pids()
    assert None not in before
    tasks.do("started", *alone)  # by another session
    assert before == tasks.pids()
    for host in tasks.hosts:
        facts = host.path(f"/proc/{tasks.pid(host)}/stat").read_text().rpartition(")")[2].split()
        assert "0" == facts[4]  # its terminal: none


def test_daemon_that_holds_stdout_does_not_hold_the_task(tasks: Tasks) -> None:
    """One that goes to the background by itself and closes nothing."""
    tasks.declare(HOLDS_STDOUT)
    for result in tasks.do("started").values():
        assert "running" == result["after"]["state"]
    assert None not in tasks.pids()


def test_verb_is_done_to_its_end_if_the_link_breaks(tasks: Tasks, fifo: Reader) -> None:
    """A stop that has begun does not leave half of its work."""
    hook = 'before_stop = "echo begun > /run/NAME.fifo; read line < /run/NAME.go"\n'
    tasks.declare(SLEEP + hook)
    tasks.do("started")
    host = tasks.hosts[0]
    pid = tasks.pid(host)
    assert pid
    daemon = host.pidfd(pid)
    os.mkfifo(host.path(f"/run/{tasks.name}.go"))
    words = ["ansible", host.name, "-m", "ssd.daemon.service"]
    words += ["-a", f"name={tasks.name} state=stopped"]
    run = tasks.ansible.fleet.begin(
        *words, env=tasks.ansible.environment(), stdout=subprocess.DEVNULL
    )
    assert "begun\n" == fifo(host)
    host.link("down")
    try:
        run.wait()
        assert ["unreachable"] == [result.outcome for result in tasks.ansible.results()]
    finally:
        host.link("up")
    host.path(f"/run/{tasks.name}.go").write_text("go\n")
    select.select([daemon], [], [])
    os.close(daemon)
