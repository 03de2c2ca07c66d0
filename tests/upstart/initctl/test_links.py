"""Links by which the commands are found."""

import os
from pathlib import Path

import pytest

import ssd
from ssd.upstart.initctl import links, main

NAMES = ["initctl", "reload", "restart", "start", "status", "stop", "telinit", "upstart-init"]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a directory with our programs."""
    directory = tmp_path / "lib" / "bin"
    directory.mkdir(parents=True)
    for name in ("ssd-initctl", "ssd-supervise"):
        (directory / name).touch(0o755)
    return directory


def found(directory: Path) -> dict[str, str]:
    """Return the links of a directory."""
    return {entry.name: os.readlink(entry) for entry in directory.iterdir()}


def test_links_are_made_by_the_command(programs: Path, tmp_path: Path, capfd) -> None:
    """In a directory that need not exist, to the programs beside the command, without detours."""
    (tmp_path / "initctl").symlink_to(programs / "ssd-initctl")
    there = tmp_path / "new" / "bin"
    assert 0 == main([str(tmp_path / "initctl"), f"--make-links={there}"])
    assert ("", "") == tuple(capfd.readouterr())
    assert NAMES == sorted(found(there))
    assert {str(programs / "ssd-initctl"), str(programs / "ssd-supervise")} == set(
        found(there).values()
    )
    assert str(programs / "ssd-supervise") == found(there)["upstart-init"]


def test_links_of_an_earlier_time_are_replaced(programs: Path, tmp_path: Path) -> None:
    """Also those that lead nowhere any more."""
    (tmp_path / "start").symlink_to("/opt/gone/bin/ssd-initctl")
    links.make(str(tmp_path), str(programs), {"start": "ssd-initctl"})
    links.make(str(tmp_path), str(programs), {"start": "ssd-initctl"})
    assert str(programs / "ssd-initctl") == os.readlink(tmp_path / "start")
    assert ["lib", "start"] == sorted(os.listdir(tmp_path))


def test_links_lead_to_the_one_file(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the command runs from it; an installed command replaces them again."""
    file = tmp_path / "ssd.pyz"
    file.touch(0o755)
    there = tmp_path / "bin"
    with monkeypatch.context() as patched:
        patched.setattr(ssd, "archive", str(file))
        for _ in range(2):
            links.make(str(there), str(tmp_path))
        assert {str(file)} == set(found(there).values())
        assert str(file) == links.command(str(tmp_path))
        links.replace(str(there / "start"), str(programs / "ssd-initctl"))
        links.make(str(there), str(tmp_path))
        assert {str(file)} == set(found(there).values())
    assert os.path.realpath(programs / "ssd-initctl") == links.command(str(programs))


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_anything_else_is_left_alone(kind: str, programs: Path, tmp_path: Path, capfd) -> None:
    """Nothing is made then, and the obstacle is named."""
    there = tmp_path / "sbin"
    there.mkdir()
    obstacle = there / "stop"
    if kind == "link":
        obstacle.symlink_to("/sbin/initctl")
    else:
        obstacle.mkdir() if kind == "directory" else obstacle.touch()
    assert 1 == main([str(programs / "ssd-initctl"), "--make-links", str(there)])
    name = "ssd-initctl"
    said = f"{name}: {obstacle}: it is there already, and is no link of ssd\n"
    assert said == capfd.readouterr().err
    assert ["stop"] == os.listdir(there)


def test_missing_program_is_named(programs: Path, tmp_path: Path, capfd) -> None:
    """A part of the installation is missing."""
    (programs / "ssd-supervise").unlink()
    assert 1 == main([str(programs / "ssd-initctl"), "--make-links", str(tmp_path / "bin")])
    said = f"ssd-initctl: {programs}/ssd-supervise: there is no such program\n"
    assert said == capfd.readouterr().err


def test_directory_that_cannot_be_made_is_named(programs: Path, tmp_path: Path, capfd) -> None:
    """With the kernel's reason."""
    (tmp_path / "file").touch()
    assert 1 == main([str(programs / "ssd-initctl"), "--make-links", f"{tmp_path}/file/bin"])
    assert f"ssd-initctl: {tmp_path}/file/bin: Not a directory\n" == capfd.readouterr().err
