"""The project keeps its own rules: sizes, pages, and forbidden words."""

import ast
import os
import re
import subprocess
import tomllib
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
    """The package index shows requirements and licence."""
    facts = metadata("start-stop-daemon")
    assert ">=3.11" == facts["Requires-Python"]
    assert "MIT" == (facts["License"] or facts["License-Expression"])


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


def test_installed_script_names_its_interpreter(ssd_path: Path, run: Run) -> None:
    """pip has put its interpreter into the script's first line, which is one of few.

    Where that is too long for execve(2), or has a blank, sh(1) executes it by two lines more.
    """
    lines = ssd_path.read_text().splitlines()
    assert lines[0].startswith("#!/")
    by_shell = 2 if lines[1].startswith("'''exec'") else 0
    code = re.sub(r'^\w+ = """.*?^"""$', "", ssd_path.read_text(), flags=re.DOTALL | re.MULTILINE)
    # A script is compiled each time. Code that is rarely needed is in texts, which cost nothing.
    # Six of the lines read the bundle, which saves twenty times their cost.
    assert len(code.split("\n")) <= 24 + by_shell or "EDITABLE" in lines[1]
    assert 0 == run(ssd_path, "--version").returncode
