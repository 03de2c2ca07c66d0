"""The locations of a supervisor of jobs: its link, the commands, their files and their logs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.supervision import places
from ssd.supervision.places import Places, enter
from ssd.upstart.cli.locations import (
    NAMES,
    claim,
    extend_path,
    job_directories,
    log_directory,
    release,
)
from ssd.upstart.initctl.links import NoLinks

UID = os.geteuid()


@pytest.fixture
def two(tmp_path: Path, monkeypatch) -> "Iterator[list[Places]]":
    """Return the places of two directories, each with its lock."""
    monkeypatch.setattr(places, "base", lambda uid: (str(tmp_path), ("run",)))
    found = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        place = enter(str(tmp_path / name))
        place.lock()
        found.append(place)
    yield found
    for place in found:
        place.close()


def target() -> str:
    """Return where the link leads."""
    return os.readlink(places.upstart_link(UID))


def test_first_supervisor_keeps_the_link_while_it_lives(two: "list[Places]") -> None:
    """A second one is told whose it is; it may have it once the first has ended."""
    one, other = two
    assert claim(one.path, UID) is None
    assert one.path == claim(other.path, UID)
    assert one.path == target()
    one.close()
    assert claim(other.path, UID) is None
    assert other.path == target()


def test_link_of_the_same_directory_stays(two: "list[Places]") -> None:
    """It was left by a supervisor of it that was killed."""
    assert claim(two[0].path, UID) is None
    before = os.lstat(places.upstart_link(UID))
    assert claim(two[0].path, UID) is None
    assert before.st_ino == os.lstat(places.upstart_link(UID)).st_ino


def test_link_is_removed_by_who_has_it(two: "list[Places]") -> None:
    """And by nobody else; twice does not matter."""
    claim(two[0].path, UID)
    release(two[1].path, UID)
    assert two[0].path == target()
    release(two[0].path, UID)
    release(two[0].path, UID)
    assert not os.path.lexists(places.upstart_link(UID))


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> "Iterator[Places]":
    """Return the places of a directory of jobs."""
    monkeypatch.setattr(places, "base", lambda uid: (str(tmp_path), ("run",)))
    (tmp_path / "jobs").mkdir()
    made = enter(str(tmp_path / "jobs"))
    yield made
    made.close()


@pytest.fixture
def programs(tmp_path: Path) -> str:
    """Return the directory of the installed programs."""
    (tmp_path / "bin").mkdir()
    for name in ("ssd-supervise", "ssd-initctl", "ssd-service"):
        (tmp_path / "bin" / name).touch(0o755)
    return str(tmp_path / "bin")


def test_links_come_first(place: Places, programs: str, tmp_path: Path) -> None:
    """Each leads to its program; others may pass to them, whatever the umask is."""
    before = os.umask(0o077)
    try:
        path = extend_path("/bin:/sbin", place, programs)
    finally:
        os.umask(before)
    first = tmp_path / "run" / "%bin"
    assert f"{first}:/bin:/sbin" == path
    expected = {name: f"{programs}/{program}" for name, program in NAMES.items()}
    assert expected == {name: os.readlink(first / name) for name in os.listdir(first)}
    assert 0o755 == first.stat().st_mode & 0o777
    assert path == extend_path("/bin:/sbin", place, programs)


def test_links_of_another_installation_are_replaced(place: Places, programs: str) -> None:
    """The commands are those of the supervisor that runs."""
    first = extend_path("/bin", place, programs).partition(":")[0]
    os.unlink(f"{first}/start")
    os.symlink("/elsewhere/ssd-initctl", f"{first}/start")
    extend_path("/bin", place, programs)
    assert os.readlink(f"{first}/start") == os.readlink(f"{first}/stop")


def test_installed_links_are_enough(place: Places, programs: str, tmp_path: Path) -> None:
    """If they are ours; an initctl of Upstart is not."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "initctl").symlink_to(tmp_path / "bin" / "ssd-initctl")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "initctl").touch(0o755)
    good, bad = f"/nonexistent:{tmp_path}/own", f"{tmp_path}/other:{tmp_path}/own"
    assert good == extend_path(good, place, programs)
    assert bad != extend_path(bad, place, programs)


def test_missing_client_is_named(place: Places, programs: str, tmp_path: Path) -> None:
    """Jobs run without it; the caller says so."""
    (tmp_path / "bin" / "ssd-initctl").unlink()
    with pytest.raises(NoLinks, match=r"bin/ssd-initctl: there is no such program"):
        extend_path("/bin", place, programs)


def test_root_has_one_directory(monkeypatch) -> None:
    """Whatever the variables of a user are."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_CACHE_HOME", "/k")
    assert ["/etc/init"] == job_directories(0, "/root")
    assert "/var/log/upstart" == log_directory(0, "/root")


def test_users_own_directories_come_first(monkeypatch) -> None:
    """Then those of the machine."""
    for name in ("XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    expected = ["/h/.config/upstart", "/h/.init", "/etc/xdg/upstart", "/usr/share/upstart/sessions"]
    assert expected == job_directories(7, "/h")
    assert "/h/.cache/upstart" == log_directory(7, "/h")


def test_variables_of_a_user_count_if_they_are_paths(monkeypatch) -> None:
    """A relative path is ignored (XDG Base Directory Specification)."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/c")
    monkeypatch.setenv("XDG_CONFIG_DIRS", "/x:y:/z")
    monkeypatch.setenv("XDG_CACHE_HOME", "k")
    assert ["/c/upstart", "/h/.init", "/x/upstart", "/z/upstart"] == job_directories(7, "/h")[:-1]
    assert "/h/.cache/upstart" == log_directory(7, "/h")
