"""Words, commands and blocks of a job file."""

import pytest

from ssd.service.sources.upstart.faults import JobFault
from ssd.service.sources.upstart.lexer import Reader, quote

WORDS = {
    "plain": ("a b\tc\n", ["a", "b", "c"]),
    "no newline at the end": ("a b", ["a", "b"]),
    "carriage return": ("a b\r\n", ["a", "b"]),
    "double quotes": ('"a b" c\n', ["a b", "c"]),
    "single quotes": ("'a \"b\"' c\n", ['a "b"', "c"]),
    "quotes in a word": ("A=\"q r\"x's'\n", ["A=q rxs"]),
    "blanks in quotes": ('"  a  "\n', ["  a  "]),
    "newline in quotes": ('"a  \n   b"\n', ["a b"]),
    "newlines in quotes": ('"a\n\n\nb"\n', ["a b"]),
    "quotes with only a newline": ('"\n"\n', [" "]),
    "comment": ("a b # c d\n", ["a", "b"]),
    "comment in a word": ("a b#c\n", ["a", "b"]),
    "comment sign in quotes": ('"a#b"\n', ["a#b"]),
    "comment sign after a backslash": ("a\\#b\n", ["a\\#b"]),
    "continued line": ("a \\\n   b\n", ["a", "b"]),
    "continued word": ("a\\\nb\n", ["a b"]),
    "backslash before a blank": ("x\\ y z\n", ["x y", "z"]),
    "backslash before a backslash": ("x\\\\y\n", ["x\\y"]),
    "backslash before a letter": ("x\\y\n", ["x\\y"]),
    "backslash before a quote": ('"x\\"y"\n', ['x\\"y']),
    "blank before such a backslash": ('"x \\"y"\n', ['x\\\\"y']),
    "blanks before such a backslash": ('"x  \\"y"\n', ['x\\ \\"y']),
    "newline before such a backslash": ('"x\n\\"y"\n', ['x\\ "y']),
    "bytes that are no UTF-8": ("a\udcff b\n", ["a\udcff", "b"]),
}


@pytest.mark.parametrize("text, words", WORDS.values(), ids=WORDS)
def test_words_end_at_blanks(text: str, words: list[str]) -> None:
    """Except in quotes and after a backslash, which stays before an ordinary character."""
    reader = Reader(text, "x.conf")
    assert words == reader.words()
    assert reader.at_end()


COMMANDS = {
    "plain": ("a  b   # c\n", "a  b"),
    "quotes stay": ("echo \"a  b\" 'c'\n", "echo \"a  b\" 'c'"),
    "newline in quotes": ('a "b\n  c"\n', 'a "b c"'),
    "comment sign in quotes": ("a '#' b\n", "a '#' b"),
    "continued line": ("a \\\n  b\n", "a b"),
    "backslashes stay": ("a\\\\b\\ c\n", "a\\\\b\\ c"),
    "blank before a backslash": ("'c' \\$d\n", "'c'\\\\$d"),
    "carriage return": ("a b\r\n", "a b"),
}


@pytest.mark.parametrize("text, command", COMMANDS.values(), ids=COMMANDS)
def test_command_is_the_rest_of_the_line(text: str, command: str) -> None:
    """With its quotes, without a comment."""
    reader = Reader(text + "next", "x.conf")
    assert command == reader.command()
    assert "next" == reader.word()


BLOCKS = {
    "indentation": ("  a\n    b\n  c\nend script\n", "a\n  b\nc\n"),
    "smaller indentation later": ("    a\n  b\nend script\n", "  a\nb\n"),
    "tabs are not blanks": ("\ta\n  b\nend script\n", "\ta\n  b\n"),
    "empty line": ("  a\n\n  b\nend script\n", "  a\n\n  b\n"),
    "nothing": ("end script\n", ""),
    "end with blanks": ("a\n \t end \t script \t\n", "a\n"),
    "end with a comment": ("a\nend script# done\n", "a\n"),
    "end without a newline": ("a\nend script", "a\n"),
    "end of another block": ("a\nend scripts\nend  if\nend\nend script x\nend script", None),
    "comment": ("# end script\nend script\n", "# end script\n"),
    "carriage returns": ("a\r\nend script\r\n", "a\r\n"),
}


@pytest.mark.parametrize("text, block", BLOCKS.values(), ids=BLOCKS)
def test_block_ends_at_its_own_end(text: str, block: str | None) -> None:
    """Without the blanks with which every line begins."""
    reader = Reader(text, "x.conf")
    whole = text[: text.rindex("end script")] if block is None else block
    assert whole == reader.block("script")
    assert reader.at_end()


def test_line_after_a_block_is_counted() -> None:
    """A fault after a block has its own line."""
    reader = Reader("a\nb\nend script\nc", "x.conf")
    reader.block("script")
    assert (4, "c") == (reader.line, reader.word())


FAULTS = {
    "quote": ('a "b\nc\n', "words", "Unterminated quoted string", 3),
    "backslash": ("a b\\", "words", "Trailing slash in file", 1),
    "empty quotes": ('a ""\n', "words", "Expected token", 1),
    "nothing": ("# a\n", "words", "Expected token", 1),
    "no command": ("\n", "command", "Expected token", 1),
    "continued to nothing": ("\\\n\n", "last_word", "Expected token", 2),
    "another word": ("a b\n", "last_word", "Unexpected token", 1),
}


@pytest.mark.parametrize("text, method, reason, line", FAULTS.values(), ids=FAULTS)
def test_faults_of_words_have_a_line(text: str, method: str, reason: str, line: int) -> None:
    """The line in which Upstart notices them."""
    reader = Reader(text, "x.conf")
    reader.skip_blanks()
    with pytest.raises(JobFault) as caught:
        getattr(reader, method)()
    assert ("x.conf", line, reason) == (caught.value.file, caught.value.line, caught.value.reason)


@pytest.mark.parametrize("text, line", [("a\nb\n", 3), ("a\nb", 2), ("", 1), ("end script x", 1)])
def test_block_without_an_end_is_a_fault_of_its_last_line(text: str, line: int) -> None:
    """As Upstart counts it: the line after the last newline."""
    with pytest.raises(JobFault) as caught:
        Reader(text, "x.conf").block("script")
    assert (line, "Unterminated block") == (caught.value.line, caught.value.reason)


def test_nul_byte_is_a_fault() -> None:
    """Of the whole file, before anything is read: a damaged file must not run as half a job."""
    with pytest.raises(JobFault) as caught:
        Reader("exec a\nexec b\0", "x.conf")
    assert (2, "NUL byte in file") == (caught.value.line, caught.value.reason)


@pytest.mark.parametrize(
    "text", ["", "a b", 'a "b" c', "it's", "\\", "a \\n", "#", "'\"'", "\\\\ x"]
)
def test_quoted_text_reads_back(text: str) -> None:
    """As one word; but an empty text would be no word."""
    reader = Reader(f"x={quote(text)} next", "x.conf")
    assert [f"x={text}", "next"] == reader.words()
