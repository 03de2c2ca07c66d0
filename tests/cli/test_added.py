"""The options that the original lacks: their table, their page, and who may not take them."""

import inspect
import re

import pytest
from conftest import CHECKOUT

import ssd
from ssd.cli import added, settling
from ssd.cli.grammar import LATER, Usage
from ssd.cli.options import TABLE, Options, read
from ssd.service.fields import NAMES, TABLES
from ssd.starting.rare import RARE

NEW = [*LATER, *added.LONG]
CALLS = {"Match": ssd.Match, "Command": ssd.Command, "start": ssd.start, "stop": ssd.stop}


def rows() -> dict[str, tuple[str, str]]:
    """Return (keyword, field) of each option that the page names."""
    page = (CHECKOUT / "docs/reference/additions.md").read_text()
    found = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == 5:
            names = re.findall(r"--([a-z][a-z-]*)", cells[1])
            found.update(dict.fromkeys(names, (cells[2], cells[3])))
    return found


@pytest.mark.parametrize("name", NEW)
def test_page_has_a_row_for_each_option(name: str) -> None:
    """With a keyword that the library has, and a field of a declaration, or a dash for none."""
    keyword, field = rows()[name]
    for call, argument in re.findall(r"ssd\.(\w+)\((\w+)=\)", keyword):
        known = {*inspect.signature(CALLS[call]).parameters, *(RARE if call == "Command" else ())}
        assert argument in known, f"ssd.{call} has no keyword {argument}"
    for name in re.findall(r"`(?:ssd\.)?(\w+)`", keyword):
        assert hasattr(ssd, name)
    assert keyword == "-" or re.search(r"`ssd\.", keyword)
    names = re.findall(r"`([a-z_]+)`", field)
    assert names or field.startswith("-")
    assert set(names) <= {*NAMES, *(key for table in TABLES.values() for key in table)}


def test_page_has_no_option_that_is_gone() -> None:
    """Every option of the page exists."""
    assert set(NEW) == set(rows())


def test_added_option_has_no_letter_and_a_name_of_its_own() -> None:
    """The letters belong to the original, and no beginning of a name of it is a new name."""
    assert {""} >= {letter for letter, _, _, _ in added.ADDED}
    taken = [name for name in added.LONG if any(row[1].startswith(name) for row in TABLE)]
    assert [] == taken
    assert set(settling.RELEVANT) | set(settling.SETTLE) <= set(added.LONG)


@pytest.mark.parametrize("name", settling.RELEVANT)
def test_added_option_is_refused_where_it_has_no_effect(name: str) -> None:
    """Its error names the options that it belongs to."""
    wanted = settling.RELEVANT[name]
    other = next((each for each in ("status", "stop") if each not in wanted), "start")
    words = [f"--{other}", "--pid", "1", "--startas", "/x", f"--{name}"]
    with pytest.raises(Usage, match=f"^--{name} is only relevant with --{wanted[0]}"):
        read([*words, "x"] if added.LONG[name] else words, Options())


@pytest.mark.parametrize("name", ["wait", "stdout", "stderr", "logger"])
def test_option_of_the_background_is_refused_in_the_foreground(name: str) -> None:
    """There the program has the place of ssd, and the output that its caller has given it."""
    with pytest.raises(Usage, match=f"^--{name} is only relevant with --background$"):
        read(["--start", "--pid", "1", "--startas", "/x", f"--{name}", "5"], Options())


@pytest.mark.parametrize("text", ["", "0", "0.0", "-1", "5s", "1e3", "inf", ".", "1_0", " 5", "٣"])
def test_wait_takes_seconds_above_zero(text: str) -> None:
    """As a decimal number, in digits."""
    words = ["--start", "--background", "--pid", "1", "--startas", "/x", f"--wait={text}"]
    with pytest.raises(Usage, match="^--wait takes seconds, more than 0, for example 5 or 0.5$"):
        read(words, Options())


@pytest.mark.parametrize(("text", "seconds"), [("5", 5), ("0.5", 0.5), (".5", 0.5), ("2.", 2)])
def test_wait_may_have_a_fraction(text: str, seconds: float) -> None:
    """The last one counts."""
    options = Options()
    words = ["--start", "--background", "--pid", "1", "--startas", "/x"]
    read([*words, "--wait=7", f"--wait={text}"], options)
    assert seconds == options.for_start["wait"]
