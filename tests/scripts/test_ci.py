"""The run of the continuous integration: a chance failure is named, any other one is red."""

import shutil
import sys
from pathlib import Path

import pytest
from conftest import Run

# scripts/test and pytest are the real ones; the other tools do nothing here.
PYTHON = f"""#!/bin/sh
case "$*" in
    *"-m pip"*) exit 0 ;;
    *"-m build"*) mkdir -p "$4" && exec touch "$4/project.whl" ;;
esac
exec {sys.executable} "$@"
"""
PYTEST = f'#!/bin/sh\nexec {sys.executable} -m pytest -p no:randomly "$@"\n'

BY_CHANCE = """
import os, pathlib, pytest

@pytest.mark.parametrize("word", {words})
def test_chance(word):
    here = pathlib.Path(__file__).with_name(word.replace("/", "-"))
    with here.open("a") as file:
        file.write(f"{{os.getpid()}}\\n")
    assert len(here.read_text().split()) > 1

def test_that_passes():
    pass
"""
MARKS = ("fleet", "nova", "packages")  # of tests that have runs of their own
MARKED = "import pytest\n\n@pytest.mark.{mark}\ndef test_{mark}():\n    pass\n"


@pytest.fixture
def project(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project with our CI, and stand-ins for unneeded tools."""
    monkeypatch.delenv("TEST_VENV", raising=False)  # its own, not the one that runs this
    root = tmp_path / "project"
    for name in (
        ".ci",
        "scripts",
        *(f"tests/{mark}" for mark in MARKS),
        "ssd",
        "docs",
        "packaging",
    ):
        (root / name).mkdir(parents=True)
    for name in (".ci/run", ".ci/repeat", "scripts/test"):
        shutil.copy(checkout / name, root / name)
    for name in (
        "setup.py",
        "pyproject.toml",
        "MANIFEST.in",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
    ):
        (root / name).touch()
    (root / "docs/ssd.8").touch()
    (root / "tests/test_consumer.py").write_text("def test_pyright():\n    pass\n")
    usual = f"addopts = -m 'not {' and not '.join(MARKS)}'\n"
    marks = "\n    ".join(MARKS)
    (root / "setup.cfg").write_text(f"[tool:pytest]\nmarkers =\n    {marks}\n{usual}")
    for mark in MARKS:
        (root / f"tests/{mark}/test_{mark}.py").write_text(MARKED.format(mark=mark))
    tools = root / ".venv/bin"
    tools.mkdir(parents=True)
    for name, text in {"python": PYTHON, "pytest": PYTEST}.items():
        (tools / name).write_text(text)
    for name in ("ruff", "mypy", "basedpyright", "sphinx-build", "twine", "check-wheel-contents"):
        (tools / name).write_text("#!/bin/sh\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    return root


def failing(project: Path, words: list[str]) -> None:
    """Give the project a test per word that fails when it runs for the first time."""
    (project / "tests/test_chance.py").write_text(BY_CHANCE.format(words=words))


def test_failure_that_passes_when_repeated_is_named_as_flaky(run: Run, project: Path) -> None:
    """Also with blanks and brackets in the name; the last lines list them all."""
    failing(project, ["one", "two words", "a[b]"])
    done = run("bash", project / ".ci/run")
    assert 0 == done.returncode, done.stdout + done.stderr
    last = done.stdout.splitlines()[-4:]
    assert last[0].startswith("flaky: failed, and passed when repeated alone.")
    assert [
        "    tests/test_chance.py::test_chance[one]",
        "    tests/test_chance.py::test_chance[two words]",
        "    tests/test_chance.py::test_chance[a[b]]",
    ] == last[1:]


def test_failures_are_repeated_in_processes_of_their_own(run: Run, project: Path) -> None:
    """A test that fails only beside another does not fail by chance."""
    failing(project, ["one", "two"])
    run("bash", project / ".ci/run")
    first, again = zip(
        *((project / "tests" / name).read_text().split() for name in ("one", "two")), strict=True
    )
    assert (1, 2) == (len(set(first)), len(set(again)))


@pytest.mark.parametrize("mark", MARKS)
def test_test_of_a_run_of_its_own_is_repeated_there(mark: str, run: Run, project: Path) -> None:
    """The runs with hosts, with nova and with packages come after the usual one."""
    failing(project, ["one"])
    (project / f"tests/{mark}/test_{mark}.py").write_text(
        "import pathlib, pytest\n"
        f"@pytest.mark.{mark}\ndef test_{mark}():\n"
        "    here = pathlib.Path(__file__).with_name('ran')\n"
        "    ran = here.exists()\n    here.touch()\n    assert ran\n"
    )
    done = run("bash", project / ".ci/run")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert [f"    tests/{mark}/test_{mark}.py::test_{mark}"] == done.stdout.splitlines()[-1:]
    assert "    tests/test_chance.py::test_chance[one]" in done.stdout.splitlines()


def test_run_without_failures_says_nothing(run: Run, project: Path) -> None:
    """The usual run."""
    failing(project, [])
    done = run("bash", project / ".ci/run")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "flaky" not in done.stdout


def test_failure_that_fails_again_is_red(run: Run, project: Path) -> None:
    """Even if the other one passes now."""
    failing(project, ["one"])
    (project / "tests/test_fault.py").write_text("def test_fault():\n    assert False\n")
    done = run("bash", project / ".ci/run")
    assert 1 == done.returncode
    assert ".ci/repeat: failed again: tests/test_fault.py::test_fault" in done.stdout
    assert "nova" not in done.stdout


def test_more_than_five_failures_are_not_repeated(run: Run, project: Path) -> None:
    """The run is red."""
    failing(project, list("abcdef"))
    done = run("bash", project / ".ci/run")
    assert 1 == done.returncode
    assert "nothing is repeated, 6 tests failed" in done.stdout
    assert ["1"] * 6 == [str(len((project / "tests" / w).read_text().split())) for w in "abcdef"]


@pytest.mark.parametrize("tool", ["ruff", "mypy", "sphinx-build"])
def test_check_that_fails_is_red_whatever_the_tests_do(run: Run, project: Path, tool: str) -> None:
    """Lint does not fail by chance."""
    failing(project, ["one"])
    (project / ".venv/bin" / tool).write_text("#!/bin/sh\nexit 1\n")
    done = run("bash", project / ".ci/run")
    assert 1 == done.returncode
    assert "not only tests failed" in done.stdout


@pytest.mark.parametrize(
    "module",
    ["import no_such_module\n", "import os\ndef test_end():\n    os._exit(1)\n"],
    ids=["cannot be imported", "ends pytest"],
)
def test_aborted_run_is_red(run: Run, project: Path, module: str) -> None:
    """Tests that did not run may fail."""
    failing(project, [])
    (project / "tests/test_broken.py").write_text(module)
    done = run("bash", project / ".ci/run")
    assert 1 == done.returncode
    assert "Traceback" not in done.stderr
    assert "nothing is repeated" in done.stdout


def test_failures_of_an_earlier_run_are_not_this_ones(run: Run, project: Path) -> None:
    """A test that no longer exists cannot be repeated."""
    failing(project, ["one"])
    (project / "tests/test_fault.py").write_text("def test_fault():\n    assert False\n")
    run("bash", project / ".ci/run")
    (project / "tests/test_fault.py").unlink()
    (project / "tests/one").unlink()
    done = run("bash", project / ".ci/run")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["    tests/test_chance.py::test_chance[one]"] == done.stdout.splitlines()[-1:]
