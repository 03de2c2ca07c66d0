"""The script ssd-service: what it passes on; tests/scripts/test_launchers.py has the rest."""

import json
import subprocess
from pathlib import Path

import pytest

SHOW = "executable = '/bin/true'\n"


@pytest.fixture
def script(ssd_path: Path) -> Path:
    """Return the installed script."""
    return ssd_path.with_name("ssd-service")


def test_it_works_through_a_link_and_by_a_bare_name(script, run, tmp_path) -> None:
    """The link may be anywhere: what it leads to is what counts."""
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin/ssd-service"
    link.symlink_to(script)
    wanted = run(script, "--version").stdout
    assert wanted.startswith("ssd-service ")
    assert wanted == run(link, "--version").stdout
    path = {"PATH": f"{link.parent}:/usr/bin:/bin"}
    assert wanted == run("ssd-service", "--version", env=path).stdout


def test_it_passes_its_words_and_its_environment_on(script, run, tmp_path) -> None:
    """Spaces and all; a declaration that is called by path sees all of the environment."""
    file = tmp_path / "a nap"
    file.write_text('DAEMON=/bin/echo\nDAEMON_ARGS="$GIVEN"\n')
    file.rename(tmp_path / "a-nap")
    done = run(script, str(tmp_path / "a-nap"), "show-args", env={"GIVEN": "x  y", "PATH": "/bin"})
    assert "/bin/echo x y\n" == done.stdout


def test_the_interpreter_runs_without_site_and_isolated(script, run, tmp_path) -> None:
    """Neither the caller's variables nor its folder reach it."""
    (tmp_path / "os.py").write_text("raise SystemExit('not this one')\n")
    poison = {"PATH": "/bin", "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nonexistent"}
    done = run(script, "--version", env=poison)
    assert (0, "") == (done.returncode, done.stderr)


def test_json_comes_from_it_too(script, tmp_path) -> None:
    """psutil is found without site."""
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n{SHOW}')
    argv = [script, f"--directory={tmp_path}", "nap", "status", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert "stopped" == json.loads(done.stdout)["state"]
