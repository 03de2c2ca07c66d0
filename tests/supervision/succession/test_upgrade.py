"""Upgrades: the program of a supervisor is replaced, and its services notice nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import CHECKOUT
from kit import namespace
from kit.supervise import NAP, declare

from ssd.supervision.succession import handed, upgrade
from ssd.supervision.succession.journal import VERSION
from supervision.succession.test_successor import run

ROUNDS = 12


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what is left after many upgrades, with 20 services that crash and log."""
    place = tmp_path_factory.mktemp("renewed")
    return run(
        "renewal.py", place, CHECKOUT / "ssd", CHECKOUT / "scripts" / "ssd-supervise", place, ROUNDS
    )


@pytest.mark.requires_namespaces
def test_upgraded_process_is_the_same(outcome: dict[str, Any]) -> None:
    """It is executed anew each time; its services have the pids that they had."""
    assert (0, ROUNDS, []) == (outcome["exit"], outcome["images"], outcome["faults"])
    assert [f"steady{number}" for number in range(10)] == outcome["same"]
    assert ([], {}) == (outcome["doubled"], outcome["left"])


@pytest.mark.requires_namespaces
def test_upgrade_misses_no_end(outcome: dict[str, Any]) -> None:
    """Children stay children: how each has ended is known, also of those that ended meanwhile."""
    assert [] == outcome["unknown"]
    assert 0 <= outcome["started"] - outcome["crashed"] <= 10  # that many run at the end


@pytest.mark.requires_namespaces
def test_upgrade_loses_no_line(outcome: dict[str, Any]) -> None:
    """The pipes stay open, also those of services that end meanwhile."""
    assert {""} == set(outcome["lines"].values())


@pytest.mark.requires_namespaces
def test_program_that_cannot_run_replaces_nothing(outcome: dict[str, Any]) -> None:
    """What is wrong with it, or with a declaration, is the answer."""
    *broken, undeclared = outcome["refused"]
    assert ["SyntaxError" in each for each in broken] == [True, True]
    assert "steady0.toml:1: nonsense: unknown field" in undeclared


def checked(script: Path, directory: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command with --check."""
    argv = [str(script.with_name("ssd-supervise")), f"--directory={directory}", "--check"]
    return subprocess.run(argv, capture_output=True, text=True, env={**os.environ, **variables})


def test_check_starts_nothing(ssd_path: Path, tmp_path: Path) -> None:
    """It says what is wrong, and nothing if all is well."""
    declare(tmp_path / "d", {"web": NAP})
    done = checked(ssd_path, tmp_path / "d")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    (tmp_path / "d" / "web.toml").write_text(NAP + 'after = ["web2"]\nrequires = ["none"]\n')
    done = checked(ssd_path, tmp_path / "d")
    assert done.returncode
    assert "web requires none, which is not declared" in done.stderr


def test_check_compares_the_format_of_the_state(ssd_path: Path, tmp_path: Path) -> None:
    """Another version may not be able to read what this one hands over."""
    declare(tmp_path / "d", {"web": NAP})
    assert 0 == checked(ssd_path, tmp_path / "d", SSD_UPGRADE=f"check {VERSION}").returncode
    done = checked(ssd_path, tmp_path / "d", SSD_UPGRADE=f"check {VERSION + 1}")
    assert (1, "it reads another format of the state of its predecessor\n") == (
        done.returncode, done.stderr
    )  # fmt: skip


def test_program_is_the_interpreter_with_what_it_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No shell runs in between, which would reap the services that end meanwhile."""
    monkeypatch.setattr(sys, "orig_argv", ["python3", "-I", "-m", "some.module", "--quiet"])
    assert [sys.executable, "-I", "-m", "some.module"] == upgrade.program(["module", "--quiet"])
    monkeypatch.setattr(sys, "orig_argv", ["python3", "file"])
    assert [sys.executable, "file"] == upgrade.program(["file"])


@pytest.mark.parametrize("given", ["", "nonsense", "99", "0"])
def test_variable_alone_hands_nothing_over(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a file in memory that this process has written is believed."""
    monkeypatch.setenv(handed.VARIABLE, given)
    assert None is handed.take()
    assert handed.VARIABLE not in os.environ


def test_state_of_another_process_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may have inherited the descriptor of one."""
    for pid, expected in ((os.getpid() + 1, None), (os.getpid(), b"rest\n")):
        fd = os.memfd_create(handed.STATE)
        os.write(fd, json.dumps({"handed": pid, "limits": [1, 2]}).encode() + b"\nrest\n")
        monkeypatch.setenv(handed.VARIABLE, str(fd))
        found = handed.take()
        assert expected == (None if found is None else found.state)
    assert found is not None
    assert ((1, 2), -1) == (found.limits, found.lock)


@pytest.mark.requires_namespaces
def test_signal_upgrades(ssd_path: Path, tmp_path: Path) -> None:
    """USR2, for those who have no client."""
    from kit.supervise import supervise

    with supervise(ssd_path.with_name("ssd-supervise"), tmp_path / "d", {"one": NAP}) as running:
        running.until("one runs as process")
        before = running.pid_of("one")
        running.send(12)
        running.until("its services go on")
        assert before == running.pid_of("one")
        assert 0 == running.stop()
    assert namespace.obstacle() is None


@pytest.mark.requires_namespaces
def test_client_during_an_upgrade_is_answered(ssd_path: Path, tmp_path: Path) -> None:
    """By the next program, if this one is about to go: upgrades one after another succeed."""
    from kit.supervise import supervise

    script = ssd_path.with_name("ssd-supervise")
    with supervise(script, tmp_path / "d", {"one": NAP}) as running:
        running.until("one runs as process")
        service = f"{script.with_name('ssd-service')} --directory={tmp_path}/d"
        words = f"for i in 1 2 3 4 5 6; do {service} upgrade && {service} one status || exit; done"
        done = running.run("sh", "-c", words)
        assert (0, "") == (done.returncode, done.stderr)
        assert 0 == running.stop()
