"""The help and the version."""

import os
import re
from pathlib import Path

import pytest
from conftest import Run

import ssd
from ssd.cli import help as help_text
from ssd.cli import main
from ssd.cli.added import ADDED
from ssd.cli.options import TABLE


def test_help_shows_every_option_with_its_letter_and_its_value() -> None:
    """It is made from the table of options, so none is missing."""
    lines = help_text.text("ssd").splitlines()
    for letter, name, value, _ in TABLE + ADDED:
        left = f"{f'-{letter},' if letter else '   '} --{name}" + (f" <{value}>" if value else "")
        assert 1 == len([line for line in lines if re.match(rf"  {re.escape(left)}( |$)", line)])


def test_help_shows_the_meaning_of_every_option() -> None:
    """Next to the option or in the line below, in one column."""
    text = help_text.text("ssd")
    assert [] == [meaning for _, _, _, meaning in TABLE + ADDED if f" {meaning}\n" not in text]


def test_help_fits_a_terminal() -> None:
    """No line is longer than 80 characters or ends in a space, and the text ends in a newline."""
    text = help_text.text("start-stop-daemon")
    assert [] == [line for line in text.split("\n") if len(line) > 80 or line != line.rstrip()]
    assert text.endswith("\n")


@pytest.mark.parametrize("status", ["0", "1", "2", "3", "4"])
def test_help_names_every_exit_status(status: str) -> None:
    """0 to 3, and 4 for the questions."""
    assert re.search(rf"^  {status}  \w", help_text.text("ssd"), re.MULTILINE)


@pytest.mark.parametrize("line", ["--help", "-H", "--hel", "-S --help", "--help --bogus", "-TH"])
def test_help_is_printed_to_standard_output_with_status_0(
    line: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever follows it."""
    assert 0 == main(["/usr/sbin/ssd", *line.split()])
    assert (help_text.text("ssd"), "") == tuple(capfd.readouterr())


@pytest.mark.parametrize("line", ["--version", "-V", "--vers", "-S --version", "-V --bogus"])
def test_version_names_both_versions(line: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Our own, and that of the start-stop-daemon that ssd is compatible with."""
    assert 0 == main(["ssd", *line.split()])
    out, err = capfd.readouterr()
    assert (1, "") == (out.count("\n"), err)
    assert ssd.__version__ in out
    assert "1.21.22" in out


@pytest.mark.parametrize("name", ["ssd", "start-stop-daemon"])
def test_help_names_the_program_as_it_was_called(
    name: str, tmp_path: Path, ssd_path: Path, run: Run
) -> None:
    """A link named start-stop-daemon uses that name, in the help and on standard error."""
    link = tmp_path / name
    os.symlink(ssd_path, link)
    assert run(link, "--help").stdout.startswith(f"Usage: {name} ")
    done = run(link, "--bogus")
    assert (3, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith(f"{name}: ")
    assert f"'{name} --help'" in done.stderr


def test_python_m_ssd_is_the_same_command(run: Run) -> None:
    """Its name is ssd."""
    import sys

    done = run(sys.executable, "-m", "ssd", "--help")
    assert (0, help_text.text("ssd")) == (done.returncode, done.stdout)
    assert 4 == run(sys.executable, "-m", "ssd", "--status", "--bogus").returncode
