"""Cases of our own, answered as the original would: siblings of those that were recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from . import recorded, siblings
from .recorded import Runs

CASES = siblings.read(siblings.FILE.read_text())


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return our commands in a directory, as the harness wants them."""
    return recorded.candidate(tmp_path_factory.mktemp("upstart") / "ours")


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, ours: Path) -> Iterator[Runs]:
    """Run the cases of all tests that are selected."""
    kept = {case["name"]: {"ready": True, "kmsg": "", **case} for case in CASES}
    runs = Runs(recorded.harness(), CASES, kept, first=False)
    for name in recorded.selected(request):
        runs.begin(name, ours)
    yield runs
    runs.close()


@pytest.mark.slow
@pytest.mark.requires_root
@pytest.mark.requires_namespaces
@pytest.mark.skipif(bool(recorded.obstacle()), reason=recorded.obstacle() or "it is there")
@pytest.mark.parametrize("case", [case["name"] for case in CASES])
def test_answers_are_as_the_original_would_have_them(case: str, ours: Path, runs: Runs) -> None:
    """By its source, and by what was recorded of it."""
    assert "" == "\n".join(runs.differences(case, ours))


def test_cases_are_read_as_the_harness_has_them() -> None:
    """Jobs, steps and answers."""
    text = (
        "=== one: two\n--- foo.conf\nexec a\n%pre-stop\n--- rec started\n"
        '$~ start foo\n> foo start/ANY\n>  more\n! err\n? 3\n@ ["sleep", 1] -> null\n'
    )
    (case,) = siblings.read(text)
    assert ["foo.conf", "rec-started.conf"] == list(case["jobs"])
    assert case["jobs"]["foo.conf"].startswith("exec a\npre-stop script\n")
    assert [["run", "start foo", {"blur": 1}], ["sleep", 1]] == case["steps"]
    answer = {"rc": 3, "out": "foo start/ANY\n  more\n", "err": "err\n"}
    assert [["run", answer], ["sleep", None]] == case["answers"]
