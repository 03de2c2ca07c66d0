"""The commands that jobs call."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.supervision import places
from ssd.supervision.places import Places, enter
from ssd.upstart.cli.commands import NAMES, Missing, extend


@pytest.fixture
def place(tmp_path: Path, monkeypatch) -> "Iterator[Places]":
    """Return the places of a directory of jobs."""
    monkeypatch.setattr(places, "base", lambda uid: (str(tmp_path), ("run",)))
    (tmp_path / "jobs").mkdir()
    made = enter(str(tmp_path / "jobs"))
    yield made
    made.close()


@pytest.fixture
def program(tmp_path: Path) -> str:
    """Return the path of an installed ssd-supervise."""
    (tmp_path / "bin").mkdir()
    for name in ("ssd-supervise", "ssd-initctl"):
        (tmp_path / "bin" / name).touch(0o755)
    return str(tmp_path / "bin" / "ssd-supervise")


def test_links_come_first(place: Places, program: str, tmp_path: Path) -> None:
    """Each leads to ssd-initctl; others may pass to them, whatever the umask is."""
    before = os.umask(0o077)
    try:
        path = extend("/bin:/sbin", place, program)
    finally:
        os.umask(before)
    first = tmp_path / "run" / "%bin"
    assert f"{first}:/bin:/sbin" == path
    assert [*NAMES] == sorted(os.listdir(first))
    assert {str(tmp_path / "bin" / "ssd-initctl")} == {os.readlink(first / each) for each in NAMES}
    assert 0o755 == first.stat().st_mode & 0o777
    assert path == extend("/bin:/sbin", place, program)


def test_links_of_another_installation_are_replaced(place: Places, program: str) -> None:
    """The commands are those of the supervisor that runs."""
    first = extend("/bin", place, program).partition(":")[0]
    os.unlink(f"{first}/start")
    os.symlink("/elsewhere/ssd-initctl", f"{first}/start")
    extend("/bin", place, program)
    assert os.readlink(f"{first}/start") == os.readlink(f"{first}/stop")


def test_installed_links_are_enough(place: Places, program: str, tmp_path: Path) -> None:
    """If they are ours; an initctl of Upstart is not."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "initctl").symlink_to(tmp_path / "bin" / "ssd-initctl")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "initctl").touch(0o755)
    good, bad = f"/nonexistent:{tmp_path}/own", f"{tmp_path}/other:{tmp_path}/own"
    assert good == extend(good, place, program)
    assert bad != extend(bad, place, program)


def test_missing_client_is_named(place: Places, program: str, tmp_path: Path) -> None:
    """Jobs run without it; the caller says so."""
    (tmp_path / "bin" / "ssd-initctl").unlink()
    with pytest.raises(Missing, match=r"bin/ssd-initctl is missing"):
        extend("/bin", place, program)
