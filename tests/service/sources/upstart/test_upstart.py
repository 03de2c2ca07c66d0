"""A job file and its override file."""

from pathlib import Path

import pytest

from ssd.service.sources import upstart
from ssd.service.sources.upstart import JobFault, locate, parse, read

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
    path = tmp_path / "x.conf"
    path.write_bytes(b"exec a \xff\r\nscript\r\n b\r\nend script\r\n")
    job = read(str(path))
    assert ("x", str(path), "b\r\n") == (job.name, job.file, job.stages["main"].text)
    (tmp_path / "x.override").write_bytes(b"exec \xff\nbogus\n")
    job = read(str(path))
    assert "\udcff" == job.stages["main"].text
    assert [str(tmp_path / "x.override")] == [fault.file for fault in job.faults]


def test_missing_job_is_an_error(tmp_path: Path) -> None:
    """A missing override is none."""
    with pytest.raises(FileNotFoundError):
        read(str(tmp_path / "x.conf"))


def test_job_is_located_by_its_name(tmp_path: Path) -> None:
    """Also in a sub directory, and never outside of the directory."""
    (tmp_path / "net").mkdir()
    for name in ("x", "net/c"):
        (tmp_path / f"{name}.conf").touch()
        assert f"{tmp_path}/{name}.conf" == locate(name, str(tmp_path))
    for name in ("", "y", "net", "x/y", "../x", f"{tmp_path}/x", "x\0"):
        assert locate(name, f"{tmp_path}") is None
        assert locate(name, f"{tmp_path}/net") is None


def test_name_of_a_job_is_its_path_in_the_directory(tmp_path: Path, monkeypatch) -> None:
    """Of one that is elsewhere, the name of the file."""
    (tmp_path / "net").mkdir()
    path = tmp_path / "net" / "c.conf"
    path.touch()
    assert "c" == read(str(path)).name
    monkeypatch.setattr(upstart, "JOBS", str(tmp_path))
    assert ("net/c", "other") == (read(str(path)).name, read(str(path), "other").name)
