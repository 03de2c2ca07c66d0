"""Where clients find the supervisor of a user's jobs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssd.supervision import places
from ssd.supervision.places import Places, enter
from ssd.upstart.cli import address

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
    assert address.claim(one.path, UID) is None
    assert one.path == address.claim(other.path, UID)
    assert one.path == target()
    one.close()
    assert address.claim(other.path, UID) is None
    assert other.path == target()


def test_link_of_the_same_directory_stays(two: "list[Places]") -> None:
    """It was left by a supervisor of it that was killed."""
    assert address.claim(two[0].path, UID) is None
    before = os.lstat(places.upstart_link(UID))
    assert address.claim(two[0].path, UID) is None
    assert before.st_ino == os.lstat(places.upstart_link(UID)).st_ino


def test_link_is_removed_by_who_has_it(two: "list[Places]") -> None:
    """And by nobody else; twice does not matter."""
    address.claim(two[0].path, UID)
    address.release(two[1].path, UID)
    assert two[0].path == target()
    address.release(two[0].path, UID)
    address.release(two[0].path, UID)
    assert not os.path.lexists(places.upstart_link(UID))
