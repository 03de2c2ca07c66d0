"""A job file and its override file."""

from pathlib import Path

import pytest

from ssd.service.sources.upstart import JobFault, parse, read

JOB = "start on a\nexec sleep 1\nenv A=1\n"


def test_override_comes_after_the_job() -> None:
    """What it says counts, and its variables are added."""
    job = parse(JOB, "x", override="manual\nexec sleep 2\nenv B=2\n")
    assert (None, "sleep 2") == (job.start_on, job.stages["main"].text)
    assert ["A=1", "B=2"] == job.environment
    assert [] == job.faults


def test_override_acts_up_to_its_fault() -> None:
    """The job is valid; the fault is in its list."""
    text = "exec sleep 2\nbogus\nexec sleep 3\n"
    job = parse(JOB, "x", override=text, override_file="/etc/init/x.override")
    assert "sleep 2" == job.stages["main"].text
    assert ["/etc/init/x.override:2: Unknown stanza"] == [str(fault) for fault in job.faults]


def test_faulty_job_is_no_job() -> None:
    """Whatever its override says."""
    with pytest.raises(JobFault, match="x.conf:4: Unknown stanza"):
        parse(JOB + "bogus\n", "x", override="manual\n")


def test_files_are_read_as_bytes(tmp_path: Path) -> None:
    """Carriage returns are blanks, and bytes that are no UTF-8 stay what they are."""
    (tmp_path / "x.conf").write_bytes(b"exec a \xff\r\nscript\r\n b\r\nend script\r\n")
    job = read(str(tmp_path / "x.conf"), "x", str(tmp_path / "x.override"))
    assert "b\r\n" == job.stages["main"].text
    assert str(tmp_path / "x.conf") == job.file
    (tmp_path / "x.override").write_bytes(b"exec \xff\n")
    job = read(str(tmp_path / "x.conf"), "x", str(tmp_path / "x.override"))
    assert "\udcff" == job.stages["main"].text


def test_missing_job_is_an_error(tmp_path: Path) -> None:
    """A missing override is none."""
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "x.conf"), "x")
