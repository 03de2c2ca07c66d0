"""The project keeps its own rules: sizes, packages, pages, and forbidden words."""

import ast
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import metadata, requires, version
from pathlib import Path

import pytest
from conftest import CHECKOUT, Run
from differential import cases

import ssd
from ssd.cli import options
from ssd.cli.added import ADDED

LONGEST = 400  # lines of a module, docs/explanation/design.md
SOURCES = sorted((CHECKOUT / "ssd").rglob("*.py"))
PYTHON = [*SOURCES, *sorted((CHECKOUT / "tests").rglob("*.py"))]


@pytest.fixture(scope="module")
def packages() -> Path:
    """Return the directory where scripts/test has built the sdist and the wheel."""
    if "SSD_DIST" not in os.environ:
        pytest.skip("scripts/test builds the packages")
    return Path(os.environ["SSD_DIST"])


def texts() -> Iterator[tuple[Path, str]]:
    """Yield every text file of the project with its content; products are left out."""
    for top in ("ssd", "scripts", "docs", "tests", ".ci", "packaging"):
        for file in sorted((CHECKOUT / top).rglob("*")):
            hidden = {"__pycache__", "_build"} & set(file.parts)
            if file.is_file() and not hidden:
                yield file, file.read_text(encoding="utf-8", errors="replace")
    for file in sorted(CHECKOUT.iterdir()):
        if file.suffix in (".md", ".cfg", ".toml", ".in"):
            yield file, file.read_text(encoding="utf-8")


def shown(files: list[Path]) -> list[str]:
    """Return the names of files relative to the checkout."""
    return [str(file.relative_to(CHECKOUT)) for file in files]


def test_pyproject_names_the_build_backend_alone() -> None:
    """All metadata is in setup.cfg, and each tool's settings are there or in its own file."""
    assert ["build-system"] == list(tomllib.loads((CHECKOUT / "pyproject.toml").read_text()))


def test_no_module_is_longer_than_400_lines() -> None:
    """A module that grows over the limit is split by reason to change."""
    long = [file for file in PYTHON if len(file.read_text().splitlines()) > LONGEST]
    assert [] == shown(long)


def test_every_module_says_what_it_is_for() -> None:
    """A module begins with a docstring, unless it is empty."""
    silent = [
        file for file in SOURCES if (tree := ast.parse(file.read_text())).body
        and not ast.get_docstring(tree)
    ]  # fmt: skip
    assert [] == shown(silent)


def test_nothing_names_a_machine_or_is_left_to_do() -> None:
    """No file mentions a developer's own directories, or unfinished work."""
    # Backwards, so that this file is not one of those that it looks for.
    words = [word[::-1] for word in ("/krow/", "/mraf/", "ODOT", "EMXIF", "KCAH")]
    wrong = re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in words))
    found = [file for file, text in texts() if wrong.search(text)]
    assert [] == shown(found)


def test_each_dependency_does_real_work() -> None:
    """The package imports each dependency of setup.cfg."""
    imported = set()
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    assert {"psutil", "daemon", "lockfile"} <= imported
    asked = [need for need in requires("start-stop-daemon") or [] if "extra ==" not in need]
    assert ["lockfile", "psutil", "python-daemon"] == sorted(
        re.match(r"[\w-]+", need)[0].lower() for need in asked
    )


def test_changelog_has_an_entry_for_the_version() -> None:
    """The newest entry is of this version and says something."""
    text = (CHECKOUT / "CHANGELOG.md").read_text()
    entries = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    newest = [entry for entry in entries if not entry.startswith("[Unreleased]")][0]
    assert re.match(rf"\[{re.escape(ssd.__version__)}\] - \d{{4}}-\d\d-\d\d\n", newest)
    assert "\n- " in newest


def test_installed_version_is_that_of_the_sources() -> None:
    """The tested version is that of the checkout."""
    assert ssd.__version__ == version("start-stop-daemon")


