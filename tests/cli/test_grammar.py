"""The option grammar, compared with glibc's own getopt_long(3)."""

import ctypes
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ssd.cli.grammar import LATER, Usage, parse
from ssd.cli.options import TABLE

SHORT = {letter: value is not None for letter, _, value, _ in TABLE if letter}
ALL = {name: value is not None for _, name, value, _ in TABLE}
LONG = {name: takes for name, takes in ALL.items() if name not in LATER}  # of the original

Result = tuple[list[tuple[str, str | None]], list[str] | None]  # operands; None after an error


class Option(ctypes.Structure):
    """struct option of getopt_long(3)."""

    _fields_ = [
        ("name", ctypes.c_char_p),
        ("has_arg", ctypes.c_int),
        ("flag", ctypes.c_void_p),
        ("val", ctypes.c_int),
    ]


def glibc(words: list[str], posix: bool) -> Result:
    """Read words with the C library's getopt_long, up to the first error."""
    libc = ctypes.CDLL(None)
    optarg = ctypes.c_char_p.in_dll(libc, "optarg")
    optind = ctypes.c_int.in_dll(libc, "optind")
    ctypes.c_int.in_dll(libc, "opterr").value = 0
    optind.value = 0  # glibc: begin anew
    letters = "".join(letter + ":" * takes for letter, takes in SHORT.items())
    table = (Option * (len(LONG) + 1))(
        *[Option(name.encode(), takes, None, 1000) for name, takes in LONG.items()]
    )
    # Long options alike in flag and val would never be ambiguous, so each has its own.
    for number, option in enumerate(table[: len(LONG)]):
        option.val = 1000 + number
    data = [b"ssd", *[word.encode("utf-8", "surrogateescape") for word in words]]
    argv = (ctypes.c_char_p * (len(data) + 1))(*data)
    index = ctypes.c_int(-1)
    found: list[tuple[str, str | None]] = []
    while True:
        arguments: list[Any] = [len(data), argv, ("+" * posix + letters).encode(), table]
        given = libc.getopt_long(*arguments, ctypes.byref(index))
        if given == -1:
            rest = argv[optind.value : len(data)]
            return found, [(word or b"").decode("utf-8", "surrogateescape") for word in rest]
        if given == ord("?"):
            return found, None
        name = list(LONG)[given - 1000] if given >= 1000 else chr(given)
        value = optarg.value
        takes = LONG[name] if given >= 1000 else SHORT[name]
        text = value.decode("utf-8", "surrogateescape") if takes and value is not None else None
        found.append((name, text))


def ours(words: list[str], posix: bool) -> Result:
    """Read words with our own parser, which knows options of ssd too, up to the first error."""
    found: list[tuple[str, str | None]] = []
    reader = parse(words, SHORT, ALL, lambda: posix)
    try:
        while True:
            found.append(next(reader))
    except StopIteration as end:
        return found, end.value
    except Usage as error:
        assert str(error)
        return found, None


# The words -----------------------------------------------------------------------------

values = st.sampled_from(["", "x", "-", "--", "-x", "--pid", "=", "a=b", "/x.pid", "\udcff", "é"])
names = st.sampled_from([*LONG, "bogus", "piddle", ""])
abbreviated = st.builds(lambda name, end: name[:end], names, st.integers(0, 14))
long_words = st.builds(
    lambda name, value: f"--{name}" if value is None else f"--{name}={value}",
    names | abbreviated,
    st.none() | values,
)
short_words = st.text(st.sampled_from([*SHORT, "-", ":", ";", "W", "Z", "+", "=", "é"]), min_size=1)
words = st.lists(
    st.one_of(
        long_words,
        short_words.map("-{}".format),
        values,
        st.sampled_from(["--", "-", "", "---", "--=", "--=x", "-:", "operand"]),
    ),
    max_size=8,
)


@pytest.fixture(autouse=True, scope="module")
def _glibc() -> None:
    """Skip where the C library is another one."""
    if not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"):
        pytest.skip("getopt_long of another C library than glibc")


