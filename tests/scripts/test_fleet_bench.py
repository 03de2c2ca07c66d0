"""scripts/bench --fleet: what it finds becomes a table, and ours is compared with sysvinit."""

import json
from pathlib import Path

import pytest
from conftest import CHECKOUT
from fleet_bench import measuring, report
from fleet_bench.__main__ import options

PAGE = f"# Cost\n\n{report.BEGIN}old\n{report.END}\nThe end.\n"


def run(wall: float, host: float, controller: float) -> dict[str, float]:
    """Return what one run has found."""
    return {"wall": wall, "host": host, "controller": controller}


def test_row_has_the_medians_of_its_runs() -> None:
    """Each column for itself; a contender without runs has no row."""
    runs = [run(1, 30, 5), run(9, 10, 7), run(2, 20, 6)]
    (row,) = report.rows({"restart": {"command": runs, "carried": []}})
    assert (2, 20, 6, 3) == (row["wall"], row["host"], row["controller"], row["runs"])


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (run(10, 10, 10), "restart: ok"),
        (run(9, 12, 10), "restart: more: host 12 > 11 (sysvinit, LSB script)"),
        (run(12, 9, 9), "restart: more: wall 12 > 10 (sysvinit, LSB script)"),
        (run(9, 9, 11), "restart: more: controller 11 > 10 (sysvinit, LSB script)"),
    ],
)
def test_ours_is_compared_with_sysvinit(ours: dict[str, float], verdict: str) -> None:
    """In each column; a command that does less is no measure."""
    found = {
        "restart": {
            report.OURS: [ours],
            "sysvinit, LSB script": [run(10, 11, 10)],
            "command true": [run(1, 1, 1)],
        }
    }
    assert [verdict] == report.verdicts(report.rows(found))


def test_page_gets_the_table_and_keeps_the_rest() -> None:
    """A page without a place for it is refused."""
    rows = report.rows({"restart": {"carried": [run(1.4, 30, 5)]}})
    page = report.renewed(PAGE, rows)
    assert "| restart: carried | 1 | 30 | 5 |" in page
    assert page == report.renewed(page, rows)
    assert page.endswith("\nThe end.\n") and "old" not in page
    with pytest.raises(ValueError, match="lacks"):
        report.renewed("# Cost\n", rows)


def test_figures_on_the_page_are_those_that_were_measured() -> None:
    """Its table is what the bench makes of the figures that it wrote."""
    directory = CHECKOUT / "docs" / "explanation"
    rows = json.loads((directory / "fleet-cost.json").read_text())
    page = (directory / "fleet-cost.md").read_text()
    assert page == report.renewed(page, rows)
    assert [f"{situation}: ok" for situation in measuring.SITUATIONS] == report.verdicts(rows)


def test_contender_that_cannot_run_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file that is missing."""
    monkeypatch.setitem(measuring.NEEDS, "true", "/no/such/file")
    assert "/no/such/file" == measuring.missing("command true")
    assert measuring.missing(report.OURS) is None


def test_quick_mode_has_one_of_everything() -> None:
    """Whatever else is asked for."""
    given = options(["--quick", "--hosts", "7", "--json", "x"])
    assert (1, 1, 1, Path("x")) == (given.hosts, given.tasks, given.runs, given.json)
