"""Files of shell assignments: read by a real shell, with errors that name the line."""

from pathlib import Path

import pytest

from ssd.service import DeclarationError, Service
from ssd.service.sh import read_variables


def test_variables_are_those_of_a_real_shell(tmp_path: Path) -> None:
    """Quotes, references, conditionals and commands; exported or not."""
    file = tmp_path / "env"
    file.write_text("A='one  two'\nB=${A}!\nif [ -d / ]; then C=$(echo three); fi\nexport A\n")
    assert {b"A": b"one  two", b"B": b"one  two!", b"C": b"three"} == read_variables(str(file))


def test_output_of_a_file_is_not_a_variable(tmp_path: Path) -> None:
    """Nor does it reach the terminal."""
    file = tmp_path / "env"
    file.write_text("echo X=1; echo Y=2 >&2; Z=3\n")
    assert {b"Z": b"3"} == read_variables(str(file))


def test_error_has_file_and_line(tmp_path: Path) -> None:
    """As the shell reports them."""
    file = tmp_path / "env"
    file.write_text("A=1\nB=2\nif then\n")
    with pytest.raises(DeclarationError) as caught:
        read_variables(str(file))
    assert (str(file), 3) == (caught.value.file, caught.value.line)


def test_failing_command_is_an_error(tmp_path: Path) -> None:
    """Half an environment is of no use."""
    file = tmp_path / "env"
    file.write_text("A=1\nfalse\nB=2\n")
    with pytest.raises(DeclarationError, match="status 1"):
        read_variables(str(file))


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(DeclarationError) as caught:
        read_variables(str(tmp_path / "none"))
    assert str(tmp_path / "none") == caught.value.file


def test_environment_table_overrides_environment_files(tmp_path: Path) -> None:
    """Values in the declaration itself override those of a file."""
    file = tmp_path / "env"
    file.write_text("A=file\nB=file\n")
    service = Service(
        name="nap",
        executable="/bin/true",
        environment={"A": "table"},
        environment_files=[str(file)],
    )
    environment = service.command().environment
    assert (b"table", b"file") == (environment[b"A"], environment[b"B"])
