"""The state file that other programs watch."""

import json
import os

import pytest


@pytest.fixture
def record(tmp_path):
    """Return a function that makes a record on the same file, as after a restart."""
    from ssd.compute.record import ServiceRecord, StateFile

    def record() -> ServiceRecord:
        file = StateFile(tmp_path / "node1.state.json")
        return ServiceRecord(file, host="node1", binary="ssd-compute", topic="compute")

    return record


def test_reports_are_counted(record) -> None:
    """The file has the reporter, its state, and the number of reports."""
    one = record()
    one.save("up")
    one.save("up")
    held = json.loads(one.file.path.read_text())
    assert held == one.snapshot()
    assert ("node1", "compute", os.getpid()) == (held["host"], held["topic"], held["pid"])
    assert ("up", 2) == (held["state"], held["report_count"])


def test_report_count_continues_after_a_restart(record) -> None:
    """As in nova's database."""
    record().save("down")
    again = record()
    again.save("up")
    assert 2 == again.snapshot()["report_count"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"report_count": "many"}', "\0"], ids=repr)
def test_file_of_another_kind_counts_from_zero(record, content) -> None:
    """The service starts with any content."""
    record().file.path.write_text(content)
    one = record()
    one.save("up")
    assert 1 == one.snapshot()["report_count"]


def test_failed_write_leaves_the_old_state(record, tmp_path) -> None:
    """The old state stays, without a draft beside it."""
    one = record()
    one.file.path.mkdir()
    with pytest.raises(OSError):
        one.save("up")
    assert ["node1.state.json"] == os.listdir(tmp_path)
