"""What clients of the control socket learn, and who may be one."""

import json
import os
import signal
from typing import Any

import pytest

from ssd._version import __version__
from ssd.service import Service
from ssd.supervision.control.connections import MAX_WITH_JOBS
from ssd.supervision.control.event_requests import MAX_EVENTS
from ssd.supervision.control.protocol import success
from ssd.supervision.control.server import ROWS, Control
from ssd.supervision.control.unix_socket import Peer
from ssd.testing import exits, ignores
from supervision.conftest import Supervise
from supervision.controlled import Controlled


def test_status_has_the_facts_of_a_service(supervise: Supervise) -> None:
    """Its state, process, times and last end; what does not apply is left out."""
    machine = supervise({"name": "web", "respawn": {"when": "always", "delay": 9}})
    machine.program("web", runs=exits(7, after=4.0))
    stopped = machine.ask("status", "web")[0]["service"]
    assert ("web", "stopped", "waiting", "stop") == tuple(
        stopped[key] for key in ("name", "found", "state", "goal")
    )
    machine.ask("start", "web")
    machine.until(2.0)
    running = machine.ask("status", "web")[0]["service"]
    assert (machine.supervisor.units["web"].process.pid, 2.0) == (running["pid"], running["uptime"])
    assert "running" == running["found"]
    machine.until(5.0)
    dead = machine.ask("status", "web")[0]["service"]
    assert ("dead", 7, 8.0, 1) == tuple(
        dead[key] for key in ("found", "last_exit", "next_attempt", "restarts")
    )
    assert "pid" not in dead


def test_status_of_all_comes_in_parts(supervise: Supervise) -> None:
    """Sorted by name, a hundred to a line."""
    machine = supervise(*({"name": f"s{number}"} for number in range(ROWS + 5)))
    *parts, last = machine.ask("status", all=True)
    assert [ROWS, 5] == [len(part["services"]) for part in parts]
    names = [each["name"] for part in parts for each in part["services"]]
    assert sorted(machine.supervisor.units) == names
    assert {"id": 1, "ok": True} == last


def test_unknown_service_is_an_error(supervise: Supervise) -> None:
    """So is one of another file, and one that is being removed."""
    machine = supervise({"name": "web", "file": "/etc/ssd/web.toml"}, {"name": "db"})
    for verb in ("start", "status", "stop", "reload", "signal"):
        more = {"signal": 1} if verb == "signal" else {}
        (said,) = machine.ask(verb, "nosuch", **more)
        assert ("unknown-service", "no service nosuch is here") == (said["error"], said["message"])
    assert machine.ask("status", "web", file="/etc/ssd/web.toml")[0]["ok"]
    assert "unknown-service" == machine.ask("status", "web", file="/etc/init.d/web")[0]["error"]
    machine.table.register("/bin/db", reactions={signal.SIGTERM: ignores()})
    machine.ask("start", "db")
    machine.supervisor.update([])
    machine.supervisor.advance()
    assert "unknown-service" == machine.ask("status", "db")[0]["error"]


def test_events_are_kept_and_followed(supervise: Supervise) -> None:
    """The last ones for who comes later, and then each as it comes, once."""
    machine = supervise({"name": "web"})
    machine.ask("start", "web")
    kept = machine.ask("events")
    assert [str(event) for event in machine.events] == [e["event"]["text"] for e in kept[:-1]]
    assert {"id": 1, "ok": True} == kept[-1]
    assert "web is ready" == machine.ask("events", lines=1)[0]["event"]["text"]
    late, early = machine.connect(), machine.connect()
    late.ask("events", follow=True)
    early.ask("events", follow=True, lines=1, id="e")
    machine.settle()
    assert [{"id": 1, "begun": "events"}] == late.lines()
    assert ["web is ready"] == [line["event"]["text"] for line in early.lines()[1:]]
    machine.ask("stop", "web")
    machine.until(1.0)
    machine.settle()
    expected = [{"id": 1, "event": {**event.to_dict(), "text": str(event)}}
                for event in machine.events[-3:]]  # fmt: skip
    assert json.loads(json.dumps(expected)) == late.lines()
    late.socket.close()
    machine.settle()
    assert 1 == len(machine.control._events.followers)


def test_kept_events_are_limited(supervise: Supervise) -> None:
    """However long the supervisor runs."""
    machine = supervise({"name": "web"})
    for _ in range(MAX_EVENTS):
        machine.supervisor.start("web")
        machine.settle()
        machine.supervisor.stop("web")
        machine.until(machine.table.now() + 1)
    assert MAX_EVENTS <= len(machine.control._events.kept) <= 2 * MAX_EVENTS
    assert MAX_EVENTS + 1 == len(machine.ask("events"))


def test_update_tells_what_has_changed(supervise: Supervise) -> None:
    """Or what is wrong, and then nothing has."""
    asked: list[Any] = []
    machine = supervise({"name": "web"}, reread=asked.append)
    caller = machine.connect()
    caller.ask("update")
    machine.settle()
    assert [{"id": 1, "begun": "update"}] == caller.lines()
    asked[0](machine.supervisor.update([machine.service("db")]))
    machine.settle()
    names = {"added": ["db"], "removed": ["web"], "changed": [], "same": 0}
    assert [{"id": 1, "ok": True, **names}] == caller.lines()
    caller.ask("update")
    machine.settle()
    asked[1](["/etc/ssd/x.toml:1: is odd"])
    machine.settle()
    said = caller.lines()[-1]
    assert ("failed", ["/etc/ssd/x.toml:1: is odd"]) == (said["error"], said["faults"])
    caller.ask("update")
    machine.settle()
    caller.socket.close()
    machine.settle()
    asked[2](["nobody hears it"])


