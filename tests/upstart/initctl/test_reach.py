"""Which supervisor is meant."""

from pathlib import Path

import pytest

from ssd.service import SUPERVISORS
from ssd.supervision.places import upstart_link
from ssd.upstart.initctl import main, reach

ROOT = f"{SUPERVISORS}/%upstart"


def test_root_means_its_own(monkeypatch) -> None:
    """Whatever the environment says, but with --user the session that this tells."""
    monkeypatch.setenv("UPSTART_SESSION", "/tmp/other")
    assert [upstart_link(0)] == reach.run_directories(0)
    assert [upstart_link(0)] == reach.run_directories(0, system=True)
    assert ["/tmp/other"] == reach.run_directories(0, own=True)
    second = upstart_link(0).replace("%upstart", "srv-init")  # another of root's
    monkeypatch.setenv("UPSTART_SESSION", second)
    assert [second, upstart_link(0)] == reach.run_directories(0)
    assert [upstart_link(0)] == reach.run_directories(0, system=True)
    monkeypatch.delenv("UPSTART_SESSION")
    assert [upstart_link(0)] == reach.run_directories(0, own=True)


def test_root_has_no_session_of_its_own(place: Path, monkeypatch, capfd) -> None:
    """As on the original, which knows sessions by their variable alone."""
    monkeypatch.setattr(reach.os, "geteuid", lambda: 0)
    assert 1 == main(["initctl", "--user", "list"])
    said = "initctl: UPSTART_SESSION isn't set in the environment. "
    assert f"{said}Unable to locate the Upstart instance.\n" == capfd.readouterr().err


def test_user_means_the_session_then_its_own_then_roots(monkeypatch) -> None:
    """The jobs of a session know it; the options leave out what is not meant."""
    own = upstart_link(1000)
    monkeypatch.delenv("UPSTART_SESSION", raising=False)
    assert [own, ROOT] == reach.run_directories(1000)
    monkeypatch.setenv("UPSTART_SESSION", "")
    assert [own] == reach.run_directories(1000, own=True)
    monkeypatch.setenv("UPSTART_SESSION", "/home/me/run")
    assert ["/home/me/run", own, ROOT] == reach.run_directories(1000)
    assert ["/home/me/run", own] == reach.run_directories(1000, own=True)
    assert [ROOT] == reach.run_directories(1000, system=True)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("status foo", (False, False)),
        ("status --user foo", (True, False)),
        ("initctl --session status foo", (True, False)),
        ("status --system --dest com.example foo", (False, True)),
    ],
)
def test_options_tell_which(words: str, given: tuple, place: Path, monkeypatch) -> None:
    """Before or behind the command."""
    seen = []
    monkeypatch.setenv("UPSTART_SESSION", "/tmp/other")
    monkeypatch.setattr(reach, "run_directories", lambda uid, *which: seen.append(which) or [])
    assert 1 == main(words.split())
    assert [given] == seen


def test_destination_is_for_a_bus(place: Path, monkeypatch, capfd) -> None:
    """Root has no bus without --system, and an ordinary user always had one."""
    monkeypatch.setattr(reach.os, "geteuid", lambda: 0)
    assert 1 == main(["start", "--dest=x", "foo"])
    said = "start: --dest given without --system\nTry `start --help' for more information.\n"
    assert said == capfd.readouterr().err
    monkeypatch.setattr(reach.os, "geteuid", lambda: 1000)
    assert 1 == main(["start", "--dest=x", "foo"])
    assert "Unable to connect" in capfd.readouterr().err


def test_first_that_answers_is_asked(jobs, place: Path, monkeypatch) -> None:
    """A link that leads nowhere is no supervisor, and neither is what was killed."""
    (place / "dead").symlink_to("/nonexistent")
    (place / "link").symlink_to(place)
    there = [str(place / "dead"), str(place / "none"), str(place / "link")]
    monkeypatch.setattr(reach, "run_directories", lambda *given: there)
    jobs.answers["status"] = {"status": "foo stop/waiting"}
    assert (0, "foo stop/waiting\n", "") == jobs.run("status", "foo")
