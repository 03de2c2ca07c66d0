"""Command lines as data: what they mean, or why they are errors."""

import os
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.cli.grammar import Unusable, Usage
from ssd.cli.options import COMMANDS, GENERIC, MATCHING, TABLE, Options, read
from ssd.schedule import Schedule

# The attributes that a line sets besides ``given``, and their defaults.
DEFAULTS = {
    "command": None,
    "operands": [],
    "quietness": 0,
    "chuid": None,
    "group": None,
    "pid": None,
    "ppid": None,
    "signal": 15,
    "schedule": None,
    "procsched": None,
    "iosched": None,
    "umask": None,
    "nicelevel": 0,
    "notify_timeout": 60,
    "added": [],
    "for_match": {},
    "for_command": {},
    "for_start": {},
}

# line -> the values that differ from the defaults, except the command
GOOD = {
    # Commands.
    "--status --pid 1": {"command": "status", "pid": 1},
    "-T --pid=1": {"command": "status", "pid": 1},
    "--pidof --name x": {"command": "pidof"},
    "-K --ppid 7": {"command": "stop", "ppid": 7},
    "--stop --user root": {"command": "stop"},
    "-S -a /bin/x -n x": {"command": "start"},
    "--start --exec /bin/x": {"command": "start"},
    "-S -S -x /bin/x": {"command": "start"},
    "-H": {"command": "help"},
    "--version": {"command": "version"},
    "-S --help --bogus": {"command": "help"},
    "--stop -V -Z": {"command": "version"},
    # Operands.
    "-S -x /bin/x a -b c -- -d": {"command": "start", "operands": ["a", "c", "-d"]},
    "-S -x /bin/x -- -b --pid 0": {"command": "start", "operands": ["-b", "--pid", "0"]},
    "-T --pid 1 ignored": {"command": "status", "pid": 1, "operands": ["ignored"]},
    # Numbers, as strtol(3) reads them.
    "-T --pid +1": {"command": "status", "pid": 1},
    "-T --pid ' 1'": {"command": "status", "pid": 1},
    "-T --pid 007": {"command": "status", "pid": 7},
    "-T --pid 2147483647": {"command": "status", "pid": 2147483647},
    # Signals and schedules.
    "-K --pid 1 -s HUP": {"command": "stop", "pid": 1, "signal": 1},
    "-K --pid 1 -s 0": {"command": "stop", "pid": 1, "signal": 0},
    "-K --pid 1 -s 65": {"command": "stop", "pid": 1, "signal": 65},
    "-K --pid 1 -R 5": {"command": "stop", "pid": 1, "schedule": Schedule.parse("TERM/5/KILL/5")},
    "-K --pid 1 -R 5 -s HUP": {
        "command": "stop",
        "pid": 1,
        "signal": 1,
        "schedule": Schedule.parse("HUP/5/KILL/5"),
    },
    "-K --pid 1 -R forever/TERM/1": {
        "command": "stop",
        "pid": 1,
        "schedule": Schedule.parse("forever/TERM/1"),
    },
    # Users and groups.
    "-S -x /x -c nova": {"command": "start", "chuid": "nova"},
    "-S -x /x -c nova:daemon": {"command": "start", "chuid": "nova", "group": "daemon"},
    "-S -x /x -c :daemon": {"command": "start", "chuid": "", "group": "daemon"},
    "-S -x /x -g daemon": {"command": "start", "group": "daemon"},
    "-S -x /x -g one -c nova:two": {"command": "start", "chuid": "nova", "group": "two"},
    "-S -x /x -c nova:two -g one": {"command": "start", "chuid": "nova", "group": "one"},
    "-S -x /x -g one -c nova": {"command": "start", "chuid": "nova", "group": "one"},
    # Rare values.
    "-S -x /x -N 5": {"command": "start", "nicelevel": 5},
    "-S -x /x -N -5": {"command": "start", "nicelevel": -5},
    "-S -x /x -N junk": {"command": "start"},
    "-S -x /x -k 022": {"command": "start", "umask": 0o022},
    "-S -x /x -P fifo:5": {"command": "start", "procsched": ("fifo", 5)},
    "-S -x /x -I idle": {"command": "start", "iosched": ("idle", 7)},
    "-S -x /x -b --notify-await --notify-timeout 0": {"command": "start", "notify_timeout": 0},
    # The last of many counts.
    "-T --pid 1 --pid 2": {"command": "status", "pid": 2},
    "-K --pid 1 -s HUP -s INT": {"command": "stop", "pid": 1, "signal": 2},
    "-T --pid 1 -q -v": {"command": "status", "pid": 1, "quietness": -1},
    "-T --pid 1 -vq": {"command": "status", "pid": 1, "quietness": 1},
    # Abbreviations.
    "--stat --pid 1": {"command": "status", "pid": 1},
    "--sto --pp 1": {"command": "stop", "ppid": 1},
    "--start --exe /x --mak --pidf /p --ba --no-c --ou /o": {"command": "start"},
    # Names that belong together.
    "-S -x /x -m -p /p": {"command": "start"},
    "-K -p /p --remove-pidfile": {"command": "stop"},
    "-S -x /x -b -C": {"command": "start"},
    "-S -x /x -b -O /o": {"command": "start"},
}

