"""What ssd-service loads to ask a supervisor: little, and no declaration."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.loading import HEAVY, LIBRARY, account, lines_of, loaded

from ssd.supervision.places import key
from supervision.client.test_client import server

STATUS = {
    "ssd",
    "ssd.errors",
    "ssd.service",
    "ssd.service.cli",
    "ssd.service.verbs",
    "ssd.service.verbs.vitals",
    "ssd.signals",
    "ssd.statuses",
    "ssd.stdio",
    "ssd.supervision",
    "ssd.supervision.control",
    "ssd.supervision.control.answers",
    "ssd.supervision.client.asking",
    "ssd.supervision.client",
    "ssd.supervision.control.json_reader",
    "ssd.homes",
    "ssd.supervision.places",
    "ssd.supervision.states",
    "ssd.supervision.control.unix_socket",
}
ACTION = {"ssd.service.console", "ssd.supervision.client.showing"}
UP = {"name": "web", "found": "running", "state": "running", "goal": "start", "uptime": 3.5}
BEGUN = {"id": 1, "begun": "start", "name": "web", "description": ""}

# words of the command -> the answer, what of ssd it may load, and how many lines that may be
BUDGETS = {
    "web status": ([{"id": 1, "ok": True, "service": UP}], STATUS, 2150),
    "web start": (
        [BEGUN, {"id": 1, "ok": True, "name": "web", "outcome": "done"}],
        STATUS - {"ssd.service.verbs.vitals"} | ACTION,
        2350,
    ),
}


@pytest.fixture
def short() -> Iterator[Path]:
    """Return a directory with a short path, as that of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="ssd-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.mark.parametrize("line", BUDGETS)
def test_query_loads_only_what_it_needs(line: str, short: Path, monkeypatch) -> None:
    """Neither the declaration nor what reads one; no expensive module; few lines."""
    answer, allowed, budget = BUDGETS[line]
    declared = short / "d"
    declared.mkdir()
    monkeypatch.setenv("HOME", str(short))
    run = short / "run" / key(str(declared))
    run.mkdir(parents=True)
    first = f"import ssd.service; ssd.service.SUPERVISORS = {str(run.parent)!r}"
    pieces = [json.dumps(each).encode() + b"\n" for each in answer]
    with server(run / "socket", *pieces):
        words = ["ssd-service", f"--directory={declared}", *line.split()]
        status, files = loaded("ssd.service.cli", *words, first=first)
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    free = account(files) | {"_socket"}
    assert 0 == status
    assert set() == set(files) & HEAVY - free
    assert set() == own - allowed
    assert set() == set(files) - own - LIBRARY - free
    assert budget >= lines_of(files)
