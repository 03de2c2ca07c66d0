"""Clients of a supervisor of jobs: their requests may be long, and many of them may wait."""

import os
import resource
from pathlib import Path

import pytest

from ssd.supervision.control import connections
from ssd.supervision.control.connections import Client
from ssd.supervision.control.protocol import MAX_LINE, MAX_LINE_OF_JOBS, Request
from ssd.supervision.control.unix_socket import Peer
from supervision.clients import Served


@pytest.mark.parametrize(("many", "guest", "longest"), [
    (False, False, MAX_LINE), (True, True, MAX_LINE), (True, False, MAX_LINE_OF_JOBS),
])  # fmt: skip
def test_longest_line_is_for_jobs(tmp_path: Path, many: bool, guest: bool, longest: int) -> None:
    """But not from users that may only look."""
    served = Served(tmp_path, many=many)
    assert longest == served.connections.longest_line(Peer(1, os.geteuid() + guest, ()))
    served.close()


def test_request_about_a_job_may_have_long_variables(tmp_path: Path) -> None:
    """It comes in many pieces."""
    served = Served(tmp_path, many=True)
    caller = served.connect()
    request = b'{"verb":"job","command":"emit","value":"%s"}\n' % (b"x" * 200_000)
    while request:
        request = request[caller.send(request) :]
        served.turns()
    assert [{"id": None, "ok": True, "verb": "job"}] == caller.lines()
    served.close()


class Task:
    """A request that waits."""

    count = 0


def wait(client: Client, request: Request) -> None:
    """Answer nothing."""
    client.tasks.append(Task())


@pytest.mark.parametrize(("limit", "served"), [(4 * 20, 20), (4 * 9, 10)])
def test_waiting_clients_may_take_a_quarter_of_the_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, served: int
) -> None:
    """Or as many as there are places at least, so that a job that hangs locks nobody out."""
    monkeypatch.setattr(connections, "MAX_WITH_JOBS", 10)
    monkeypatch.setattr(resource, "getrlimit", lambda number: (limit, limit))
    machine = Served(tmp_path, wait, many=True)
    for _ in range(30):
        machine.connect().ask("job", command="list")
        machine.turns()
    assert served == len(machine.connections.clients)
    assert "busy" == machine.callers[-1].lines()[0]["error"]
    machine.close()
