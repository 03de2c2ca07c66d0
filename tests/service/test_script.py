"""The script ssd-service: it finds the interpreter of ssd and starts it without site."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ssd

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


def test_it_starts_the_interpreter_that_the_script_beside_it_names(script, run, tmp_path) -> None:
    """Whatever else is called python."""
    place = tmp_path / "bin"
    place.mkdir()
    shutil.copy(script, place / "ssd-service")
    wrapper = place / "python-wrapper"
    wrapper.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/calls\nexec {sys.executable} "$@"\n')
    wrapper.chmod(0o755)
    (place / "ssd").write_text(f"#!{wrapper}\n")
    done = run(place / "ssd-service", "--version")
    assert (0, True) == (done.returncode, done.stdout.startswith("ssd-service "))
    assert "-IS\n" == (tmp_path / "calls").read_text()


def test_json_comes_from_it_too(script, tmp_path) -> None:
    """psutil is found without site."""
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n{SHOW}')
    argv = [script, f"--directory={tmp_path}", "nap", "status", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert "stopped" == json.loads(done.stdout)["state"]


def test_it_goes_on_with_site_where_only_that_knows_the_package(script, run, tmp_path) -> None:
    """As after pip install --editable, which leaves a .pth file in the package's place."""
    place = tmp_path / "venv"
    packages = place / "lib/python{}.{}/site-packages".format(*sys.version_info)
    packages.mkdir(parents=True)
    (packages / "editable.pth").write_text(str(Path(ssd.__file__).parent.parent) + "\n")
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", place)
    (place / "bin").mkdir()
    (place / "bin/python").symlink_to(os.path.realpath(sys.executable))
    shutil.copy(script, place / "bin/ssd-service")
    (place / "bin/ssd").write_text(f"#!{place}/bin/python\n")
    done = run(place / "bin/ssd-service", "--version")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("ssd-service ")


def test_an_interpreter_without_the_package_says_so(script, run, tmp_path) -> None:
    """Python's own error names what is missing."""
    shutil.copy(script, tmp_path / "ssd-service")
    (tmp_path / "ssd").write_text(f"#!{os.path.realpath(sys.executable)}\n")
    done = run(tmp_path / "ssd-service", "--version")
    assert (1, True) == (done.returncode, "No module named 'ssd'" in done.stderr)