# line -> class of the error, the command read by then, a word of the message
BAD = {
    "": (Usage, None, "need one of"),
    "--pid 1": (Usage, None, "need one of"),
    "start --pid 1": (Usage, None, "need one of"),
    "-T": (Usage, "status", "need at least one of"),
    "-T --ppid 0": (Usage, "status", "ppid"),
    "-T --pid 0": (Usage, "status", "pid"),
    "-T --pid -1": (Usage, "status", "pid"),
    "-T --pid x": (Usage, "status", "pid"),
    "-T --pid 1x": (Usage, "status", "pid"),
    "-T --pid ''": (Usage, "status", "pid"),
    "-T --pid 2147483648": (Usage, "status", "pid"),
    "-T --pid 0x1": (Usage, "status", "pid"),
    "-T --pid 1 --pid 0": (Usage, "status", "pid"),
    "--bogus -T": (Usage, None, "bogus"),
    "-T --bogus": (Usage, "status", "bogus"),
    "-T -Z": (Usage, "status", "Z"),
    "-T --pi 1": (Usage, "status", "ambiguous"),
    "--star -x /x": (Usage, None, "ambiguous"),
    "-T --pid": (Usage, "status", "requires an argument"),
    "-T --start=1": (Usage, "status", "start"),
    "-S -K --pid 1": (Usage, "start", "only one command"),
    "-K -T --pid 1": (Usage, "stop", "only one command"),
    "-T --pidof --pid 1": (Usage, "status", "only one command"),
    "-S --pid 1": (Usage, "start", "--exec or --startas"),
    "-S -p /p": (Usage, "start", "--exec or --startas"),
    "-S -a /x": (Usage, "start", "need at least one of"),
    "-S -x /x -m": (Usage, "start", "--make-pidfile"),
    "-K -x /x --remove-pidfile": (Usage, "stop", "--remove-pidfile"),
    "-T --pid 1 -p /p": (Usage, "status", "not both"),
    "-K --pid 1 -b": (Usage, "stop", "--background"),
    "-S -x /x -C": (Usage, "start", "--no-close"),
    "-S -x /x -O /o": (Usage, "start", "--output"),
    "-K --pid 1 -s BOGUS": (Usage, "stop", "signal"),
    "-K --pid 1 -s SIGTERM": (Usage, "stop", "signal"),
    "-K --pid 1 -s term": (Usage, "stop", "signal"),
    "-K --pid 1 -s -1": (Usage, "stop", "signal"),
    "-K --pid 1 -s ''": (Usage, "stop", "signal"),
    "-K --pid 1 -R TERM": (Usage, "stop", "--retry"),
    "-K --pid 1 -R 5/": (Usage, "stop", "--retry"),
    "-K --pid 1 -R ''": (Usage, "stop", "--retry"),
    "-K --pid 1 -R forever": (Usage, "stop", "--retry"),
    "-S -x /x -P batch": (Usage, "start", "scheduler"),
    "-S -x /x -P fifo:x": (Unusable, "start", "priority"),
    "-S -x /x -I bogus": (Usage, "start", "scheduler"),
    "-S -x /x -I idle:x": (Unusable, "start", "priority"),
    "-S -x /x -k 9z": (Usage, "start", "umask"),
    "-S -x /x --notify-timeout x": (Usage, "start", "notify"),
    "-S -x /x --notify-timeout -1": (Usage, "start", "notify"),
    "-S -x /x -c nova:": (Unusable, "start", "group"),
    # The first error on the line is reported.
    "-T --pid 0 --ppid 0": (Usage, "status", "pid"),
    "-c nova: -T --bogus": (Unusable, None, "group"),
    "-S -K --bogus": (Usage, "start", "only one command"),
    "-K --pid x -R x": (Usage, "stop", "pid"),
}


