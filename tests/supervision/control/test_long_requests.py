"""Requests about jobs may be long: they have the variables of a command line."""

import os
from pathlib import Path

import pytest

from ssd.supervision.control.protocol import MAX_LINE, MAX_LINE_OF_JOBS
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
