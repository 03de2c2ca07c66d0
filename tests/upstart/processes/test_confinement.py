"""AppArmor profiles of jobs."""

from pathlib import Path

import pytest

from ssd.upstart.errors import JobError
from ssd.upstart.processes import confinement
from ssd.upstart.processes.confinement import profile


def test_profile_is_not_used_without_apparmor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job runs unconfined, as with Upstart; who asks for information is told."""
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(confinement, "is_available", lambda: False)
    assert "" == profile("web", {}, lambda *said: told.append(said))
    assert [("info", "AppArmor is not in use: the profile web is not used")] == told


def test_profile_has_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's own; without a declared one there is none."""
    monkeypatch.setattr(confinement, "is_available", lambda: True)
    assert ("", "a-1-12") == (
        profile("", {}, print), profile("a-$N-${NN}", {"N": "1", "NN": "12"}, print),
    )  # fmt: skip


def test_profile_with_an_unknown_variable_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of the job is one, then: it must not run unconfined."""
    monkeypatch.setattr(confinement, "is_available", lambda: True)
    with pytest.raises(JobError):
        profile("a-$N", {}, print)


def test_profiles_are_loaded_only_where_all_for_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel's AppArmor, and its parser; and in no container."""
    enabled, parser, container = tmp_path / "enabled", tmp_path / "parser", tmp_path / "container"
    monkeypatch.setattr(confinement, "ENABLED", str(enabled))
    monkeypatch.setattr(confinement, "PARSER", str(parser))
    monkeypatch.setattr(confinement, "ELSEWHERE", (str(container),))
    assert not confinement.is_available()
    enabled.write_text("Y\n")
    assert not confinement.is_available()
    parser.touch()
    assert not confinement.is_available()
    parser.chmod(0o755)
    assert confinement.is_available()
    container.touch()
    assert not confinement.is_available()
