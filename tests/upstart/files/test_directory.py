"""Jobs follow their files: what is written, renamed, removed, broken and mended."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.upstart.files import inotify
from upstart.files.defined import SLEEP, Noting, write


@pytest.fixture(params=["notices", "polling"])
def jobs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Noting]:
    """Return a supervisor whose directories are watched by the kernel, or looked at."""
    if request.param == "polling":
        monkeypatch.setattr(inotify.Inotify, "__init__", refuse)
        monkeypatch.setattr("ssd.upstart.files.polling.INTERVAL", 0.02)
    noting = Noting()
    yield noting
    noting.close()


def refuse(self: object) -> None:
    """Fail as a system without inotify does."""
    raise OSError(0, "this system has no inotify")


def test_jobs_follow_their_files(tmp_path: Path, jobs: Noting) -> None:
    """One that comes, changes and goes; a file of the same text changes nothing."""
    write(tmp_path / "a.conf")
    jobs.follow(tmp_path)
    assert ["a"] == jobs.own
    write(tmp_path / "b.conf")
    jobs.wait(lambda: "+b" in jobs.done)
    write(tmp_path / "a.conf", "exec sleep 301\n")
    jobs.wait(lambda: jobs.line("a") == "sleep 301")
    (tmp_path / "b.conf").unlink()
    jobs.wait(lambda: "-b" in jobs.done)
    write(tmp_path / "a.conf", "exec sleep 301\n")
    write(tmp_path / "c.conf")
    jobs.wait(lambda: "+c" in jobs.done)
    assert ["+b", "+a", "-b", "+c"] == jobs.done


def test_broken_file_is_no_job_until_it_is_mended(tmp_path: Path, jobs: Noting) -> None:
    """The fault is told as an error, once, with file and line."""
    write(tmp_path / "foo.conf")
    jobs.follow(tmp_path)
    write(tmp_path / "foo.conf", "bogus\n")
    jobs.wait(lambda: "-foo" in jobs.done)
    assert [f"{tmp_path}/foo.conf:1: Unknown stanza"] == jobs.faults()
    write(tmp_path / "other.conf")
    jobs.wait(lambda: "+other" in jobs.done)
    write(tmp_path / "foo.conf", "exec sleep 302\n")
    jobs.wait(lambda: "+foo" in jobs.done)
    assert jobs.line("foo") == "sleep 302"
    assert 1 == len(jobs.faults())


def test_override_alone_changes_its_job(tmp_path: Path, jobs: Noting) -> None:
    """It may be added, changed and removed; without a job of its name it does nothing."""
    write(tmp_path / "a.conf")
    jobs.follow(tmp_path)
    write(tmp_path / "none.override")
    write(tmp_path / "a.override", "exec sleep 1")
    jobs.wait(lambda: jobs.line("a") == "sleep 1")
    write(tmp_path / "a.override", "exec sleep 2")
    jobs.wait(lambda: jobs.line("a") == "sleep 2")
    (tmp_path / "a.override").unlink()
    jobs.wait(lambda: jobs.line("a") == "sleep 300")
    assert ["a"] == jobs.own


def test_sub_directories_are_followed(tmp_path: Path, jobs: Noting) -> None:
    """Those that come later, that are moved into place, and that go, with all that is in them."""
    root = tmp_path / "init"
    root.mkdir()
    jobs.follow(root)
    write(root / "net" / "deep" / "c.conf")
    jobs.wait(lambda: ["net/deep/c"] == jobs.own)
    write(root / "net" / "deep" / "d.conf")
    jobs.wait(lambda: ["net/deep/c", "net/deep/d"] == jobs.own)
    write(tmp_path / "made" / "e.conf")
    (tmp_path / "made").rename(root / "made")
    jobs.wait(lambda: "made/e" in jobs.own)
    (root / "made").rename(root / "other")
    jobs.wait(lambda: "other/e" in jobs.own and "made/e" not in jobs.own)
    (root / "net").rename(tmp_path / "away")
    jobs.wait(lambda: ["other/e"] == jobs.own)
    write(tmp_path / "away" / "f.conf")
    write(root / "g.conf")
    jobs.wait(lambda: ["g", "other/e"] == jobs.own)


def test_directory_may_come_later_and_go_and_come_again(tmp_path: Path, jobs: Noting) -> None:
    """So may those above it. That it is gone is a warning."""
    root = tmp_path / "config" / "upstart"
    jobs.follow(root)
    assert [] == jobs.own
    for number in range(2):
        write(root / "a.conf", f"exec sleep {number}")
        jobs.wait(lambda: ["a"] == jobs.own)
        assert jobs.line("a") == f"sleep {number}"
        (root / "a.conf").unlink()
        root.rmdir()
        root.parent.rmdir()
        jobs.wait(lambda: [] == jobs.own)
        told = [("warn", f"{root}: Configuration directory deleted")] * (number + 1)
        jobs.wait(lambda told=told: told == [each for each in jobs.said if "deleted" in each[1]])


def test_earlier_directory_hides_the_jobs_of_later_ones(tmp_path: Path, jobs: Noting) -> None:
    """When its file goes, or breaks, the other one counts again."""
    one, two = tmp_path / "one", tmp_path / "two"
    write(two / "a.conf", "exec sleep 2")
    jobs.follow(one, two)
    assert jobs.line("a") == "sleep 2"
    write(one / "a.conf", "exec sleep 1")
    jobs.wait(lambda: jobs.line("a") == "sleep 1")
    write(one / "a.conf", "bogus")
    jobs.wait(lambda: jobs.line("a") == "sleep 2")
    write(one / "a.override", "exec sleep 3")
    jobs.wait(lambda: jobs.line("a") == "sleep 3")
    (one / "a.override").unlink()
    (one / "a.conf").unlink()
    jobs.wait(lambda: jobs.line("a") == "sleep 2")


def test_links_are_taken_as_files(tmp_path: Path, jobs: Noting) -> None:
    """Symbolic and hard ones; a link in the place of a directory, too, when it is replaced."""
    for version in ("1", "2"):
        write(tmp_path / version / "a.conf", f"exec sleep {version}")
    root = tmp_path / "init"
    root.mkdir()
    (root / "..data").symlink_to("../1")
    (root / "a.conf").symlink_to("..data/a.conf")
    jobs.follow(root)
    assert jobs.line("a") == "sleep 1"
    (root / "new").symlink_to("../2")
    (root / "new").rename(root / "..data")
    jobs.wait(lambda: jobs.line("a") == "sleep 2")
    (root / "b.conf").symlink_to("../1/a.conf")
    jobs.wait(lambda: "b" in jobs.own)
    os.link(tmp_path / "1" / "a.conf", root / "c.conf")
    jobs.wait(lambda: "c" in jobs.own)


def test_reload_reads_what_no_notice_tells(tmp_path: Path, jobs: Noting) -> None:
    """The file behind a link, for example; what has not changed is not defined anew."""
    target = tmp_path / "target"
    target.write_text(SLEEP)
    root = tmp_path / "init"
    root.mkdir()
    (root / "a.conf").symlink_to(target)
    write(root / "b.conf")
    directory = jobs.follow(root)
    target.write_text("exec sleep 301")
    directory.reload()
    assert ["+a"] == jobs.done
    assert ("info", f"Loading configuration from {root}") in jobs.said


def test_directory_that_cannot_be_listed_is_told_once(
    tmp_path: Path, jobs: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And again by who asks for all to be read anew."""
    real = os.scandir

    def list_if_allowed(path: str) -> Iterator[os.DirEntry[str]]:
        if path.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("ssd.upstart.files.reading.os.scandir", list_if_allowed)
    (tmp_path / "closed").mkdir()
    directory = jobs.follow(tmp_path)
    fault = f"{tmp_path}/closed: Unable to load configuration: Permission denied"
    assert [fault] == jobs.faults()
    write(tmp_path / "sub" / "a.conf")
    jobs.wait(lambda: ["sub/a"] == jobs.own)
    assert [fault] == jobs.faults()
    directory.reload()
    assert [fault, fault] == jobs.faults()


def test_closed_directory_is_followed_no_more(tmp_path: Path, jobs: Noting) -> None:
    """No descriptor and no timer is left."""
    jobs.follow(tmp_path).close()
    write(tmp_path / "a.conf")
    jobs.turn(0.1)
    assert [] == jobs.own
    assert jobs.until is None
