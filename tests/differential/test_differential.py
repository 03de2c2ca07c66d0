"""Every case of cases.toml has the same result with ssd as with the original."""

import pytest

from . import cases, harness
from .comparison import differences, shortfalls

# The first test waits until both sides have run all cases.
pytestmark = [pytest.mark.differential, pytest.mark.timeout(harness.AT_MOST + 60)]


@pytest.mark.parametrize("case", cases.load(), ids=lambda case: case.id)
def test_ssd_does_what_the_original_does(case, outcomes):
    """Except for messages on standard error, a divergence that is written down, and what is new."""
    oracle, ssd = map(played, outcomes(case.id))
    if case.later and harness.has_changed(case.later):
        given = [command["status"] for command in oracle["commands"]]
        changed = shortfalls(case.oracle, oracle) or case.gives not in ([], given)
        assert changed or differences(case, oracle, ssd), f"not changed in dpkg {case.later}"
        assert [] == shortfalls(case.ssd, ssd), case.rule
        assert case.gives in ([], [command["status"] for command in ssd["commands"]]), case.rule
    elif case.divergence:
        assert [] == shortfalls(case.oracle, oracle), "the original is not as the case says"
        assert [] == shortfalls(case.ssd, ssd), f"divergence {case.divergence}: {case.rule}"
    else:
        assert case.gives == [command["status"] for command in oracle["commands"]]
        assert [] == differences(case, oracle, ssd), case.rule


def played(side: dict) -> dict:
    """Return the outcome of one side; fail with the harness's traceback if it has none."""
    if "fault" in side:
        pytest.fail(f"the case could not be played:\n{side['fault']}")
    return side["outcome"]
