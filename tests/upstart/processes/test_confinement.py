"""AppArmor profiles and cgroups of jobs."""

from pathlib import Path

import pytest

from ssd.upstart.processes import confinement
from ssd.upstart.processes.confinement import Cgroups, profile
from upstart.processes.scene import Job


def test_profile_is_not_used_without_apparmor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job runs unconfined, as with Upstart; who asks for information is told."""
    told: list[tuple[str, str]] = []
    for text in (None, "N\n"):
        monkeypatch.setattr(confinement, "ENABLED", str(tmp_path / "enabled"))
        if text is not None:
            (tmp_path / "enabled").write_text(text)
        assert "" == profile("web", {}, lambda *said: told.append(said))
    assert [("info", "AppArmor is not enabled: the profile web is not used")] * 2 == told


def test_profile_has_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's own; without a declared one there is none."""
    (tmp_path / "enabled").write_text("Y\n")
    monkeypatch.setattr(confinement, "ENABLED", str(tmp_path / "enabled"))
    assert ("", "a-1-12") == (
        profile("", {}, print), profile("a-$N-${NN}", {"N": "1", "NN": "12"}, print),
    )  # fmt: skip


def test_missing_cgroup_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process runs without it."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(confinement.cgroups, "own", lambda: None)
    monkeypatch.setattr(confinement.cgroups, "make", lambda name, parent: None)
    Cgroups(lambda *said: told.append(said)).enter(Job("web", "1", exec="true"), 12)
    assert [("warn", "web (1): no cgroup can be had for it")] == told
