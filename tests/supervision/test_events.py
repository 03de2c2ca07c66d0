"""Events as values and as sentences."""

import signal

import pytest

from ssd.supervision import events
from ssd.supervision.events import Event

EVENTS = [
    (events.Starting(1.0, "web"), "web is starting", {}),
    (events.Started(1.0, "web", 7), "web runs as process 7", {"pid": 7}),
    (events.Adopted(1.0, "web", 7), "web is taken over: it runs as process 7", {"pid": 7}),
    (events.Ready(1.0, "web"), "web is ready", {}),
    (
        events.Exited(1.0, "web", 7, 3),
        "web exited with status 3 (process 7)",
        {"pid": 7, "status": 3},
    ),
    (
        events.Restarting(1.0, "web", 0.0, 1),
        "web is started again now (attempt 1)",
        {"seconds": 0.0, "attempt": 1},
    ),
    (
        events.Restarting(1.0, "web", 1.6, 5),
        "web is started again in 1.6 seconds (attempt 5)",
        {"seconds": 1.6, "attempt": 5},
    ),
    (
        events.Failed(1.0, "web", "it exited with status 1", 1, ["a", "b"]),
        "web is given up: it exited with status 1\nits last lines:\n    a\n    b",
        {"reason": "it exited with status 1", "status": 1, "lines": ["a", "b"]},
    ),
    (
        events.Failed(1.0, "web", "no such user", None),
        "web is given up: no such user",
        {"reason": "no such user", "status": None, "lines": []},
    ),
    (events.Stopping(1.0, "web"), "web is stopping", {}),
    (events.Stopped(1.0, "web"), "web has stopped", {}),
    (events.Reloaded(1.0, "web"), "web was told to reload", {}),
    (events.Healthy(1.0, "web"), "web is healthy again", {}),
    (
        events.Unhealthy(1.0, "web", "no answer"),
        "web is unhealthy: no answer",
        {"reason": "no answer"},
    ),
    (events.StatusText(1.0, "web", "idle"), "web reports: idle", {"text": "idle"}),
]


@pytest.mark.parametrize(("event", "sentence", "fields"), EVENTS, ids=lambda value: str(value)[:30])
def test_event_is_a_value_and_a_sentence(
    event: Event, sentence: str, fields: dict[str, object]
) -> None:
    """to_dict for the control socket, str for a terminal."""
    assert sentence == str(event)
    kind = type(event).__name__.lower()
    assert {"time": 1.0, "name": "web", "event": kind, **fields} == event.to_dict()


def test_every_kind_of_event_is_shown() -> None:
    """A new kind must have its row above."""
    kinds = {value for value in vars(events).values() if isinstance(value, type)}
    assert kinds - {Event} == {type(event) for event, _, _ in EVENTS}


def test_events_are_equal_by_their_values() -> None:
    """A started process is not an adopted one."""
    assert events.Started(1.0, "a", 7) == events.Started(1.0, "a", 7)
    assert events.Started(1.0, "a", 7) != events.Adopted(1.0, "a", 7)
    assert events.Started(1.0, "a", 7) != events.Started(1.0, "b", 7)
    assert events.Ready(1.0, "a") != "a is ready"
    assert "Started(1.000, 'a', 7)" == repr(events.Started(1.0, "a", 7))


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "exited with status 0"),
        (-signal.SIGKILL, "was ended by SIGKILL"),
        (-64, "was ended by 64"),
        (None, "has ended, nobody knows how"),
    ],
)
def test_ends_are_told_in_words(status: int | None, words: str) -> None:
    """Status, signal, or an end that nobody saw."""
    assert words == events.describe_end(status)