def test_metadata_is_complete() -> None:
    """The package index shows purpose, requirements and licence."""
    facts = metadata("start-stop-daemon")
    assert ">=3.11" == facts["Requires-Python"]
    assert "MIT" == (facts["License"] or facts["License-Expression"])
    description = facts.get_payload().lstrip()
    assert description.startswith("# ssd\n")
    # An index has no files beside the text.
    assert [] == re.findall(r"\]\((?!https?:)[^)]*\)", description)
    assert "ssd (docs/reference/command.md)" in description


@pytest.mark.parametrize("row", options.TABLE + ADDED, ids=lambda row: row[1])
def test_every_option_is_in_the_manual(row: tuple[str, str, str | None, str]) -> None:
    """docs/reference/command.md has each option, with its letter and the name of its value."""
    letter, name, value, _ = row
    page = (CHECKOUT / "docs" / "reference" / "command.md").read_text()
    short = rf"\*\*-{letter}\*\*, " if letter else ""
    heading = rf"^{short}\*\*--{name}\*\*" + ("" if value is None else " \\*[^*]+\\*")
    assert re.search(heading, page, re.MULTILINE), f"no heading that matches {heading}"


def test_manual_has_no_option_that_is_gone() -> None:
    """Every heading of docs/reference/command.md is an option of the table."""
    page = (CHECKOUT / "docs" / "reference" / "command.md").read_text()
    headings = set(re.findall(r"^(?:\*\*-\w\*\*, )?\*\*--([\w-]+)\*\*", page, re.MULTILINE))
    assert headings <= {row[1] for row in options.TABLE + ADDED}


@pytest.mark.parametrize(
    ("source", "page"),
    [
        ("reference/command.md", "ssd.8"),
        ("reference/service.md", "ssd-service.8"),
        ("reference/supervise.md", "ssd-supervise.8"),
        ("reference/initctl.md", "ssd-initctl.8"),
    ],
)
def test_manual_page_is_up_to_date(source: str, page: str) -> None:
    """What the wheel installs was written from the page of these sources."""
    text = (CHECKOUT / "docs" / source).read_bytes()
    checksum = subprocess.run(["cksum"], input=text, capture_output=True, check=True).stdout
    written = (CHECKOUT / "docs" / page).read_text()
    first, second = written.split("\n")[:2]
    assert f"cksum {checksum.decode().strip()}." in second, "write it: scripts/test --man"
    assert "'\\\" t" == first, "man(1) finds the page's preprocessors there"
    assert not re.search(r"(^|\s)\*\*\S", written, re.MULTILINE), "emphasis has no end"


def divergences() -> dict[str, list[str]]:
    """Return the rows of docs/reference/divergences.md: what each names as its proof."""
    page = (CHECKOUT / "docs" / "reference" / "divergences.md").read_text()
    rows = re.findall(r"^\| *(\w+) .*\|([^|]*)\|$", page, re.MULTILINE)
    return {number: re.findall(r"`([^`]+)`", proof) for number, proof in rows}


def test_every_divergence_has_its_proof() -> None:
    """Each row of docs/reference/divergences.md names cases that are tagged with it, or tests."""
    tagged = {case.id: case.divergence for case in cases.load()}
    for number, proofs in divergences().items():
        assert proofs, f"row {number} names no proof"
        for proof in proofs:
            file, _, name = proof.partition("::")
            if name:
                text = (CHECKOUT / "tests" / file).read_text()
                assert re.search(rf"^def {name}\b", text, re.MULTILINE), f"row {number}: {proof}"
            else:
                assert number == tagged.get(proof), f"row {number}: {proof}"


def test_every_divergence_that_a_case_shows_is_a_row() -> None:
    """A difference between ssd and the original is written down, or it is a defect."""
    tags = {case.divergence for case in cases.load()} - {""}
    assert {*tags, *map(str, range(1, 13))} <= set(divergences())


def test_commands_that_the_readme_names_exist() -> None:
    """Each scripts/NAME of the README is there and may be executed."""
    named = set(re.findall(r"scripts/[\w-]+", (CHECKOUT / "README.md").read_text()))
    assert {"scripts/demo", "scripts/test"} <= named
    assert [] == [name for name in named if not os.access(CHECKOUT / name, os.X_OK)]


