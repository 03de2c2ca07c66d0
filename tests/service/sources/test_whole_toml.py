"""All of TOML, with a Python that has tomllib and with one that has not."""

import sys
import tomllib

import pytest

from ssd.service.errors import DeclarationError
from ssd.service.sources import whole_toml

WHOLE = 'nice = 1\narguments = [\n  "a",\n]\n'


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Pretend that this is Python 3.9, without tomli."""
    monkeypatch.setitem(sys.modules, "tomli", None)
    return monkeypatch


def fields(monkeypatch: pytest.MonkeyPatch, text: str) -> dict[str, object]:
    """Read a text with Python 3.9."""
    with monkeypatch.context() as pretended:
        pretended.setattr(sys, "version_info", (3, 9, 2))
        return whole_toml.parse(text, "web.toml")


def test_old_python_reads_by_tomli(old: pytest.MonkeyPatch) -> None:
    """From which tomllib comes, so it has the same names."""
    old.setitem(sys.modules, "tomli", tomllib)
    assert {"nice": 1, "arguments": ["a"]} == fields(old, WHOLE)
    with pytest.raises(DeclarationError) as caught:
        fields(old, "nice = = 1\n")
    assert 1 == caught.value.line


@pytest.mark.parametrize(
    ("text", "line"), [(WHOLE, 2), ("a.b = 1", 1), ("nice = 1\n\nx = 1_000\n", 3)]
)
def test_old_python_without_tomli_names_it(old: pytest.MonkeyPatch, text: str, line: int) -> None:
    """And the first line that it cannot read."""
    with pytest.raises(DeclarationError, match=r"Python 3\.9 needs tomli for more") as caught:
        fields(old, text)
    assert ("web.toml", line) == (caught.value.file, caught.value.line)
