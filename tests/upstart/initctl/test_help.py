"""Help and version."""

import pytest

from ssd._version import __version__
from ssd.upstart.initctl.commands import COMMANDS

from .fake import FakeJobs


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("initctl --help", "Usage: initctl [OPTION]... COMMAND [OPTION]... [ARG]..."),
        ("start --help", "Usage: start [OPTION]... JOB [KEY=VALUE]..."),
        ("initctl start --help", "Usage: initctl start [OPTION]... JOB [KEY=VALUE]..."),
        ("initctl list --help", "Usage: initctl list [OPTION]..."),
        ("initctl emit --help", "Usage: initctl emit [OPTION]... EVENT [KEY=VALUE]..."),
        ("initctl --version", "initctl (upstart 1.13.2)"),
        ("stop --version", "stop (upstart 1.13.2)"),
    ],
)
def test_first_line_is_that_of_the_original(words: str, first: str, jobs: FakeJobs) -> None:
    """Scripts read it."""
    status, said, wrong = jobs.run(*words.split())
    assert (0, first, "") == (status, said.partition("\n")[0], wrong)


def test_version_names_what_it_really_is(jobs: FakeJobs) -> None:
    """In the second line."""
    assert f"ssd {__version__}" in jobs.run("initctl", "--version")[1].splitlines()[1]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_names_its_options(command: str, jobs: FakeJobs) -> None:
    """Its own and those of all."""
    status, said, _ = jobs.run("initctl", command, "--help")
    assert 0 == status
    for letter, name, value in COMMANDS[command][1]:
        shown = [f"-{letter}"] * bool(letter) + [f"--{name}"] * bool(name)
        assert ", ".join(shown) in said and value in said
    assert "  -q, --quiet " in said and "      --dest=NAME " in said


def test_list_of_commands_names_each(jobs: FakeJobs) -> None:
    """And says how to go on; quiet says nothing."""
    status, said, _ = jobs.run("initctl", "help")
    assert (0, set()) == (status, set(COMMANDS) - set(said.split()))
    assert said.endswith("Try `initctl COMMAND --help' for the options of a command.\n")
    assert all(len(line) <= 100 for line in said.splitlines())
    assert (0, "", "") == jobs.run("initctl", "help", "-q")
