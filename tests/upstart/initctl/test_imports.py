"""What the commands load: jobs call them in loops."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.loading import BUNDLED, HEAVY, LIBRARY, lines_of, loaded

from .fake import FakeJobs, serving

REQUEST = {
    "ssd",
    "ssd.errors",
    "ssd.service",
    "ssd.statuses",
    "ssd.stdio",
    "ssd.supervision",
    "ssd.supervision.client",
    "ssd.supervision.control",
    "ssd.supervision.control.json_reader",
    "ssd.supervision.control.unix_socket",
    "ssd.homes",
    "ssd.supervision.places",
    "ssd.upstart",
    "ssd.upstart.initctl",
    "ssd.upstart.initctl.asking",
    "ssd.upstart.initctl.commands",
    "ssd.upstart.initctl.options",
    "ssd.upstart.initctl.reach",
}
JOB = REQUEST | {"ssd.upstart.initctl.jobs"}
TEXT = {"ssd.supervision.control.json_text"}  # for a list in a request
STATUS = {"status": "foo start/running, process 12"}

# words of the command -> the answers, what of ssd it may load, and how many lines that may be
BUDGETS = {
    "status foo": ({"status": STATUS}, JOB, 1900),
    "start foo": ({"start": {"job": "foo", "instance": ""}, "state": STATUS}, JOB, 1900),
    "start foo A=1": (
        {"start": {"job": "foo", "instance": ""}, "state": STATUS},
        JOB | TEXT,
        1950,
    ),
    "initctl list": ({}, REQUEST | {"ssd.upstart.initctl.requests"}, 1900),
    "initctl check-config": (
        {"config": {"jobs": []}},
        REQUEST | {"ssd.upstart.initctl.configuration"},
        2050,
    ),
    "start -n": ({}, JOB, 1900),
}


@pytest.fixture
def short() -> Iterator[Path]:
    """Return a directory with a short path, as that of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="ssd-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.mark.parametrize("line", BUDGETS)
def test_command_loads_only_what_it_needs(line: str, short: Path, monkeypatch) -> None:
    """No job's file, nothing of the engine, no expensive module; few lines."""
    answers, allowed, budget = BUDGETS[line]
    for name in ("UPSTART_JOB", "UPSTART_INSTANCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UPSTART_SESSION", str(short))  # of an ordinary user
    (short / "run").mkdir()
    (short / "run/%upstart").symlink_to(short)  # root's
    first = f"import ssd.service; ssd.service.SUPERVISORS = {str(short / 'run')!r}"
    jobs = FakeJobs()
    jobs.answers.update(answers)
    with serving(jobs, short / "socket"):
        status, files = loaded("ssd.upstart.initctl", *line.split(), first=first)
    own = {name for name in files if name.partition(".")[0] == "ssd"}
    is_wrong = line == "start -n"
    assert (int(is_wrong), is_wrong) == (status, not jobs.requests)
    assert set() == set(files) & HEAVY
    assert set() == own - allowed
    assert set() == own - BUNDLED
    assert set() == set(files) - own - LIBRARY - {"_socket", "_json"}
    assert budget >= lines_of(files)
