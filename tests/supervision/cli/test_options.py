"""The command line of ssd-supervise."""

import pytest

from ssd._version import __version__
from ssd.supervision.cli.help import TEXT
from ssd.supervision.cli.options import FLAGS, VALUES, Options, parse


def read(*words: str) -> Options:
    """Return what a valid command line asks for."""
    found = parse(list(words), "ssd-supervise")
    assert isinstance(found, Options)
    return found


def test_options_and_names_may_be_mixed() -> None:
    """A value follows its option, or an equals sign."""
    found = read("web", "--directory", "/d", "--exit-with=web", "--exit-when-failed", "-q", "db")
    assert ("/d", "web", True, True) == (
        found.directory, found.exit_with, found.exit_when_failed, found.quiet,
    )  # fmt: skip
    assert ["web", "db"] == found.names
    assert ["--quiet"] == read("--", "--quiet").names


@pytest.mark.parametrize("word", ["--nosuch", "-x", "--quiet=1", "--directory"])
def test_wrong_option_is_answered_with_the_usage(word: str, capfd) -> None:
    """The exit status is LSB's 2."""
    assert 2 == parse([word], "me")
    said = capfd.readouterr()
    assert "" == said.out and said.err.startswith(f"me: {word} ")
    assert "Usage: me " in said.err


def test_help_and_version_are_answered(capfd) -> None:
    """On standard output; help names every option."""
    assert (0, 0) == (parse(["-V"], "me"), parse(["--help"], "me"))
    said = capfd.readouterr().out
    assert said.startswith(f"ssd-supervise {__version__}\n")
    assert all(option in said for option in (*FLAGS, *VALUES))
    assert TEXT.count("{program}") == said.count(" me ")
