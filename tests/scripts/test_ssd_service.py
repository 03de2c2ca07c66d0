"""The script ssd-service: what it passes on; tests/scripts/test_launchers.py has the rest."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ssd

SHOW = "executable = '/bin/true'\n"


@pytest.fixture
def script(ssd_path: Path) -> Path:
    """Return the installed script."""
    return ssd_path.with_name("ssd-service")


def test_script_works_through_a_link_and_by_a_bare_name(script, run, tmp_path) -> None:
    """The target of the link counts."""
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin/ssd-service"
    link.symlink_to(script)
    wanted = run(script, "--version").stdout
    assert wanted.startswith("ssd-service ")
    assert wanted == run(link, "--version").stdout
    path = {"PATH": f"{link.parent}:/usr/bin:/bin"}
    assert wanted == run("ssd-service", "--version", env=path).stdout


def test_script_passes_words_and_environment_on(script, run, tmp_path) -> None:
    """With spaces; a declaration that is called by path sees the whole environment."""
    file = tmp_path / "a nap"
    file.write_text('DAEMON=/bin/echo\nDAEMON_ARGS="$GIVEN"\n')
    file.rename(tmp_path / "a-nap")
    done = run(script, str(tmp_path / "a-nap"), "show-args", env={"GIVEN": "x  y", "PATH": "/bin"})
    assert "/bin/echo x y\n" == done.stdout


def test_interpreter_runs_isolated_and_without_site(script, run, tmp_path) -> None:
    """The caller's variables and directory do not reach it."""
    (tmp_path / "os.py").write_text("raise SystemExit('not this one')\n")
    poison = {"PATH": "/bin", "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nonexistent"}
    done = run(script, "--version", env=poison)
    assert (0, "") == (done.returncode, done.stderr)


def test_script_prints_json(script, tmp_path) -> None:
    """psutil is found without site."""
    (tmp_path / "nap.toml").write_text(f'pidfile = "{tmp_path}/pid"\n{SHOW}')
    argv = [script, f"--directory={tmp_path}", "nap", "status", "--json"]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert "stopped" == json.loads(done.stdout)["state"]


MAIN = """
import sys
from ssd.service.cli import main
sys.exit(main(["ssd-service", *sys.argv[1:]]))
"""


def test_zip_file_has_the_shipped_declaration(run, tmp_path) -> None:
    """As zipapp makes one; an unknown name is reported."""
    home = Path(str(ssd.__file__)).parent
    with zipfile.ZipFile(tmp_path / "app.pyz", "w") as app:
        app.writestr("__main__.py", MAIN)
        for file in home.rglob("*"):
            if file.is_file() and file.suffix != ".pyc":
                app.write(file, Path("ssd") / file.relative_to(home))
    ask = [sys.executable, "-I", tmp_path / "app.pyz", f"--directory={tmp_path}"]
    plain = [sys.executable, "-I", "-c", MAIN, f"--directory={tmp_path}"]
    for words in (["nova-compute", "show-args"], ["nova-compute", "status"]):
        wanted, found = run(*plain, *words), run(*ask, *words)
        assert (wanted.returncode, wanted.stdout) == (found.returncode, found.stdout), found.stderr
    done = run(*ask, "generate", "systemd", "nosuch")
    assert (1, True) == (done.returncode, "unrecognized service" in done.stderr)
