"""Outcomes from supervisors that answer, are older, die, or cannot be asked."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ssd.service.outcome import Outcome
from ssd.supervision import client
from ssd.supervision.client import asking_outcomes, rows
from supervision.client.test_client import server

UP = {"name": "web", "found": "running", "state": "running", "goal": "start", "reloads": True}
DOWN = {"name": "web", "found": "stopped", "state": "waiting", "goal": "stop"}
STEPS = [{"at": 0.0, "event": "signal", "pid": 7, "signal": "TERM"}]
STOPPED = {"ok": True, "name": "web", "outcome": "done"}


def lines(*answers: dict[str, Any]) -> list[bytes]:
    """Return what a supervisor sends."""
    return [json.dumps({"id": 1, **each}).encode() + b"\n" for each in answers]


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return where the client looks for the socket of any directory."""
    path = tmp_path / "run" / "socket"
    path.parent.mkdir()
    monkeypatch.setattr(client, "sockets", lambda directory, uid: [str(path)])
    yield path


def others(directory: str, names: list[str]) -> list[Outcome]:
    """Do nothing to services that no supervisor has."""
    return [Outcome(name, "stop", "nothing", 0) for name in names]


def test_outcome_has_the_supervisors_steps(socket_path: Path) -> None:
    """It is asked before, for the verb, and after."""
    begun = {"begun": "stop", "name": "web", "description": ""}
    pieces = lines(
        {"ok": True, "service": UP}, begun, {**STOPPED, "steps": STEPS},
        {"ok": True, "service": DOWN},
    )  # fmt: skip
    with server(socket_path, *pieces, stay=True):
        told = asking_outcomes.one("/etc/ssd", "web", "stop", False, None)
    assert told is not None
    assert ("running", "stopped") == (told.before.state, told.after.state)
    assert ["TERM"] == [step["signal"] for step in told.steps]


def test_supervisor_of_an_earlier_version_is_asked_again(socket_path: Path) -> None:
    """It refuses a word that it does not know, before it does anything."""
    malformed = {"ok": False, "error": "malformed", "message": "stop has no field steps"}
    pieces = lines({"ok": True, "service": UP}, malformed, STOPPED, {"ok": True, "service": DOWN})
    with server(socket_path, *pieces, stay=True):
        told = asking_outcomes.one("/etc/ssd", "web", "stop", False, None)
    assert told is not None
    assert ("done", ["stop"], []) == (told.outcome, told.actions, told.steps)


@pytest.mark.parametrize("sent", [0, 1, 2])
def test_supervisor_that_dies_is_an_error(socket_path: Path, sent: int) -> None:
    """Whenever it does: nothing is done in its place."""
    begun = {"begun": "stop", "name": "web", "description": ""}
    with server(socket_path, *lines({"ok": True, "service": UP}, begun)[:sent]):
        told = asking_outcomes.one("/etc/ssd", "web", "stop", False, None)
    assert told is not None
    assert ("failed", 1, "supervisor") == (told.outcome, told.status, told.error_kind)
    assert "what it has done is not known" in str(told.error)


def test_client_that_may_not_ask_is_denied(socket_path: Path) -> None:
    """Of a status it is no answer: everybody may look."""
    denied = {"id": None, "ok": False, "error": "denied", "message": "only root may"}
    for verb, planned in (("stop", False), ("stop", True)):
        with server(socket_path, *lines(denied)):
            told = asking_outcomes.one("/etc/ssd", "web", verb, planned, None)
        assert told is not None
        assert ("denied", 4, "supervisor") == (told.outcome, told.status, told.error_kind)
        assert planned == told.planned
        socket_path.unlink()
    with server(socket_path, *lines(denied)):
        assert None is asking_outcomes.one("/etc/ssd", "web", "status", False, None)


def test_unknown_service_is_left_to_the_caller(socket_path: Path) -> None:
    """So is every service without a supervisor."""
    unknown = {"ok": False, "error": "unknown-service", "message": "no service web is here"}
    with server(socket_path, *lines(unknown)):
        assert None is asking_outcomes.one("/etc/ssd", "web", "stop", False, None)
    socket_path.unlink()
    assert None is asking_outcomes.one("/etc/ssd", "web", "stop", False, None)
    assert None is asking_outcomes.every("/etc/ssd", "stop", False, others)
    assert None is asking_outcomes.some("/etc/ssd", ["web", "db"], "stop", False, others)


def test_all_is_asked_once(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are done besides; all are sorted by name."""
    monkeypatch.setattr(rows.sources, "names", lambda directory: ["web", "aaa"])
    pieces = lines(
        {"services": [UP]}, {"ok": True},
        {"begun": "stop"}, {"name": "web", "did": "stop", "outcome": "done", "steps": STEPS},
        {"ok": True}, {"services": [DOWN]}, {"ok": True},
    )  # fmt: skip
    with server(socket_path, *pieces, stay=True):
        told = asking_outcomes.every("/etc/ssd", "stop", False, others)
    assert told is not None
    assert [("aaa", "nothing"), ("web", "done")] == [(each.name, each.outcome) for each in told]
    assert STEPS[0]["signal"] == told[1].steps[0]["signal"]


def test_all_without_an_answer_is_an_error_of_each(socket_path: Path) -> None:
    """If the services are known; else of all."""
    for sent, names in ((0, ["all"]), (3, ["web"])):
        pieces = lines({"services": [UP]}, {"ok": True}, {"begun": "stop"})[:sent]
        with server(socket_path, *pieces):
            told = asking_outcomes.every("/etc/ssd", "stop", False, lambda *_: [])
        assert told is not None
        assert [(name, "supervisor") for name in names] == [
            (each.name, each.error_kind) for each in told
        ]
        socket_path.unlink()
