"""The state file that others watch."""

import json
import os

import pytest


@pytest.fixture
def record(tmp_path):
    """Return a function that makes a record over the same file, as a restart does."""
    from ssd.compute.record import ServiceRecord, StateFile

    def record() -> ServiceRecord:
        file = StateFile(tmp_path / "node1.state.json")
        return ServiceRecord(file, host="node1", binary="ssd-compute", topic="compute")

    return record


def test_reports_are_counted(record) -> None:
    """The file says who reports, in which state, and how often so far."""
    one = record()
    one.save("up")
    one.save("up")
    held = json.loads(one.file.path.read_text())
    assert held == one.snapshot()
    assert ("node1", "compute", os.getpid()) == (held["host"], held["topic"], held["pid"])
    assert ("up", 2) == (held["state"], held["report_count"])


def test_count_goes_on_after_a_restart(record) -> None:
    """As that of nova's record in the database does."""
    record().save("down")
    again = record()
    again.save("up")
    assert 2 == again.snapshot()["report_count"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"report_count": "many"}', "\0"], ids=repr)
def test_file_of_another_kind_counts_from_zero(record, content) -> None:
    """Whatever stands there, the service starts."""
    record().file.path.write_text(content)
    one = record()
    one.save("up")
    assert 1 == one.snapshot()["report_count"]


def test_failed_write_leaves_nothing_half_done(record, tmp_path) -> None:
    """The old state stays, and no draft is left beside it."""
    one = record()
    one.file.path.mkdir()
    with pytest.raises(OSError):
        one.save("up")
    assert ["node1.state.json"] == os.listdir(tmp_path)
