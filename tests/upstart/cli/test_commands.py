"""The commands that jobs call."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.supervision import places
from ssd.supervision.places import Places, enter
from ssd.upstart.cli.commands import NAMES, extend
from ssd.upstart.initctl.links import NoLinks


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
        path = extend("/bin:/sbin", place, programs)
    finally:
        os.umask(before)
    first = tmp_path / "run" / "%bin"
    assert f"{first}:/bin:/sbin" == path
    expected = {name: f"{programs}/{program}" for name, program in NAMES.items()}
    assert expected == {name: os.readlink(first / name) for name in os.listdir(first)}
    assert 0o755 == first.stat().st_mode & 0o777
    assert path == extend("/bin:/sbin", place, programs)


def test_links_of_another_installation_are_replaced(place: Places, programs: str) -> None:
    """The commands are those of the supervisor that runs."""
    first = extend("/bin", place, programs).partition(":")[0]
    os.unlink(f"{first}/start")
    os.symlink("/elsewhere/ssd-initctl", f"{first}/start")
    extend("/bin", place, programs)
    assert os.readlink(f"{first}/start") == os.readlink(f"{first}/stop")


def test_installed_links_are_enough(place: Places, programs: str, tmp_path: Path) -> None:
    """If they are ours; an initctl of Upstart is not."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "initctl").symlink_to(tmp_path / "bin" / "ssd-initctl")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "initctl").touch(0o755)
    good, bad = f"/nonexistent:{tmp_path}/own", f"{tmp_path}/other:{tmp_path}/own"
    assert good == extend(good, place, programs)
    assert bad != extend(bad, place, programs)


def test_missing_client_is_named(place: Places, programs: str, tmp_path: Path) -> None:
    """Jobs run without it; the caller says so."""
    (tmp_path / "bin" / "ssd-initctl").unlink()
    with pytest.raises(NoLinks, match=r"bin/ssd-initctl: there is no such program"):
        extend("/bin", place, programs)
