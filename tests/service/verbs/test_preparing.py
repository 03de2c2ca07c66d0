"""Directories made for a service below directories that others can write."""

import os
from pathlib import Path

import pytest

from ssd.service.verbs import preparing


def test_nothing_is_made_behind_a_link_that_a_stranger_could_have_planted(tmp_path: Path) -> None:
    """The error names the directory that was asked for."""
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


def test_directory_that_is_swapped_meanwhile_gets_no_other_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mode and owner go to what was made, wherever its path leads by then."""
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


def test_directories_above_are_made_whatever_the_umask_is(tmp_path: Path) -> None:
    """Otherwise the service's user would not reach his own."""
    before = os.umask(0o077)
    try:
        preparing.make_directories([{"path": f"{tmp_path}/above/made", "mode": "0750"}])
    finally:
        os.umask(before)
    modes = [(tmp_path / each).stat().st_mode & 0o777 for each in ("above", "above/made")]
    assert [0o755, 0o750] == modes
