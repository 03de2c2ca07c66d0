"""Every fenced example in README and docs does what it shows."""

import os
import sys
from pathlib import Path

import pytest
from conftest import CHECKOUT, TESTS, Run
from kit import namespace, pages

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_a_page_are_true(page: Path, run: Run, ssd_path: Path, tmp_path) -> None:
    """Each command prints what stands below it, and each piece of Python runs."""
    environment = {
        **os.environ,
        "PATH": f"{ssd_path.parent}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(tmp_path),
        "HOME": str(tmp_path),
    }
    argv = [sys.executable, str(TESTS / "kit" / "pages.py"), str(page)]
    if namespace.obstacle() is None:
        # The examples' files lie in /tmp, which is a private one in there.
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
    """A block that nobody runs has to be called text or ini."""
    page = tmp_path / "page.md"
    page.write_text("```sh\nreboot\n```\n\n```text\nanything\n```\n")
    assert 1 == len(list(pages.failures(page)))