@settings(max_examples=500, deadline=None)
@given(words, st.booleans())
@example(["--pid"], False)
@example(["--pi", "1"], False)
@example(["--p", "1"], False)
@example(["--st"], False)
@example(["--start=x"], False)
@example(["--="], False)
@example(["-p"], False)
@example(["-p", ""], False)
@example(["-Sp", "--", "x"], False)
@example(["x", "-S", "--", "-K"], False)
@example(["x", "-S"], True)
@example(["-W", "start"], False)
def test_grammar_is_getopt_longs(given_words: list[str], posix: bool) -> None:
    """The same options with the same values, the same operands, and an error at the same place."""
    assert glibc(given_words, posix) == ours(given_words, posix)


# The examples of the manual page, readable ----------------------------------------------

EXAMPLES = {
    "--pidfile=x": ([("pidfile", "x")], []),
    "--pidfile x": ([("pidfile", "x")], []),
    "--pidfile=": ([("pidfile", "")], []),
    "--pidf x": ([("pidfile", "x")], []),
    "-px": ([("p", "x")], []),
    "-p x": ([("p", "x")], []),
    "-p=x": ([("p", "=x")], []),
    "-Sbmp x": ([("S", None), ("b", None), ("m", None), ("p", "x")], []),
    "a -S b -- -c": ([("S", None)], ["a", "b", "-c"]),
    "-": ([], ["-"]),
}


@pytest.mark.parametrize("line", EXAMPLES)
def test_options_are_read_in_every_form_that_the_manual_shows(line: str) -> None:
    """Joined, apart, abbreviated, clustered, and mixed with operands."""
    assert EXAMPLES[line] == ours(line.split(), posix=False)


def test_posixly_correct_ends_the_options_at_the_first_operand() -> None:
    """The rest belongs to the program, options or not."""
    assert ([("S", None)], ["a", "-b"]) == ours(["-S", "a", "-b"], posix=True)


# line -> what the message must name
COMPLAINTS = {
    "--bogus": "--bogus",
    "--bogus=1": "--bogus",
    "-Z": "'Z'",
    "-SZ": "'Z'",
    "--start=1": "--start",
    "--sta=1": "--status",
    "--test=1": "--test",
    "--pid": "--pid",
    "--exe": "--exec",
    "-p": "'p'",
    "--n": "--nicelevel",
    "--p": "--pidfile",
}


@pytest.mark.parametrize("line", COMPLAINTS)
def test_complaint_names_the_option(line: str) -> None:
    """The text has the text that the user typed, or the options that it may mean."""
    with pytest.raises(Usage) as caught:
        list(parse(line.split(), SHORT, LONG))
    assert COMPLAINTS[line] in str(caught.value)


def test_ambiguous_abbreviation_names_all_possibilities() -> None:
    """``--pid`` is an option itself, ``--pi`` could be two; ssd's own options do not count."""
    with pytest.raises(Usage) as caught:
        list(parse(["--pi"], SHORT, ALL))
    assert ["possibilities:", "'--pid'", "'--pidfile'"] == str(caught.value).split()[-3:]


@pytest.mark.parametrize("name", LONG)
def test_abbreviation_means_what_it_meant_to_the_original(name: str) -> None:
    """Each beginning of each of its options, as the C library reads it without those of ssd."""
    for end in range(1, len(name) + 1):
        words = [f"--{name[:end]}", "value"]
        assert glibc(words, False) == ours(words, False), words


def test_later_option_has_the_other_abbreviations() -> None:
    """``--t`` is --test, as it was; ``--tr`` was an error."""
    meant = {"--t": "test", "--te": "test", "--tr": "tree", "--tree": "tree", "--pido": "pidof"}
    assert meant == {word: next(parse([word], SHORT, ALL))[0] for word in meant}


def test_options_before_a_wrong_one_are_read() -> None:
    """The exit status of a usage error depends on the command before it."""
    reader = parse(["-T", "--bogus"], SHORT, LONG)
    assert ("T", None) == next(reader)
    with pytest.raises(Usage):
        next(reader)
