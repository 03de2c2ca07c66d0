"""The stop schedule: its grammar, its steps and how a tail repeats."""

import itertools
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.schedule import Schedule, ScheduleError
from ssd.signals import INT_MAX

MIN_WAIT = 0.02  # seconds; the original's 20 milliseconds
SEND, WAIT = "send", "wait"
HUP, KILL, TERM, CONT = signal.SIGHUP, signal.SIGKILL, signal.SIGTERM, signal.SIGCONT

# text -> steps, index where the repeating tail begins
GOOD = {
    # A lone timeout.
    "5": ([(SEND, TERM), (WAIT, 5), (SEND, KILL), (WAIT, 5)], None),
    "0": ([(SEND, TERM), (WAIT, 0), (SEND, KILL), (WAIT, 0)], None),
    "2147483647": ([(SEND, TERM), (WAIT, INT_MAX), (SEND, KILL), (WAIT, INT_MAX)], None),
    # Lists.
    "TERM/30/KILL/5": ([(SEND, TERM), (WAIT, 30), (SEND, KILL), (WAIT, 5)], None),
    "TERM/0/CONT/30/KILL/5": (
        [(SEND, TERM), (WAIT, 0), (SEND, CONT), (WAIT, 30), (SEND, KILL), (WAIT, 5)],
        None,
    ),
    "-TERM/1": ([(SEND, TERM), (WAIT, 1)], None),
    "-15/1": ([(SEND, TERM), (WAIT, 1)], None),
    "-0/1": ([(SEND, 0), (WAIT, 1)], None),
    "0/0": ([(WAIT, 0), (WAIT, 0)], None),
    "5/5": ([(WAIT, 5), (WAIT, 5)], None),
    "5/TERM": ([(WAIT, 5), (SEND, TERM)], None),
    "HUP/TERM/KILL": ([(SEND, HUP), (SEND, TERM), (SEND, KILL)], None),
    "-65/1": ([(SEND, 65), (WAIT, 1)], None),
    "007/TERM": ([(WAIT, 7), (SEND, TERM)], None),
    # An item that does not begin with a digit is a signal, even if strtol(3) reads it.
    " 5/1": ([(SEND, 5), (WAIT, 1)], None),
    "+9/1": ([(SEND, 9), (WAIT, 1)], None),
    "-+9/1": ([(SEND, 9), (WAIT, 1)], None),
    # A repeating tail.
    "forever/TERM": ([(SEND, TERM)], 0),
    "forever/TERM/5": ([(SEND, TERM), (WAIT, 5)], 0),
    "TERM/5/forever/KILL/1": ([(SEND, TERM), (WAIT, 5), (SEND, KILL), (WAIT, 1)], 2),
    "HUP/forever/0": ([(SEND, HUP), (WAIT, 0)], 1),
}

# text -> the item that the error names
BAD = {
    "": "",
    "TERM": "TERM",
    "-15": "-15",
    "forever": "forever",
    "-forever": "-forever",
    " 5": " 5",
    "5x": "5x",
    "0x5": "0x5",
    "2147483648": "2147483648",
    "99999999999999999": "99999999999999999",
    "/": "",
    "5/": "",
    "/5": "",
    "TERM//KILL": "",
    "SIGTERM/5": "SIGTERM",
    "term/5": "term",
    "--TERM/5": "--TERM",
    "---5/5": "---5",
    "+TERM/5": "+TERM",
    "-/5": "-",
    "TERM /5": "TERM ",
    "5 /TERM": "5 ",
    "TERM/5s": "5s",
    "TERM/4294967296/5": "4294967296",
    "TERM/forever": "TERM/forever",
    "forever/forever/5": "forever/forever/5",
    "forever/TERM/forever/5": "forever/TERM/forever/5",
    "TERM/" + "0" * 19 + "5": "0" * 19 + "5",
    "TERM/\u0665": "\u0665",  # a five, but not one of ASCII
    "\udcff/5": "\udcff",
    "RTMIN/5": "RTMIN",
    "STKFLT/5": "STKFLT",
}


@pytest.mark.parametrize("text", GOOD)
def test_schedule_reads_as_the_manual_says(text: str) -> None:
    """Each text gives its steps and the place where it begins to repeat."""
    schedule = Schedule.parse(text)
    assert GOOD[text] == (schedule.steps, schedule.repeat)


@pytest.mark.parametrize("text", BAD)
def test_text_that_is_no_schedule_names_its_offending_item(text: str) -> None:
    """The error has the item, so that the user sees which one is wrong."""
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse(text)
    assert BAD[text] == caught.value.item
    assert caught.value.reason


# text -> the beginning of the error
REASONS = {
    "TERM": "it takes a timeout, or a list",
    "TERM/5x": "invalid timeout value",
    "TERM/5\u0665": "invalid timeout value",
    "TERM/\u0665": "invalid item",
    "TERM/x5": "invalid item",
    "TERM/" + "5" * 20: "item far too long",
    "TERM/forever": "'forever' appears last",
    "forever/forever/5": "'forever' appears more than once",
}


@pytest.mark.parametrize("text", REASONS)
def test_refusal_says_what_is_wrong_with_the_item(text: str) -> None:
    """An item that begins with an ASCII digit is a timeout."""
    with pytest.raises(ScheduleError) as caught:
        Schedule.parse(text)
    assert REASONS[text] == caught.value.reason[: len(REASONS[text])]


