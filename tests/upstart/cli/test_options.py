"""The command line of ssd-supervise --upstart."""

import pytest

from ssd.supervision.cli.help import TEXT
from ssd.supervision.cli.options import INITS
from ssd.upstart.cli.options import (
    FLAGS,
    IDLE,
    INIT_FLAGS,
    INIT_VALUES,
    VALUES,
    Options,
    Wrong,
    parse,
)


def read(*words: str) -> Options:
    """Return what a command line asks for."""
    return parse(words, "ssd-supervise")


@pytest.mark.parametrize(
    "words", [["--upstart", "/"], ["--upstart=/"], ["/", "--upstart"], ["--", "/"]]
)
def test_directory_is_the_word_that_is_no_option(words: "list[str]") -> None:
    """Beside --upstart, or in it."""
    assert "/" == read(*words).directory
    assert read("--upstart").directory is None


@pytest.mark.parametrize("program", INITS)
def test_init_needs_no_option(program: str) -> None:
    """Called so, the command has --upstart, whatever follows."""
    assert parse(["/"], program).is_init and not read("/").is_init


@pytest.mark.parametrize("option", [*VALUES, *INIT_VALUES])
def test_value_follows_its_option_or_an_equals_sign(option: str) -> None:
    """As for every command."""
    value = {"--runlevel": "2", "--default-console": "none"}.get(option, "/")
    field = {**VALUES, **INIT_VALUES}[option]
    assert value == getattr(read(option, value), field) == getattr(read(f"{option}={value}"), field)
    with pytest.raises(Wrong, match="requires a value"):
        read(option)


@pytest.mark.parametrize("option", [*FLAGS, *INIT_FLAGS])
def test_flag_has_no_value(option: str) -> None:
    """As for every command."""
    assert getattr(read(option), {**FLAGS, **INIT_FLAGS}[option]) is True
    with pytest.raises(Wrong, match="is not an option"):
        read(f"{option}=1")


def test_options_of_init_without_a_meaning_are_accepted() -> None:
    """Scripts of Upstart give them."""
    assert read(*IDLE).directory is None


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["/", "/tmp"], "/tmp is one word too many"),
        (["nova-compute"], "nova-compute is no directory; a single job is started by `start nova"),
        (["--exit-with=a"], "--exit-with is not for Upstart jobs"),
        (["--forward"], "--forward is not for Upstart jobs"),
        (["--runlevel", "7"], "--runlevel cannot be '7'"),
        (["--default-console=tty"], "--default-console cannot be 'tty'"),
        (["--nosuch"], "--nosuch is not an option"),
    ],
)
def test_wrong_command_line_is_explained(words: "list[str]", fault: str) -> None:
    """A job's name is what most would try."""
    with pytest.raises(Wrong) as caught:
        read(*words)
    assert str(caught.value).startswith(fault)


@pytest.mark.parametrize("option", ["-h", "--help", "-V", "--version"])
def test_help_is_asked_for_without_a_fault(option: str) -> None:
    """The caller of parse answers it."""
    with pytest.raises(Wrong) as caught:
        read("/", option)
    assert (option, "") == (caught.value.option, caught.value.fault)


def test_help_names_every_option() -> None:
    """It is that of ssd-supervise."""
    options = [*FLAGS, *VALUES, *INIT_VALUES, *INIT_FLAGS]
    assert [] == [each for each in options if each != "-v" and each not in TEXT]
