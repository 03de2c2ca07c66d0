"""Files of variables, as systemd reads them."""

import os
import time
from pathlib import Path

import pytest

from ssd.surroundings import env_files

# Blanks at the end of a line are written as "_".
TEXT = rb"""# a comment \
; another
PLAIN=1
 SPACED =  two words__
QUOTED="a $HOME \"b\" \n"   and more__
SINGLE='a "b" \n'
PIECES="a "'b'c"d"
OVER_LINES="first
second"
JOINED=one \
 two \_
EMPTY=
BYTES=\xff
AGAIN=1
AGAIN=2""".replace(b"_\n", b" \n").replace(b"_ \n", b"\t \n")
VALUES = {
    b"PLAIN": b"1",
    b"SPACED": b"two words",
    b"QUOTED": rb'a $HOME "b" \nand more',
    b"SINGLE": rb'a "b" \n',
    b"PIECES": b'a bc"d"',
    b"OVER_LINES": b"first\nsecond",
    b"JOINED": b"one  two  ",
    b"EMPTY": b"",
    b"BYTES": b"xff",
    b"AGAIN": b"2",
}
FAULTS = {
    b"A=1\nsecret\n": "line 2: must be NAME=value; put a value of several lines in quotes",
    b"export A=secret": "line 1: must be NAME=value; leave out export",
    b"export A\n": "line 1: must be NAME=value; leave out export",
    b"1secret=1": "line 1: a name has letters, digits and _, and begins with no digit",
    b"A='\n\n": "line 1: the quote ' is never closed",
    b"\nA=\0": "line 2: a variable cannot hold a NUL byte",
}


def test_values_are_those_of_systemd() -> None:
    """With quotes, pieces, lines that are joined, and nothing that is expanded."""
    assert VALUES == env_files.parse(TEXT)


def test_carriage_return_ends_a_line_too() -> None:
    """As for systemd, but within quotes; one that is escaped is left out."""
    text = b"A=1\r\n#x\rB='2\r3'\rC=4 \\\r\nD=5\n"
    assert {b"A": b"1", b"B": b"2\r3", b"C": b"4 ", b"D": b"5"} == env_files.parse(text)


def test_large_file_is_read_once() -> None:
    """A look at all that came before, for each line or byte of it, would take minutes."""
    lines = b"\n" * (1 << 20) + b"A=1\n" * 20_000
    begin = time.process_time()
    assert {b"A": b"1"} == env_files.parse(lines)
    text = b"x" * (1 << 18)
    assert {b"A": text} == env_files.parse(b'A="' + text + b'"')
    assert time.process_time() - begin < 1.5


@pytest.mark.parametrize("text", FAULTS)
def test_fault_names_its_line(text: bytes) -> None:
    """Where systemd would drop the line, or the rest of the file. It shows nothing of the text."""
    with pytest.raises(ValueError) as caught:
        env_files.parse(text)
    assert FAULTS[text] == str(caught.value)


def test_only_a_file_with_a_dash_may_be_missing(tmp_path: Path) -> None:
    """As with EnvironmentFile=-FILE."""
    assert {} == env_files.read(f"-{tmp_path}/none")
    with pytest.raises(FileNotFoundError):
        env_files.read(f"{tmp_path}/none")
    (tmp_path / "some").write_text("A=1")
    assert {b"A": b"1"} == env_files.read(f"-{tmp_path}/some")
    for path in ("", "-"):
        with pytest.raises(ValueError, match="it has no name; standard input is /dev/stdin"):
            env_files.read(path)
    os.truncate(tmp_path / "some", env_files.LARGEST + 1)  # a sparse file
    with pytest.raises(ValueError, match="has more than"):
        env_files.read(f"{tmp_path}/some")