def test_lone_timeout_begins_with_the_signal_of_the_stop() -> None:
    """``--signal HUP --retry 5`` is HUP/5/KILL/5."""
    expected = [(SEND, HUP), (WAIT, 5), (SEND, KILL), (WAIT, 5)]
    assert expected == Schedule.parse("5", HUP).steps


def test_signal_of_the_stop_does_not_change_a_list() -> None:
    """A list names its signals itself."""
    assert Schedule.parse("TERM/5") == Schedule.parse("TERM/5", HUP)


@pytest.mark.parametrize("length", [19, 20])
def test_item_has_at_most_nineteen_characters(length: int) -> None:
    """The original reads an item into a buffer of twenty."""
    text = f"TERM/{'5'.zfill(length)}"
    if length <= 19:
        assert [(SEND, TERM), (WAIT, 5)] == Schedule.parse(text).steps
    else:
        with pytest.raises(ScheduleError):
            Schedule.parse(text)


def test_stop_without_retry_is_one_signal() -> None:
    """``once`` sends, and does not wait."""
    assert Schedule([(SEND, HUP)]) == Schedule.once(HUP)


# text -> the first steps, in order
UNROLLED = {
    "TERM/1": [(SEND, TERM), (WAIT, 1)],
    "TERM/1/forever/KILL/2": [(SEND, TERM), (WAIT, 1)] + [(SEND, KILL), (WAIT, 2)] * 3,
    "forever/TERM/1": [(SEND, TERM), (WAIT, 1)] * 4,
    # A tail without a wait pauses before it is repeated.
    "forever/TERM": [(SEND, TERM), (WAIT, MIN_WAIT)] * 4,
    "forever/TERM/0": [(SEND, TERM), (WAIT, 0), (WAIT, MIN_WAIT)] * 2 + [(SEND, TERM), (WAIT, 0)],
    "HUP/9/forever/TERM": [(SEND, HUP), (WAIT, 9)] + [(SEND, TERM), (WAIT, MIN_WAIT)] * 3,
}


@pytest.mark.parametrize("text", UNROLLED)
def test_schedule_unrolls_with_its_tail_again_and_again(text: str) -> None:
    """Iterating gives all steps once, then the tail without end."""
    expected = UNROLLED[text]
    assert expected == list(itertools.islice(Schedule.parse(text), 8))[: len(expected)]


@pytest.mark.parametrize(
    ("text", "spins"),
    [
        ("TERM/0", False),
        ("TERM/5", False),
        ("forever/TERM", True),
        ("forever/TERM/0", True),
        ("forever/0", True),
        ("9/forever/TERM", True),
        ("forever/TERM/1", False),
        ("0/forever/TERM/0/KILL/1", False),
    ],
)
def test_only_a_tail_without_a_second_of_waiting_spins(text: str, spins: bool) -> None:
    """A wait before the tail does not slow the tail down."""
    assert spins == Schedule.parse(text).spins


def test_schedule_may_be_long() -> None:
    """Hundreds of items work as a few do."""
    text = "/".join(["5"] * 300)
    assert Schedule.parse(f"{text}/forever/5") == Schedule.parse(f"{text}/forever/5")
    with pytest.raises(ScheduleError):
        Schedule.parse(f"{text}/forever")


def test_step_counts_by_what_it_says() -> None:
    """Its word may be another object than the constant: read from a file, for example."""
    assert not Schedule([("".join(WAIT), 1)], repeat=0).spins


def test_schedule_can_be_iterated_twice() -> None:
    """One Schedule serves many stops."""
    schedule = Schedule.parse("TERM/5")
    assert list(schedule) == list(schedule)


def test_schedules_are_equal_by_steps_and_tail() -> None:
    """Equal schedules have equal hashes; the tail counts."""
    one, two = Schedule.parse("TERM/5"), Schedule.parse("-15/05")
    assert (one, hash(one)) == (two, hash(two))
    assert one not in [Schedule.parse(other) for other in ("forever/TERM/5", "TERM/4", "TERM/6")]
    assert one != "TERM/5"


def test_schedule_shows_what_it_is() -> None:
    """Its repr is valid Python."""
    schedule = Schedule.parse("HUP/forever/TERM/5")
    assert schedule == eval(repr(schedule))


steps = st.lists(
    st.one_of(
        st.tuples(st.just(SEND), st.integers(0, 64)),
        st.tuples(st.just(WAIT), st.integers(0, INT_MAX)),
    ),
    min_size=2,
    max_size=12,
)


@given(steps, st.data())
def test_any_steps_can_be_written_as_a_text(steps: list, data: st.DataObject) -> None:
    """A schedule that is written as text and read again is the same, with and without a tail."""
    repeat = data.draw(st.none() | st.integers(0, len(steps) - 1))
    items = [f"-{value}" if kind == SEND else str(value) for kind, value in steps]
    if repeat is not None:
        items.insert(repeat, "forever")
    assert Schedule(steps, repeat) == Schedule.parse("/".join(items))


@given(st.text(st.sampled_from("0123456789+-/ TERMKIL\u0665\udcffxf") | st.characters()))
def test_any_text_is_a_schedule_or_a_schedule_error(text: str) -> None:
    """The parser raises nothing else."""
    try:
        assert Schedule.parse(text).steps
    except ScheduleError as error:
        assert error.item in text
