"""Every fenced example in README and docs does what it shows."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import CHECKOUT, TESTS, Run
from kit import namespace, pages
from test_reference import resolve

DOCS = sorted(page for page in (CHECKOUT / "docs").rglob("*.md") if "_build" not in page.parts)
PAGES = [CHECKOUT / "README.md", *DOCS]
IN_NAMESPACE = {"container.md", "from-init-script.md"}  # their examples make one
LONGEST = 425  # lines of a page: about 400


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_examples_of_a_page_are_true(page: Path, run: Run, ssd_path: Path, tmp_path) -> None:
    """Each command prints the text below it, and each piece of Python runs."""
    if page.name in IN_NAMESPACE and namespace.obstacle() is not None:
        pytest.skip(str(namespace.obstacle()))
    environment = {
        **os.environ,
        "PATH": f"{ssd_path.parent}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(tmp_path),
        "HOME": str(tmp_path),
    }
    argv = [sys.executable, str(TESTS / "kit" / "pages.py"), str(page)]
    if namespace.obstacle() is None:
        # The examples' files are in /tmp, which is private in the namespace.
        argv = namespace.command(argv, keep=[tmp_path])
    else:
        argv.append(str(tmp_path))
    done = run(*argv, env=environment, timeout=500)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_example_that_prints_something_else_fails() -> None:
    """The comparison is of the whole output, but for an ellipsis."""
    assert [] == list(pages.console("$ echo one; echo two\none\n...\n$ false\n$ echo $?\n1\n"))
    assert 1 == len(list(pages.console("$ echo one\ntwo\n")))
    assert 1 == len(list(pages.console("$ echo one\n")))
    assert 1 == len(list(pages.console("$ exit 3\n$ echo one\none\n")))
    assert [] == list(pages.python(">>> 1 + 1\n2\n", {}, "page", 1))
    assert 1 == len(list(pages.python(">>> 1 + 1\n3\n", {}, "page", 1)))


def test_test_on_a_page_is_run_by_pytest() -> None:
    """With the project's fixtures, and every one of them: two of a name are one too few."""
    passing = "def test_a(fake_processes):\n    assert fake_processes.now() == 0\n"
    assert [] == list(pages.tests([(1, passing), (9, passing.replace("_a", "_b"))]))
    assert 1 == len(list(pages.tests([(1, passing), (9, passing)])))
    (failure,) = pages.tests([(40, passing.replace("== 0", "== 1"))])
    assert "test_page.py:41: AssertionError" in failure


def test_unknown_info_string_fails(tmp_path: Path) -> None:
    """A block that is not run must be called text or ini."""
    page = tmp_path / "page.md"
    page.write_text("```sh\nreboot\n```\n\n```text\nanything\n```\n")
    assert 1 == len(list(pages.failures(page)))


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return pages.FENCE.sub("", page.read_text())


def references() -> Iterator[tuple[Path, str, str]]:
    """Yield (page, target, anchor) of each link from one page to another, or to itself."""
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", prose(page)):
            yield page, target, anchor


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub and MyST make of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_to_headings_that_exist() -> None:
    """A link with an anchor names a heading of a page."""
    wrong = [
        f"{page.name}: {target}#{anchor}"
        for page, target, anchor in references()
        if anchor and anchor not in anchors((page.parent / target) if target else page)
    ]
    assert [] == wrong


def test_names_of_the_package_on_the_pages_exist() -> None:
    """Each dotted name of ssd, in backticks, is one that can be imported or looked up."""
    missing = set()
    for page in PAGES:
        for name in re.findall(r"`(ssd(?:\.\w+)+)", prose(page)):
            if re.fullmatch(r"ssd\.(8|toml|cfg|pyz)", name):
                continue
            try:
                resolve(name)
            except (AssertionError, AttributeError):
                missing.add(f"{page.name}: {name}")
    # Set by constructors, so that the class has no such attribute.
    assert {"glossary.md: ssd.Stop.outcome", "glossary.md: ssd.Stop.rounds"} >= missing


def test_files_of_the_project_on_the_pages_exist() -> None:
    """Each path below ssd/, scripts/, tests/ or docs/ is there."""
    path = re.compile(r"`((?:ssd|scripts|tests|docs)/[\w./-]*[\w/])(?:::\w+)?[`, ]")
    missing = {
        f"{page.name}: {name}"
        for page in PAGES
        for name in path.findall(prose(page))
        if not (CHECKOUT / name).exists()
    }
    assert set() == missing


def test_pages_are_short() -> None:
    """A question is answered in under a minute."""
    lines = {page.name: page.read_text().count("\n") for page in DOCS}
    assert {} == {name: count for name, count in lines.items() if count > LONGEST}


@pytest.mark.parametrize("page", sorted((CHECKOUT / "docs" / "howto").glob("*.md")), ids=str)
def test_howto_begins_with_its_answer(page: Path) -> None:
    """After the title."""
    title, _, text = page.read_text().partition("\n\n")
    assert title.startswith("# ") and text.startswith("**In short:** ")


def test_index_leads_to_every_page() -> None:
    """Sphinx makes the navigation of the links in its tables (docs/conf.py)."""
    index = CHECKOUT / "docs" / "index.md"
    targets = [target for page, target, _ in references() if page == index]
    linked = {(index.parent / target).resolve() for target in targets}
    assert {page for page in DOCS if page != index} == linked


@pytest.mark.parametrize("name", ["command", "service"])
def test_manual_pages_link_to_no_other_page(name: str) -> None:
    """man(1) would show an empty pair of brackets; the page's path as text says where it is."""
    page = CHECKOUT / "docs" / "reference" / f"{name}.md"
    assert {""} == {target for at, target, _ in references() if at == page}
