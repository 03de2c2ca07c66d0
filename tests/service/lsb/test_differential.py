"""Each case of cases.toml gives the same result through each entry point as in Debian's library."""

import re
from pathlib import Path

import pytest
from differential import cases, harness
from differential.comparison import differences, shortfalls
from differential.test_differential import played

from . import entry_points

CASES = cases.load(entry_points.CASES)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "lsb.md"

EVERYTHING: frozenset[str] = frozenset()  # ignored: standard error is compared too

# The first test waits for all entry points to play all cases.
pytestmark = [pytest.mark.differential, pytest.mark.timeout(harness.AT_MOST + 60)]


@pytest.mark.parametrize("lsb_case", CASES, ids=lambda case: case.id)
def test_entry_point_does_what_the_original_does(lsb_case, outcomes):
    """Byte for byte, except for a shell's own messages and documented differences."""
    case = lsb_case
    sides = {entry: played(side) for entry, side in outcomes(case.id).items()}
    oracle = sides.pop("original")
    if case.divergence:
        assert [] == shortfalls(case.oracle, oracle), "the original is not as the case says"
    else:
        assert case.gives == [command["status"] for command in oracle["commands"]]
    for entry, side in sides.items():
        if case.divergence:
            assert [] == shortfalls(case.ssd, side), f"{entry}, {case.divergence}: {case.rule}"
        else:
            assert [] == differences(case, oracle, side, EVERYTHING), f"{entry}: {case.rule}"


@pytest.mark.parametrize("lsb_case", CASES, ids=lambda case: case.id)
def test_entry_points_agree(lsb_case, outcomes):
    """The project's shell library and command agree with each other."""
    case = lsb_case
    sides = {entry: played(side) for entry, side in outcomes(case.id).items()}
    for entry in entry_points.SHELLS:
        assert [] == differences(case, sides["command"], sides[entry], EVERYTHING), entry


def rows() -> dict[str, list[str]]:
    """Return the rows of differences in docs/reference/lsb.md with their proofs."""
    found = re.findall(r"^\| *(L\d+) .*\|([^|]*)\|$", PAGE.read_text(), re.MULTILINE)
    return {number: re.findall(r"`([^`]+)`", proof) for number, proof in found}


def test_differences_are_rows_with_their_cases():
    """A row of docs/reference/lsb.md names cases tagged with it, and every tag has a row."""
    tagged = {case.id: case.divergence for case in CASES if case.divergence}
    named = {proof: number for number, proofs in rows().items() for proof in proofs}
    assert named.items() <= tagged.items()
    assert set(tagged.values()) == set(rows()) == set(named.values())
