"""Events that are kept and passed on, without a supervisor."""

import json
from typing import Any

import pytest

from ssd.supervision import events
from ssd.supervision.control.event_requests import MAX_EVENTS, EventRequests
from ssd.supervision.control.protocol import Request


class Client:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.tasks: list[Any] = []
        self.lines: list[Any] = []

    def send(self, line: bytes) -> None:
        """Take a line."""
        self.lines.append(json.loads(line))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, 3), ({"lines": 2}, 2), ({"lines": 0}, 0), ({"lines": -5}, 0), ({"follow": True}, 0),
     ({"follow": True, "lines": 2}, 2), ({"lines": 99}, 3)],
)  # fmt: skip
def test_as_many_events_as_asked_for_are_sent(fields, expected) -> None:
    """All that are kept, or none to a follower, unless a number is given."""
    requests, client = EventRequests(), Client()
    for number in range(3):
        requests.heard(events.Ready(float(number), "web"))
    requests.answer(client, Request("x", "events", fields))  # type: ignore[arg-type]
    sent = [line for line in client.lines if "event" in line]
    assert [float(number) for number in range(3)][3 - expected :] == [
        line["event"]["time"] for line in sent
    ]
    assert ("follow" not in fields) is any("ok" in line for line in client.lines)
    assert len(requests.followers) == len(client.tasks) == ("follow" in fields)


def test_event_is_a_line_with_its_sentence() -> None:
    """For a reader in any language."""
    requests, client = EventRequests(), Client()
    requests.answer(client, Request(None, "events", {"follow": True}))  # type: ignore[arg-type]
    requests.heard(events.Exited(1.5, "web", 7, -15))
    text = "web was ended by SIGTERM (process 7)"
    fields = {"time": 1.5, "name": "web", "event": "exited", "pid": 7, "status": -15, "text": text}
    assert [{"id": None, "begun": "events"}, {"id": None, "event": fields}] == client.lines


def test_old_events_are_dropped() -> None:
    """There are at most twice as many as a client may have."""
    requests = EventRequests()
    for number in range(5 * MAX_EVENTS):
        requests.heard(events.Ready(float(number), "web"))
        assert len(requests.kept) <= 2 * MAX_EVENTS
    assert 5 * MAX_EVENTS - 1 == requests.kept[-1].time
