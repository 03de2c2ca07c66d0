"""Notices of the kernel: a file is read when it is whole, and nothing is missed."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit import leaks

from ssd.upstart.files import inotify
from upstart.files.defined import SLEEP, Noting, write


@pytest.fixture
def jobs() -> Iterator[Noting]:
    """Return a supervisor that notes."""
    noting = Noting()
    yield noting
    noting.close()


def test_file_written_in_place_is_read_when_it_is_closed(tmp_path: Path, jobs: Noting) -> None:
    """Not half of it, however long its writer takes: a new one, and one that was there."""
    write(tmp_path / "a.conf")
    jobs.follow(tmp_path)
    for name in ("a", "b"):
        with open(tmp_path / f"{name}.conf", "w") as file:
            file.write("script\n echo half\n")
            file.flush()
            write(tmp_path / f"other-{name}.conf")
            jobs.wait(lambda name=name: f"+other-{name}" in jobs.done)
            file.write("end script\n")
        jobs.wait(lambda name=name: f"+{name}" in jobs.done)
    assert [] == jobs.faults()
    assert ["+other-a", "+a", "+other-b", "+b"] == jobs.done


def test_file_replaced_as_editors_do_is_read_when_it_is_closed(
    tmp_path: Path, jobs: Noting
) -> None:
    """The old one is renamed, and the new one is written under its name."""
    write(tmp_path / "a.conf")
    jobs.follow(tmp_path)
    (tmp_path / "a.conf").rename(tmp_path / "a.conf~")
    with open(tmp_path / "a.conf", "w") as file:
        file.write("script\n")
        file.flush()
        write(tmp_path / "b.conf")
        jobs.wait(lambda: "+b" in jobs.done)
        file.write("sleep 1\nend script\n")
    jobs.wait(lambda: "+a" in jobs.done)
    assert [] == jobs.faults()
    assert ["+b", "+a"] == jobs.done


def test_new_directory_is_read_when_its_files_have_settled(tmp_path: Path, jobs: Noting) -> None:
    """A copy of a tree that is being written gives no faults."""
    jobs.follow(tmp_path)
    (tmp_path / "net").mkdir()
    with open(tmp_path / "net" / "a.conf", "w") as file:
        file.write("script\n")
        file.flush()
        jobs.turn(0.1)  # the notice of the directory, not of the file
        file.write("sleep 1\nend script\n")
    jobs.wait(lambda: ["net/a"] == jobs.own)
    assert [] == jobs.faults()


def test_many_changes_at_once_are_not_lost(tmp_path: Path, jobs: Noting) -> None:
    """More than the kernel's queue has room for: then all is read anew."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    jobs.follow(tmp_path)
    one, two = tmp_path / "x.conf~", tmp_path / "y.conf~"
    one.touch()
    for _ in range(limit // 2 + 1):  # two notices each
        one.rename(two)
        one, two = two, one
    write(tmp_path / "a.conf")
    jobs.wait(lambda: ["a"] == jobs.own)
    write(tmp_path / "b.conf")
    jobs.wait(lambda: ["a", "b"] == jobs.own)


def test_mode_that_lets_a_file_be_read_mends_it(
    tmp_path: Path, jobs: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel tells of a change of the mode; that is heeded where reading has failed."""
    real, denied = os.open, [str(tmp_path / "a.conf")]

    def open_if_allowed(path: str, *more: int) -> int:
        if path in denied:
            raise PermissionError(13, "Permission denied")
        return real(path, *more)

    monkeypatch.setattr("ssd.upstart.files.reading.os.open", open_if_allowed)
    write(tmp_path / "a.conf")
    jobs.follow(tmp_path)
    assert [
        f"{tmp_path}/a.conf: Error while loading configuration file: Permission denied"
    ] == jobs.faults()
    denied.clear()
    (tmp_path / "a.conf").chmod(0o640)
    jobs.wait(lambda: ["a"] == jobs.own)
    write(tmp_path / "b.conf")
    jobs.wait(lambda: ["a", "b"] == jobs.own)
    denied.append(str(tmp_path / "b.conf"))  # also one that could be read before
    write(tmp_path / "b.conf", "exec sleep 301")
    jobs.wait(lambda: ["a"] == jobs.own)
    denied.clear()
    (tmp_path / "b.conf").chmod(0o640)
    jobs.wait(lambda: ["a", "b"] == jobs.own)


def test_limits_of_the_kernel_are_told_and_files_are_looked_at(
    tmp_path: Path, jobs: Noting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no watch left for a sub directory."""
    add = inotify.Inotify.add
    monkeypatch.setattr("ssd.upstart.files.polling.INTERVAL", 0.02)
    monkeypatch.setattr(
        inotify.Inotify, "add", lambda self, path, *mask: None if "sub" in path else add(self, path)
    )
    jobs.follow(tmp_path)
    write(tmp_path / "sub" / "a.conf")
    jobs.wait(lambda: ["sub/a"] == jobs.own)
    (warning,) = [text for level, text in jobs.said if level == "warn"]
    assert "no inotify watch is left; it is looked at every 0.02 s" in warning
    write(tmp_path / "b.conf", SLEEP)
    jobs.wait(lambda: ["b", "sub/a"] == jobs.own)


def watches() -> int:
    """Return how many watches of inotify(7) this process has: proc(5), fdinfo."""
    texts = []
    for path in Path("/proc/self/fdinfo").iterdir():
        try:
            texts.append(path.read_text())
        except FileNotFoundError:
            continue  # the descriptor of the listing itself
    return sum(text.count("inotify wd:") for text in texts)


def test_tree_that_is_moved_away_has_no_jobs_and_no_watch(tmp_path: Path, jobs: Noting) -> None:
    """Its directories are still there, and the kernel would go on to tell of them."""
    for name in ("a", "sub/b", "sub/deep/c"):
        write(tmp_path / "init" / f"{name}.conf")
    before = watches()
    jobs.follow(tmp_path / "init")
    assert 3 == watches() - before
    (tmp_path / "init" / "sub").rename(tmp_path / "elsewhere")
    jobs.wait(lambda: ["a"] == jobs.own)
    assert 1 == watches() - before


def test_removed_tree_has_no_jobs(tmp_path: Path, jobs: Noting) -> None:
    """And its jobs are there again when it is."""
    for name in ("a", "sub/b", "sub/deep/c"):
        write(tmp_path / "init" / f"{name}.conf")
    jobs.follow(tmp_path / "init")
    shutil.rmtree(tmp_path / "init")
    jobs.wait(lambda: [] == jobs.own)
    write(tmp_path / "init" / "sub" / "b.conf")
    jobs.wait(lambda: ["sub/b"] == jobs.own)


def test_supervisor_without_files_waits_without_work(tmp_path: Path, jobs: Noting) -> None:
    """No timer runs while the kernel gives notices."""
    jobs.follow(tmp_path)
    assert jobs.until is None


def test_closing_gives_all_descriptors_back(tmp_path: Path) -> None:
    """None stays open."""
    with leaks.same_descriptors():
        jobs = Noting()
        jobs.follow(tmp_path)
        jobs.close()