def test_verb_that_a_supervisor_lacks_is_unsupported(supervise: Supervise) -> None:
    """One in a program of one's own has no files and no program to replace."""
    machine = supervise()
    for verb in ("update", "upgrade"):
        assert "unsupported" == machine.ask(verb)[0]["error"]


def test_jobs_are_answered_by_others(supervise: Supervise) -> None:
    """A supervisor that has none says so, and one with them has places for more clients."""
    assert "unsupported" == supervise().ask("job", command="list")[0]["error"]
    machine = supervise(jobs=lambda client, request: client.send(success(request.id, jobs=[])))
    assert [{"id": 1, "ok": True, "jobs": []}] == machine.ask("job", command="list")
    assert MAX_WITH_JOBS == machine.control.connections.places


def test_upgrade_is_the_supervisors(supervise: Supervise) -> None:
    """An error of it reaches the client."""
    machine = supervise(upgrade=lambda told: told(None))
    assert [{"id": 1, "ok": True}] == machine.ask("upgrade")
    machine.control.upgrade = lambda told: told("it cannot run")
    assert "it cannot run" == machine.ask("upgrade")[0]["message"]

    def fail(told: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "/usr/bin/ssd-supervise")

    machine.control.upgrade = fail
    (said,) = machine.ask("upgrade")
    assert "/usr/bin/ssd-supervise: No such file or directory" == said["message"]


def test_hello_says_who_answers(supervise: Supervise) -> None:
    """Its process and version, and that of the protocol."""
    (said,) = supervise({"name": "web"}).ask("hello")
    expected = {"protocol": 1, "version": __version__, "pid": os.getpid()}
    assert {"id": 1, "ok": True, **expected, "directory": "/etc/ssd", "services": 1} == said


@pytest.mark.parametrize(
    ("uid", "groups", "group", "admitted"),
    [(0, (0,), None, True), (7, (7,), None, True), (8, (8,), None, False),
     (8, (8, 50), None, False), (8, (8, 50), 50, True), (8, (50,), 50, True), (8, (8,), 50, False)],
)  # fmt: skip
def test_root_the_owner_and_a_group_may_use_it(tmp_path, uid, groups, group, admitted) -> None:
    """And nobody else."""
    machine = Controlled(tmp_path, [], owner=7, group=group)
    refused = machine.control._admits(Peer(1, uid, groups))
    assert admitted is (refused is None)
    machine.close()


def test_end_of_the_supervisor_is_told(supervise: Supervise) -> None:
    """To a client that waits for an answer that nobody will give."""
    machine = supervise({"name": "web", "before_start": ["/bin/prepare"]})
    machine.table.register("/bin/sh")
    caller = machine.connect()
    caller.ask("start", name="web")
    machine.settle()
    machine.control.close()
    machine.closed = True
    _, said, end = caller.lines()
    assert ("ending", None) == (said["error"], end)
    assert [] == [each for each in machine.supervisor.listeners if each != machine.events.append]


def test_unforeseen_error_is_one_requests(supervise: Supervise, monkeypatch) -> None:
    """Others are served on."""
    machine = supervise({"name": "web"})

    def fail(name: str) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(machine.supervisor, "start", fail)
    said = machine.ask("start", "web")[-1]
    assert ("failed", "Too many open files") == (said["error"], said["message"])
    assert machine.ask("hello")[0]["ok"]


def test_declaration_of_a_service_is_in_its_status(supervise: Supervise) -> None:
    """The file, and where its pid and output go."""
    machine = supervise({"name": "web", "file": "/etc/ssd/web.toml", "description": "The web"})
    found = machine.ask("status", "web")[0]["service"]
    assert ("/etc/ssd/web.toml", "The web") == (found["declared_in"], found["description"])
    assert str(machine.directory / "web.pid") == found["pidfile"]
    assert isinstance(machine.control, Control) and isinstance(machine.service("a"), Service)


def test_service_is_known_by_the_name_of_its_file(supervise: Supervise) -> None:
    """As ssd-service finds declarations: what is in the file is the name that it shows."""
    machine = supervise(
        {"name": "www", "file": "/etc/ssd/web.toml"}, {"name": "web", "file": "/etc/ssd/x"}
    )
    assert "www" == machine.ask("status", "web")[0]["service"]["name"]
    assert "web" == machine.ask("status", "x")[0]["service"]["name"]
    assert "www" == machine.ask("status", "www")[0]["service"]["name"]
    (rows, _) = machine.ask("status", all=True)
    assert ["x", "web"] == [row["declared_as"] for row in rows["services"]]


def test_update_that_cannot_begin_is_an_error(supervise: Supervise) -> None:
    """The client waits for nothing then."""

    def fail(done: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    machine = supervise({"name": "web"}, reread=fail)
    said = machine.ask("update")[-1]
    assert ("failed", "Resource temporarily unavailable") == (said["error"], said["message"])
    assert [[]] == [client.tasks for client in machine.control.connections.clients.values()]
