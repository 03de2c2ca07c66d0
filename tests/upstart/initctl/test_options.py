"""Options as libnih reads them."""

import pytest

from ssd.upstart.initctl.options import COMMON, NO_WAIT, Asked, Call, Misuse, Words

IGNORE = ("i", "ignore-events", "EVENT_LIST")
ROWS = (NO_WAIT, IGNORE, *COMMON)


@pytest.mark.parametrize(
    ("words", "options", "arguments"),
    [
        ("-n foo", [("no-wait", "")], ["foo"]),
        ("foo --no-wait A=1", [("no-wait", "")], ["foo", "A=1"]),
        ("foo -nq", [("no-wait", ""), ("quiet", "")], ["foo"]),
        ("-- -n", [], ["-n"]),
        ("foo -- -n --help", [], ["foo", "-n", "--help"]),
        ("- -n", [("no-wait", "")], ["-"]),
        ("--dest=x foo", [("dest", "x")], ["foo"]),
        ("--dest= foo", [("dest", "")], ["foo"]),
        ("--dest x foo", [("dest", "x")], ["foo"]),
        ("-i a,b foo", [("ignore-events", "a,b")], ["foo"]),
        ("-ia,b foo", [("ignore-events", "a,b")], ["foo"]),
        ("-qi a foo", [("quiet", ""), ("ignore-events", "a")], ["foo"]),
        ("-i -n a foo", [("ignore-events", "a"), ("no-wait", "")], ["foo"]),
        ("-i - a b", [("ignore-events", "a")], ["b"]),
        ("-i --dest a b c", [("ignore-events", "a"), ("dest", "b")], ["c"]),
        ("-i -- -n foo", [("ignore-events", "-n")], ["foo"]),
    ],
)
def test_options_are_read_as_by_the_original(words: str, options, arguments) -> None:
    """Anywhere; a value may come later, behind other words that begin with a dash."""
    found = Words(words.split(), ROWS)
    assert (options, arguments) == (found.options, found.arguments)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("--bogus foo", "invalid option: --bogus"),
        ("--bogus=1", "invalid option: --bogus=1"),
        ("--no-wai foo", "invalid option: --no-wai"),
        ("-nz foo", "invalid option: -z"),
        ("-ni", "missing argument: -ni"),
        ("-qiab b", "invalid option: -a"),
        ("--no-wait=1", "unexpected argument: --no-wait=1"),
        ("foo --dest", "missing argument: --dest"),
        ("foo -i -", "missing argument: -i"),
    ],
)
def test_misuse_is_named(words: str, fault: str) -> None:
    """There are no short forms of long options. A letter with a value takes the rest if first."""
    with pytest.raises(Misuse) as raised:
        Words(words.split(), ROWS)
    assert fault == str(raised.value)


def test_first_argument_may_end_the_options() -> None:
    """As before the name of a command, but not the value of an option."""
    found = Words("-q --dest x list -n -- a".split(), COMMON, stops=True)
    assert [("quiet", ""), ("dest", "x")] == found.options
    assert ["list", "-n", "--", "a"] == found.arguments


@pytest.mark.parametrize("name", ["help", "version"])
def test_help_and_version_end_the_reading(name: str) -> None:
    """What is wrong behind them is not seen, and what is wrong before them is."""
    with pytest.raises(Asked, match=name):
        Words([f"--{name}", "--bogus"], ROWS)
    with pytest.raises(Misuse):
        Words(["--bogus", f"--{name}"], ROWS)


def test_last_of_the_options_for_output_counts() -> None:
    """They are of one kind."""
    call = Call("/usr/sbin/start", "start", [("quiet", ""), ("verbose", "")])
    assert ("start", False) == (call.program, call.is_quiet)
    call.options.append(("quiet", ""))
    assert call.is_quiet and call.has("verbose") and not call.has("dest")
    call.options += [("ignore-events", "a"), ("ignore-events", "b")]
    assert ["a", "b"] == list(call.values("ignore-events"))


def test_first_argument_may_be_missing() -> None:
    """It is None then, and not an empty text."""
    call = Call("start", "start", [])
    assert call.first is None
    call.arguments = ["", "b"]
    assert "" == call.first
