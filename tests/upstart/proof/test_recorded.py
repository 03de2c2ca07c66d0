"""Recorded answers of the real Upstart, and ours: the same but for the divergences."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CHECKOUT
from kit.users import nobody_runs_python, shared

from . import recorded
from .recorded import Runs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.skipif(bool(recorded.obstacle()), reason=recorded.obstacle() or "they are there"),
]

# Case -> the row of docs/reference/divergences.md, and all that differs.
DIFFERENT: dict[str, tuple[str, str]] = {
    "life: restart": (
        "u2",
        r"""
step 1 ["run", "restart foo"]
out: expected 'foo start/running, process P1\n', came 'foo start/running, process P2\n'
step 2 ["run", "status foo"]
out: expected 'foo start/running, process P1\n', came 'foo start/running, process P2\n'
step 4 ["file", "/srv/out"]
expected "pre-start foo/\npost-start foo/\npre-stop foo/\n"
came     "pre-start foo/\npost-start foo/\npre-stop foo/\npost-stop foo/\npre-start foo/\npost-start foo/\n"
step 5 ["file", "/srv/events"]
expected "starting: INSTANCE= JOB=foo\nstarted: INSTANCE= JOB=foo\n"
came     "starting: INSTANCE= JOB=foo\nstarted: INSTANCE= JOB=foo\nstopping: INSTANCE= JOB=foo RESULT=ok\nstarting: INSTANCE= JOB=foo\nstarted: INSTANCE= JOB=foo\n"
""",  # noqa: E501
    ),
    "expect: fork that never comes": (
        "f3",
        r"""
step 3 ["run", "stop foo"]
out: expected '', came 'foo stop/waiting\n'
rc: expected 'TIMEOUT', came 0
step 4 ["join", "s"]
out: expected 'foo stop/spawned, process P1\n', came 'foo stop/waiting\n'
step 5 ["run", "status foo"]
out: expected 'foo stop/spawned, process P1\n', came 'foo stop/waiting\n'
""",
    ),
    "setting: user and group": (
        "p1",
        """
step 1 ["proc", "foo", "uid", "gid", "groups", "env", "cwd"]
groups: expected ['0', '991'], came ['990', '991']
""",
    ),
    "config: broken while running": (
        "u3",
        r"""
step 3 ["run", "stop foo"]
err: expected 'stop: Method "Get" with signature "ss" on interface "org.freedesktop.DBus.Properties" doesn\'t exist\n\n', came ''
out: expected '', came 'foo stop/waiting\n'
rc: expected 1, came 0
""",  # noqa: E501
    ),
    "nova: stopped in pre-start": (
        "u1",
        r"""
step 3 ["timed", "stop nova-compute"]
out: expected '', came 'nova-compute stop/waiting\n'
rc: expected 'TIMEOUT', came 0
seconds: expected N, came M
step 4 ["run", "status nova-compute"]
out: expected 'nova-compute stop/pre-start, process P1\n', came 'nova-compute stop/waiting\n'
""",
    ),
}
ROWS = (CHECKOUT / "docs" / "reference" / "divergences.md").read_text()


def row_of(case: str) -> str:
    """Return the name of the row with its mark; the mark is that --strict takes it back."""
    name, _ = DIFFERENT[case]
    found = re.search(rf"^\| ({name}(?: \*)?) \|", ROWS, re.MULTILINE)
    assert found, f"docs/reference/divergences.md has no row {name}"
    return found[1]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return our commands in a directory, as the harness wants them; other users try them, too."""
    with shared(tmp_path_factory.mktemp("upstart"), 0o755) as place:
        yield recorded.candidate(place / "ours")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return them with --strict."""
    return recorded.candidate(tmp_path_factory.mktemp("upstart") / "strict", "--strict")


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, ours: Path) -> Iterator[Runs]:
    """Run the cases of all tests that are selected."""
    harness = recorded.harness()
    kept = json.loads((recorded.FOLDER / "expected.json").read_text())
    meant = {case: lines.strip() for case, (_, lines) in DIFFERENT.items()}
    runs = Runs(harness, harness.scenarios.cases(), kept, first=True, meant=meant)
    for name in recorded.selected(request):
        runs.begin(name, ours)
    yield runs
    runs.close()


@pytest.mark.parametrize("case", recorded.names())
def test_answers_are_those_of_upstart(case: str, ours: Path, runs: Runs) -> None:
    """Or they differ in what the row says, and in nothing else."""
    if case == "commands: not root" and not nobody_runs_python():
        pytest.skip("other users may not execute this interpreter")
    _, expected = DIFFERENT.get(case, ("", ""))
    assert expected.strip() == "\n".join(runs.differences(case, ours))


@pytest.mark.parametrize("case", DIFFERENT)
def test_strict_answers_are_those_of_upstart(case: str, strict: Path, runs: Runs) -> None:
    """With --strict, if the row is marked."""
    expected = "" if row_of(case).endswith("*") else DIFFERENT[case][1].strip()
    assert expected == "\n".join(runs.differences(case, strict))
