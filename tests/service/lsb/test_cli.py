"""The command ``ssd-service lsb``: its functions are those of the library and of the page."""

from pathlib import Path

import pytest

from ssd.service import lsb
from ssd.service.lsb import cli as command


@pytest.mark.parametrize("words", [[], ["pidof"], ["--as"], ["--as", "NAME"]], ids=str)
def test_unknown_function_is_refused(words: list, capfd: pytest.CaptureFixture[str]) -> None:
    """Status 3, not implemented, and the list of known functions."""
    assert 3 == command.main(words)
    assert " start_daemon pidofproc killproc " in capfd.readouterr().err


def test_functions_are_the_same_as_those_of_python() -> None:
    """The command and the library have the same functions."""
    assert {*command.FUNCTIONS, "Found"} == set(lsb.__all__)
    for name in lsb.__all__:
        assert callable(getattr(lsb, name))


def test_page_names_every_function(checkout: Path) -> None:
    """docs/reference/lsb.md has a paragraph for each, in the order of the command's list."""
    lines = (checkout / "docs" / "reference" / "lsb.md").read_text().splitlines()
    found = [line.split("**")[1] for line in lines if line.startswith("**")]
    assert list(command.FUNCTIONS) == found