def test_readme_is_short() -> None:
    """It is one promise, one example and the way on: fewer than 90 lines."""
    assert len((CHECKOUT / "README.md").read_text().splitlines()) < 90


def test_links_between_pages_lead_somewhere() -> None:
    """A relative link of a page points to a file."""
    for page in [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_wheel_holds_what_a_user_needs(packages: Path) -> None:
    """Types, licence, both scripts' sources and the manual page; and no tests."""
    (wheel,) = packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    base = f"start_stop_daemon-{ssd.__version__}"
    wanted = {"ssd/py.typed", "ssd/cli/__init__.py"}
    for command in ("ssd", "ssd-service", "ssd-supervise", "ssd-initctl"):
        wanted |= {f"{base}.data/scripts/{command}"}
        wanted |= {f"{base}.data/data/share/man/man8/{command}.8"}
        wanted |= {f"{base}.data/data/share/bash-completion/completions/{command}"}
        wanted |= {f"{base}.data/data/share/zsh/site-functions/_{command}"}
    wanted |= {"ssd/service/declarations/nova-compute"}
    wanted |= {
        f"{base}.data/data/share/ssd/{file}" for file in ("init-functions", "start-stop-daemon")
    }
    assert set() == wanted - set(names)
    assert [name for name in names if re.search(r"dist-info/.*LICENSE$", name)]
    assert set(shown(SOURCES)) == {name for name in names if name.endswith(".py")}


def test_sdist_holds_what_a_developer_needs(packages: Path) -> None:
    """Tests, docs and scripts travel with the sources; products do not."""
    (sdist,) = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "setup.cfg", "scripts/test", "scripts/ssd"}
    wanted |= {"setup.py", *(f".ci/{file.name}" for file in (CHECKOUT / ".ci").iterdir())}
    wanted |= {"docs/conf.py", "docs/reference/command.md", "tests/conftest.py", *shown(SOURCES)}
    assert set() == wanted - names
    assert [] == [name for name in names if "__pycache__" in name or "_build" in name]


BUILD = """
import os, sys
from setuptools import build_meta
os.umask(int(sys.argv[2], 8))
build_meta.build_sdist(sys.argv[1])
"""


@pytest.mark.slow
def test_sdist_is_the_same_bytes_each_time(packages: Path, tmp_path: Path) -> None:
    """Time, user and directory of the build do not matter."""
    pytest.importorskip("setuptools", reason="setuptools is missing: pip install setuptools")
    (sdist,) = packages.glob("*.tar.gz")
    built = []
    for number, umask in enumerate(("022", "077")):
        source, products = tmp_path / f"source{number}", tmp_path / f"products{number}"
        products.mkdir()
        source.mkdir()
        subprocess.run(["tar", "-xf", sdist, "-C", source], check=True)
        (directory,) = source.iterdir()
        for file in directory.rglob("*.py"):
            os.utime(file, (1000000000 + number, 1000000000 + number))
        argv = [sys.executable, "-c", BUILD, str(products), umask]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        done = subprocess.run(argv, cwd=directory, env=environment, capture_output=True, text=True)
        assert 0 == done.returncode, done.stderr
        built.append({file.name: file.read_bytes() for file in products.iterdir()})
    assert [1, 1] == list(map(len, built))
    assert built[0] == built[1]


def test_installed_script_names_its_interpreter(ssd_path: Path, run: Run) -> None:
    """pip has put its interpreter into the script's first line, which is one of few.

    Where that is too long for execve(2), or has a blank, sh(1) executes it by two lines more.
    """
    lines = ssd_path.read_text().splitlines()
    assert lines[0].startswith("#!/")
    by_shell = 2 if lines[1].startswith("'''exec'") else 0
    code = re.sub(r'^\w+ = """.*?^"""$', "", ssd_path.read_text(), flags=re.DOTALL | re.MULTILINE)
    # A script is compiled each time. Code that is rarely needed is in texts, which cost nothing.
    assert len(code.split("\n")) <= 18 + by_shell or "EDITABLE" in lines[1]
    assert 0 == run(ssd_path, "--version").returncode
