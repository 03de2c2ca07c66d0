"""Directories made for a service below directories that others can write."""

import os
from pathlib import Path

import pytest

from ssd.service.verbs import preparing


def test_directory_behind_an_untrusted_link_is_not_made(tmp_path: Path) -> None:
    """The error names the path that was asked for."""
    shared, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    shared.mkdir()
    shared.chmod(0o777)
    elsewhere.mkdir()
    (shared / "state").symlink_to(elsewhere)
    for path in (f"{shared}/state/made", f"{shared}/state/deep/made/"):
        with pytest.raises(PermissionError, match="the symbolic link 'state'") as caught:
            preparing.make_directories([{"path": path, "mode": "0755"}])
        assert caught.value.filename.startswith(f"{shared}/state/")
    assert [] == os.listdir(elsewhere)


def test_directory_put_in_place_of_the_new_one_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode and owner are set by descriptor, wherever the path leads then."""
    above, victim = tmp_path / "above", tmp_path / "victim"
    above.mkdir()
    (victim / "made").mkdir(parents=True)
    (victim / "made").chmod(0o700)
    real = os.mkdir

    def swapped(*words: object, **options: object) -> None:
        real(*words, **options)
        above.rename(tmp_path / "moved")
        above.symlink_to(victim)

    monkeypatch.setattr(os, "mkdir", swapped)
    preparing.make_directories([{"path": f"{above}/made", "mode": "0755"}])
    modes = [(tmp_path / d / "made").stat().st_mode & 0o777 for d in ("victim", "moved")]
    assert [0o700, 0o755] == modes


def test_directories_above_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    """Otherwise the service's user could not reach its own directory."""
    before = os.umask(0o077)
    try:
        preparing.make_directories([{"path": f"{tmp_path}/above/made", "mode": "0750"}])
    finally:
        os.umask(before)
    modes = [(tmp_path / each).stat().st_mode & 0o777 for each in ("above", "above/made")]
    assert [0o755, 0o750] == modes
