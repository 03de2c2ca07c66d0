"""Every case of cases.toml does the same through each door as in Debian's init-functions."""

import re
from pathlib import Path

import pytest
from differential import cases, harness
from differential.comparison import differences, shortfalls
from differential.test_differential import played

from . import doors

CASES = cases.load(doors.CASES)
PAGE = Path(__file__).parents[3] / "docs" / "reference" / "lsb.md"

EVERYTHING: frozenset[str] = frozenset()  # ignored: standard error is compared too

# The first test waits for all doors to play all cases.
pytestmark = [pytest.mark.differential, pytest.mark.timeout(harness.AT_MOST + 60)]


@pytest.mark.parametrize("lsb_case", CASES, ids=lambda case: case.id)
def test_every_door_does_what_the_original_does(lsb_case, outcomes):
    """Byte for byte, but for a shell's own complaints and what is written down as different."""
    case = lsb_case
    sides = {door: played(side) for door, side in outcomes(case.id).items()}
    oracle = sides.pop("original")
    if case.divergence:
        assert [] == shortfalls(case.oracle, oracle), "the original is not as the case says"
    else:
        assert case.gives == [command["status"] for command in oracle["commands"]]
    for door, side in sides.items():
        if case.divergence:
            assert [] == shortfalls(case.ssd, side), f"{door}, {case.divergence}: {case.rule}"
        else:
            assert [] == differences(case, oracle, side, EVERYTHING), f"{door}: {case.rule}"


@pytest.mark.parametrize("lsb_case", CASES, ids=lambda case: case.id)
def test_all_doors_are_one(lsb_case, outcomes):
    """Whatever the original does, this project's shell library and command agree."""
    case = lsb_case
    sides = {door: played(side) for door, side in outcomes(case.id).items()}
    for door in doors.SHELLS:
        assert [] == differences(case, sides["command"], sides[door], EVERYTHING), door


def rows() -> dict[str, list[str]]:
    """Return the rows of differences in docs/reference/lsb.md: what each names as its proof."""
    found = re.findall(r"^\| *(L\d+) .*\|([^|]*)\|$", PAGE.read_text(), re.MULTILINE)
    return {number: re.findall(r"`([^`]+)`", proof) for number, proof in found}


def test_every_difference_is_a_row_with_its_cases():
    """A row of docs/reference/lsb.md names cases tagged with it, and every tag has a row."""
    tagged = {case.id: case.divergence for case in CASES if case.divergence}
    named = {proof: number for number, proofs in rows().items() for proof in proofs}
    assert named.items() <= tagged.items()
    assert set(tagged.values()) == set(rows()) == set(named.values())