def parsed(line: str) -> Options:
    """Read a line as a shell would split it."""
    options = Options()
    read(shlex.split(line), options)
    return options


@pytest.mark.parametrize("line", GOOD)
def test_command_line_means_what_the_manual_says(line: str) -> None:
    """Options that are not given have their defaults."""
    options = parsed(line)
    assert {**DEFAULTS, **GOOD[line]} == {name: getattr(options, name) for name in DEFAULTS}


@pytest.mark.parametrize("line", BAD)
def test_command_line_that_makes_no_sense_is_an_error(line: str) -> None:
    """The class of the error, and the command read so far, decide the exit status."""
    kind, command, word = BAD[line]
    options = Options()
    with pytest.raises((Usage, Unusable)) as caught:
        read(shlex.split(line), options)
    assert (kind, command) == (type(caught.value), options.command)
    assert word in str(caught.value)


# option -> a value for it and the options that it needs, if the usual ones do not work
USUAL = ("1", "-S -x /x -p /p")
CONTEXT = {
    "start": ("", "-x /x"),
    "stop": ("", "-x /x"),
    "status": ("", "-x /x"),
    "pidof": ("", "-x /x"),
    "pid": ("1", "-T"),
    "procsched": ("rr:1", "-S -x /x"),
    "iosched": ("idle", "-S -x /x"),
    "no-close": ("", "-S -x /x -b"),
    "output": ("/o", "-S -x /x -b"),
}
ORDINARY = [row for row in TABLE if row[1] not in ("help", "version")]


@pytest.mark.parametrize("row", ORDINARY, ids=[row[1] for row in ORDINARY])
def test_every_option_is_known_by_its_long_name_and_its_letter(row: tuple) -> None:
    """Both spellings are one option."""
    letter, name, takes, _ = row
    value, rest = CONTEXT.get(name, USUAL)
    expected = (True, value if takes else None)
    for spelling in [f"--{name}"] + [f"-{letter}"] * bool(letter):
        options = parsed(f"{rest} {spelling} {value if takes else ''}")
        assert expected == (options.has(name), options.value(name)), spelling


def test_option_that_was_not_given_is_not_there() -> None:
    """``has`` and ``value`` know only the options on the line."""
    options = parsed("-T --pid 1")
    assert (True, "1") == (options.has("pid"), options.value("pid"))
    assert (False, None) == (options.has("pidfile"), options.value("pidfile"))


def test_empty_value_is_a_value() -> None:
    """``--name ''`` was given, and matches nothing."""
    options = parsed("-T --name ''")
    assert (True, "") == (options.has("name"), options.value("name"))


def test_table_has_no_two_options_alike() -> None:
    """Letters and names are unique, and the tables are complete."""
    letters = [letter for letter, _, _, _ in TABLE if letter]
    names = [name for _, name, _, _ in TABLE]
    assert (len(letters), len(names)) == (len(set(letters)), len(set(names)))
    assert len(TABLE) == len(COMMANDS) + len(MATCHING) + len(GENERIC)


def test_posixly_correct_ends_options_at_the_first_operand() -> None:
    """The first operand ends ssd's own options."""
    options = Options()
    read(["-S", "-x", "/x", "a", "-b"], options, lambda: True)
    assert (["a", "-b"], False) == (options.operands, options.has("background"))


line_words = st.lists(
    st.one_of(
        st.sampled_from([f"--{name}" for _, name, _, _ in TABLE]),
        st.sampled_from([f"-{letter}" for letter, _, _, _ in TABLE if letter]),
        st.sampled_from(["1", "x", "", "/bin/x", "TERM/5", "0", "-1", "fifo:1", "\udcff", "--"]),
        st.text(max_size=4),
    ),
    max_size=10,
)


@given(line_words)
def test_command_line_of_any_words_is_read_or_an_error(words: list[str]) -> None:
    """Only Usage and Unusable are raised, and options that were read stay in the object."""
    options = Options()
    try:
        read(words, options)
    except (Usage, Unusable) as error:
        assert str(error)
    else:
        assert options.command is not None
    assert os.fsencode("".join(options.operands)) is not None
