"""The real reader of each grammar returns any quoted text unchanged."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssd.service.generators import quoting
from ssd.service.sources.upstart.lexer import quote
from ssd.service.words import join

from . import readers

NASTY = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20),
    st.text(
        st.sampled_from("\"'\\$%;# \n\t\r`(){}[]<>&|*?~!=:@-+.,ax1\x01\x7f\x85\u2028é"), max_size=20
    ),
    st.sampled_from(["%h", "%%", "$HOME", "${HOME}", "$$", "\\", "\\\\", "a\\", "'", '"', ";", "",
                     "\nExecStart=/bin/false", "end script", "\nend script\n", "-x", "~", "%n\\"]),
)  # fmt: skip
BYTES = st.binary(max_size=12).map(
    lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape")
)


@settings(deadline=None)
@given(st.lists(st.one_of(NASTY, BYTES), min_size=1, max_size=8))
def test_shell_reads_the_same_words(words: list[str]) -> None:
    """The same number of words, each unchanged."""
    assert words == readers.shell(join(words))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(NASTY, BYTES), max_size=12))
def test_systemd_words_are_read_back_unchanged(words: list[str]) -> None:
    """In ExecStart=, where %, $, quotes and backslashes are special."""
    unit = f"[Service]\nExecStart=/bin/true {quoting.systemd_words(words)}\n"
    (line,) = readers.unit(unit)["ExecStart"]
    assert ["/bin/true", *words] == readers.command(line)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(NASTY, max_size=8))
def test_systemd_reads_the_same_values_of_variables(values: list[str]) -> None:
    """In Environment=, where $ is an ordinary character."""
    values = [value for value in values if not quoting.has_controls(value.replace("\n", ""))]
    lines = [
        f"Environment={quoting.systemd_word(f'V{index}={value}', variables=False)}"
        for index, value in enumerate(values)
    ]
    unit = "[Service]\nExecStart=/bin/true\n" + "\n".join(lines) + "\n"
    expected = [f"V{index}={value}" for index, value in enumerate(values)]
    assert expected == readers.unit(unit).get("Environment", [])


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(NASTY)
def test_systemd_reads_a_value_to_the_end_of_its_line(text: str) -> None:
    """In Description=, which has no quotes, but where a final backslash continues the line."""
    unit = f"[Unit]\nDescription={quoting.systemd_value(text)}\nDocumentation=man:x(1)\n"
    found = readers.unit(f"{unit}[Service]\nExecStart=/bin/true\n")
    assert [quoting.line(text).strip(" ") or "x.service"] == found["Description"]
    assert ["man:x(1)"] == found["Documentation"]


@given(NASTY, NASTY)
def test_upstart_words_are_read_back_unchanged(one: str, other: str) -> None:
    """In stanzas, where a backslash in quotes has special rules."""
    words = [quoting.line(text) for text in (one, other)]
    text = f"emits {' '.join(map(quote, words))}\nmanual\n"
    assert [("emits", words), ("manual", [])] == readers.job(text)


@given(NASTY)
def test_line_has_no_line_end_of_any_kind(text: str) -> None:
    """Every kind of line end becomes a blank in a comment."""
    assert len(f"# {quoting.line(text)}.".splitlines()) == 1
