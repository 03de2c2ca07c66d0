"""docs/reference writes out every public signature, and each is what the package has."""

import importlib
import inspect
import json
import re
import runpy
from collections.abc import Iterator

import pytest
from conftest import CHECKOUT

REFERENCE = CHECKOUT / "docs" / "reference"
AIO = ("start", "stop", "stop_all", "wait")
MODULES = ("ssd", "ssd.aio", "ssd.service", "ssd.service.lsb", "ssd.supervision", "ssd.testing")
# Base classes of errors and warnings are in tables, and types of facts are in prose.
PLAIN = re.compile(r"\b(?:ssd|collections|typing|os|signal)\.(?:[a-z_]+\.)*(?=[A-Z])")


def blocks() -> Iterator[tuple[str, str]]:
    """Yield page and content of each fenced block of text."""
    for page in sorted(REFERENCE.glob("*.md")):
        for content in re.findall(r"^```text\n(.*?)^```$", page.read_text(), re.M | re.S):
            yield page.name, content


def written() -> Iterator[tuple[str, str, str]]:
    """Yield (page, name, signature) of each signature on a page."""
    start = re.compile(r"^(?:class |async )?(ssd[\w.]*)(?=\()", re.MULTILINE)
    for page, content in blocks():
        starts = [*start.finditer(content)]
        for found, after in zip(starts, [*starts[1:], None], strict=False):
            end = after.start() if after else len(content)
            yield page, found[1], plain(content[found.end() : end])


def plain(signature: str) -> str:
    """Return a signature without layout, quotes of annotations, modules and ``self``."""
    text = re.sub(r"\s+", " ", PLAIN.sub("", signature)).strip()
    text = re.sub(r"\( ?(?:self(?:, )?)?", "(", text)
    text = re.sub(r",? \)", ")", text)
    text = re.sub(r"(?<=[:>] )'([^']*)'|(?<=\[)'(\w+)'", r"\1\2", text)
    return text.replace("['FakeProcess']", "[FakeProcess]")


def resolve(name: str) -> object:
    """Return what a dotted name stands for."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise AssertionError(f"{name}: there is no such name")


SIGNATURES = [*written()]


@pytest.mark.parametrize(("page", "name", "signature"), SIGNATURES, ids=lambda value: value[:60])
def test_signature_on_a_page_is_that_of_the_code(page: str, name: str, signature: str) -> None:
    """A reader of the repository's pages needs no Sphinx and no source."""
    assert plain(str(inspect.signature(resolve(name)))) == signature


def names() -> Iterator[tuple[str, str]]:
    """Yield (module, name) of everything public."""
    for module in MODULES:
        found = importlib.import_module(module)
        public = getattr(found, "__all__", AIO)
        yield from ((module, name) for name in public)


@pytest.mark.parametrize(("module", "name"), [*names()])
def test_public_name_is_in_the_reference(module: str, name: str) -> None:
    """With its signature, or in a table with its attributes."""
    dotted = f"{module}.{name}"
    if dotted in {written for _, written, _ in SIGNATURES}:
        return
    pages = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    assert re.search(rf"`{re.escape(dotted)}`", pages), f"{dotted}: no page describes it"


def classes() -> Iterator[tuple[str, type]]:
    """Yield the public classes that have a signature on a page, but for those of fakes."""
    for _, name, _ in SIGNATURES:
        if not name.startswith("ssd.testing.") and inspect.isclass(found := resolve(name)):
            yield name, found


@pytest.mark.parametrize(("name", "of"), [*classes()], ids=lambda value: str(value))
def test_members_of_a_class_are_in_the_reference(name: str, of: type) -> None:
    """Public methods have their signature, attributes and properties their name in backticks."""
    pages = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    signed = {written for _, written, _ in SIGNATURES}
    for member, value in vars(of).items():
        if member.startswith("_"):
            continue
        if inspect.isroutine(value):
            assert f"{name}.{member}" in signed or f"`{member}" in pages, f"{name}.{member}"
        else:
            assert f"`{member}" in pages, f"{name}.{member}"


def test_exceptions_have_their_attributes_in_the_table() -> None:
    """As their constructors are given them, but for SSD's root and plain warnings."""
    import ssd

    rows = dict(
        re.findall(r"^\| `(ssd\.\w+)` \| (.*?) \|", (REFERENCE / "library.md").read_text(), re.M)
    )
    for name in ssd.__all__:
        value = getattr(ssd, name)
        if not (inspect.isclass(value) and issubclass(value, Exception)):
            continue
        own = [] if "__init__" not in dir_of(value) else [*inspect.signature(value).parameters]
        if not issubclass(value, Warning):
            assert own == re.findall(r"`(\w+)`", rows[f"ssd.{name}"]), name


def dir_of(of: type) -> set[str]:
    """Return the names that a class and its bases within ssd define."""
    return {name for base in of.__mro__ if base.__module__[:3] == "ssd" for name in vars(base)}


def test_exit_statuses_on_the_page_are_those_of_the_code() -> None:
    """Each name of ssd.statuses with its number."""
    from ssd import statuses

    page = (REFERENCE / "exit-statuses.md").read_text()
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| ([\d, ]+) \|", page, re.MULTILINE)
    shown = {}
    for names_of_row, numbers in rows:
        pairs = zip(re.findall(r"\w+", names_of_row), numbers.split(", "), strict=True)
        shown |= {name: int(number) for name, number in pairs}
    assert shown == {name: value for name, value in vars(statuses).items() if name.isupper()}


def test_environment_variables_that_are_read_are_on_the_page() -> None:
    """Those that the package takes from ``os.environ`` by name."""
    read = re.compile(r"environb?(?:\.get\(|\[)b?\"(\w+)\"|b?\"([A-Z_]+)\" in os\.environ")
    page = (REFERENCE / "environment.md").read_text()
    found = {
        name
        for file in (CHECKOUT / "ssd").rglob("*.py")
        for pair in read.findall(file.read_text())
        for name in pair
        if name
    }
    assert found, "the package reads some"
    assert set() == {name for name in found if not re.search(rf"\b{name}\b", page)}


def test_costs_on_the_page_are_those_that_were_measured() -> None:
    """scripts/bench writes the table and the picture from the figures that it leaves."""
    bench = runpy.run_path(str(CHECKOUT / "scripts/bench"))
    directory = CHECKOUT / "docs" / "explanation"
    rows = json.loads((directory / "bench.json").read_text())
    page = (directory / "performance.md").read_text()
    assert bench["renewed"](page, rows) == page
    assert bench["picture"](rows) == (directory / "bench.svg").read_text()


def test_contract_of_a_process_table_is_in_the_reference() -> None:
    """Each member of a table and of a handle has its place on the library's page."""
    from ssd.processes.contract import Handle, ProcessTable

    page = (REFERENCE / "library.md").read_text().partition("## Process tables")[2]
    members = [name for of in (ProcessTable, Handle) for name in vars(of) if name[0] != "_"]
    assert [] == [name for name in members if f"`{name}" not in page]
