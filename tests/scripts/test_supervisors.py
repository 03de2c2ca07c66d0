"""scripts/bench --supervisors: each measure finds a figure, and figures are compared rightly."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT
from kit.children import child
from supervisors import jobs, logs, looking, report
from supervisors.__main__ import PLAN, TOOLS, UPSTART, chosen
from supervisors.tools import numbered

PROGRAM = CHECKOUT / "scripts" / "supervisors"


def rows_of(found: report.Found) -> dict[str, dict[str, Any]]:
    """Return rows by their titles."""
    return {row["row"]: row for row in report.rows(found)}


def test_row_has_the_median_of_each_supervisor() -> None:
    """With three digits; a run that failed does not count."""
    runs = [{"up": up, "pss": 9.87654, "anonymous": 9} for up in (1.0, 3.0, 2.0)]
    row = rows_of({"logged 1000": {"floor": [*runs, {"failed": "why"}], "s6": []}})
    assert {"floor": 9.88} == row["memory, 1,000 services with logs"]["figures"]
    assert {"floor": 2.0} == row["1,000 services with logs up"]["figures"]


def test_quantiles_are_of_the_samples_of_all_runs() -> None:
    """In milliseconds."""
    runs = [{"reaction": [0.001] * 98}, {"reaction": [0.003, 0.005]}]
    assert (1.0, 5.0) == (
        report.pooled("reaction", 0.5)(runs),
        report.pooled("reaction", 0.99)(runs),
    )


@pytest.mark.parametrize(
    ("ours", "floor", "verdict"),
    [(0.0024, 0.002, "ok"), (0.0026, 0.002, "missed by 0.1"), (0.0026, 0.0021, "ok")],
)
def test_limit_of_a_reaction_follows_the_floor(ours: float, floor: float, verdict: str) -> None:
    """Half a millisecond more, in the same run."""
    found = {"ssd-supervise": [{"reaction": [ours]}], "floor": [{"reaction": [floor]}]}
    (row,) = report.rows({"alone": found})
    assert verdict == report.verdict(row)


def test_figure_that_took_too_long_misses_its_limit() -> None:
    """There is no number then."""
    run = {"obedient": None, "all": None, "left": 0}
    (first, *_) = report.rows({"stop": {"ssd-supervise": [run]}})
    assert (None, "missed") == (first["figures"]["ssd-supervise"], report.verdict(first))
    assert "> 20" in report.table([first])


def test_rows_of_the_report_belong_to_the_plan() -> None:
    """And all of the plan is reported."""
    assert set(PLAN) == {source for _, _, source, *_ in report.ROWS}
    assert set(jobs.PLAN) == {source for _, _, source, *_ in jobs.ROWS}


def test_unknown_name_ends_the_program() -> None:
    """With those that there are."""
    assert ["b"] == chosen(["a", "b"], "b", "row")
    with pytest.raises(SystemExit, match=r"no row c; there are a, b"):
        chosen(["a", "b"], "c", "row")


def test_rotated_files_are_read_oldest_first(tmp_path: Path) -> None:
    """The tenth is older than the second."""
    names = ["x.log.10", "x.log.2", "x.log.1", "x.log"]
    for name in [*names, "x.log.gz", "y.log.3"]:
        (tmp_path / name).touch()
    assert names == [path.name for path in numbered(tmp_path / "x.log")]


@pytest.mark.parametrize("lines", [9, 10, 99, 12345])
def test_size_is_that_of_seq(lines: int) -> None:
    """In bytes."""
    assert len("".join(f"{number}\n" for number in range(1, lines + 1))) == logs.size(lines)


def test_supervisor_is_what_is_no_service() -> None:
    """Children of a service are not the supervisor's own, whatever their parent is."""
    with child() as service:
        here = looking.outside([service.pid], {1})
        assert os.getpid() in here and service.pid not in here
        assert os.getpid() not in looking.outside([os.getpid()], {1})
        assert looking.alive(service.pid)
    assert not looking.alive(service.pid)


def test_memory_and_time_are_of_the_chosen_processes() -> None:
    """Nothing of none."""
    assert (0, 0) == looking.memory([]) == (looking.processor_seconds([]), looking.wakeups([]))
    share, anonymous = looking.memory([os.getpid()])
    assert share > 1 and anonymous > 1
    assert looking.processor_seconds([os.getpid()]) > 0 < looking.wakeups([os.getpid()])


def test_figures_on_the_page_are_those_that_were_measured() -> None:
    """Its tables are what the bench makes of the figures that it wrote."""
    directory = CHECKOUT / "docs" / "explanation"
    rows = json.loads((directory / "supervisors.json").read_text())
    page = (directory / "supervision-cost.md").read_text()
    assert page == report.renew(page, rows)
    rows = json.loads((directory / "jobs.json").read_text())
    assert page == report.renew(page, rows, UPSTART.heading)


def measured(written: Path, *words: str) -> list[dict[str, Any]]:
    """Run the bench, which says of no measurement that it has failed; return its rows."""
    argv = [sys.executable, PROGRAM, "--quick", "--json", written, *words]
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr)
    rows: list[dict[str, Any]] = json.loads(written.read_text())
    return rows


@pytest.mark.slow
@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_each_row_has_a_figure(tmp_path: Path) -> None:
    """In the quick mode, in which services are few, and all rows are measured at once."""
    tools = ["floor", "ssd-supervise"]
    for tool in tools:
        if reason := TOOLS[tool].missing():
            pytest.skip(reason)
    rows = measured(tmp_path / "figures.json", f"--tools={','.join(tools)}")
    assert [title for title, *_ in report.ROWS] == [row["row"] for row in rows]
    assert [row["row"] for row in rows if list(row["figures"]) != tools] == []


@pytest.mark.slow
@pytest.mark.requires_root
@pytest.mark.requires_namespaces
def test_each_row_of_jobs_has_a_figure(tmp_path: Path) -> None:
    """Of jobs, and of services beside them."""
    rows = measured(tmp_path / "figures.json", "--upstart")
    assert [title for title, *_ in jobs.ROWS] == [row["row"] for row in rows]
    assert all(list(row["figures"]) == ["jobs", "services"] for row in rows)
