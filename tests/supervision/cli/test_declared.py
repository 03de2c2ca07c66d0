"""Which declarations a supervisor gets: all of a directory, or some and what they require."""

from pathlib import Path

import pytest

from ssd.service.errors import UnknownService
from ssd.supervision.cli.declared import Broken, read
from ssd.supervision.cli.refusal import explain
from ssd.supervision.cli.selection import meant


@pytest.fixture
def directory(tmp_path: Path) -> str:
    """Return a directory with three services, of which one requires another by a facility."""
    (tmp_path / "web.toml").write_text('requires = ["$store"]\nexecutable = "/bin/web"\n')
    (tmp_path / "db.toml").write_text('provides = ["$store"]\nexecutable = "/bin/db"\n')
    (tmp_path / "other.toml").write_text('executable = "/bin/other"\n')
    return str(tmp_path)


def names(directory: str, *wanted: str) -> list[str]:
    """Return the names of the services that are read."""
    return sorted(service.name for service in read(directory, wanted or None))


def test_all_of_a_directory_are_read(directory: str) -> None:
    """None of them need be named."""
    assert ["db", "other", "web"] == names(directory)


def test_names_bring_what_they_require(directory: str) -> None:
    """By name or by facility; nothing else is read, and no names at all are no services."""
    assert ["db", "web"] == names(directory, "web")
    assert ["other"] == names(directory, "other")
    assert [] == read(directory, [])


def test_broken_declarations_are_named_together(directory: str) -> None:
    """Each with its line; only those that are wanted matter."""
    Path(directory, "db.toml").write_text("nonsense = 1\n")
    Path(directory, "other.toml").write_text("nonsense = 2\n")
    with pytest.raises(Broken) as caught:
        read(directory)
    lines = explain(caught.value)
    assert [True, True] == ["db.toml:1" in lines[0], "other.toml:1" in lines[1]]
    Path(directory, "web.toml").write_text('requires = ["db"]\nexecutable = "/bin/web"\n')
    with pytest.raises(Broken) as caught:
        read(directory, ["web"])
    assert 1 == len(caught.value.causes)


def test_name_that_nothing_declares_is_an_error(directory: str) -> None:
    """With the nearest name; a shipped declaration is found."""
    with pytest.raises(UnknownService, match="did you mean web"):
        read(directory, ["wep"])
    assert ["nova-compute"] == names(directory, "nova-compute")


def test_instances_are_services_each(directory: str) -> None:
    """Those listed, those linked, and any that is named; NAME@ stands for the declared."""
    Path(directory, "a@.toml").write_text('instances = ["1"]\nexecutable = "/bin/a%i"\n')
    Path(directory, "a@2.toml").symlink_to("a@.toml")
    Path(directory, "web.toml").write_text('requires = ["a@2"]\nexecutable = "/bin/web"\n')
    assert ["a@1", "a@2", "db", "other", "web"] == names(directory)
    assert ["a@1", "a@2"] == names(directory, "a@")
    assert ["a@2", "a@3", "web"] == names(directory, "a@3", "web")
    Path(directory, "a@.toml").write_text('instances = ["1"]\nnice = "%i"\n')
    with pytest.raises(Broken) as caught:
        read(directory)
    assert ["a@1", "a@2"] == sorted(caught.value.causes)


def test_template_means_its_instances() -> None:
    """By both of its names; any other service is itself, also one that has instances beside it."""
    units = ["a@1", "a@2", "ab@1", "b", "b@1"]
    assert ["a@1", "a@2"] == meant(["a@"], units) == meant(["a"], units)
    assert ["b", "b@1"] == meant(["b", "b@"], units)
    assert ["a@2"] == meant(["a@2", "c@"], units)


def test_name_that_two_files_give_is_an_error(directory: str) -> None:
    """Which of them is meant, nobody knows."""
    Path(directory, "wep.toml").write_text('name = "web"\nexecutable = "/bin/web"\n')
    with pytest.raises(Broken, match="has this name, too"):
        read(directory)
