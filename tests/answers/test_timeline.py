"""The picture of a stop or a start: what it shows, and where."""

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssd.answers.timeline import (
    LEFT,
    MAX_LANES,
    RIGHT,
    WIDTH,
    Lane,
    Mark,
    draw,
    lanes_of,
    levels,
    scale,
)

SVG = "{http://www.w3.org/2000/svg}"
STEPS: list[dict[str, object]] = [
    {"at": 0.0, "event": "signal", "pid": 7, "signal": "TERM"},
    {"at": 0.0, "event": "denied", "pid": 8, "signal": "TERM", "reason": "Not <permitted>"},
    {"at": 2.0, "event": "signal", "group": 7, "signal": "STOP"},
    {"at": 2.0, "event": "signal", "pid": 7, "signal": "KILL"},
    {"at": 2.5, "event": "ended", "pid": 7, "exit_status": 3},
    {"at": 3.0, "event": "signal", "pid": 7, "signal": "TERM"},
]


def test_steps_become_a_lane_for_each_process() -> None:
    """A process that gets the pid of one that has ended is another."""
    lanes = lanes_of(STEPS, {7: ("nginx 7", 0.0), 8: ("worker 8", 1.0)}, "ssd")
    assert ["ssd", "nginx 7", "worker 8", "nginx 7"] == [lane.label for lane in lanes]
    assert [None, 0.0, 0.0, 0.0] == [lane.begin for lane in lanes]
    assert [None, 2.5, None, None] == [lane.end for lane in lanes]
    texts = [[mark.text for mark in lane.marks] for lane in lanes]
    assert [["STOP"], ["TERM", "KILL", ""], ["TERM: Not <permitted>"], ["TERM"]] == texts
    assert "2 s: STOP sent to process group 7" == lanes[0].marks[0].sentence
    assert "2.5 s: nginx 7 ended with exit status 3" == lanes[1].marks[2].sentence


def test_started_process_begins_when_it_is_detached() -> None:
    """The start returns it later, when it is ready."""
    steps: list[dict[str, object]] = [
        {"at": 0.1, "event": "starting"},
        {"at": 0.2, "event": "detached"},
        {"at": 0.2, "event": "awaiting", "seconds": 60},
        {"at": 5.0, "event": "started", "pid": 7},
    ]
    command, process = lanes_of(steps, {7: ("d 7", 0.0)}, "ssd")
    assert ("0.2 s: awaiting 60", 0.2) == (command.marks[2].sentence, process.begin)
    assert 5.0 == lanes_of(steps[3:], {}, "ssd")[0].begin


def test_picture_has_text_titles_and_a_dark_half() -> None:
    """Texts stay texts, each mark has a title for hover, the axis has seconds."""
    picture = draw("ssd --stop", lanes_of(STEPS, {7: ('a<b> & "c" \x1b', 0.0)}, "ssd"), 3.25)
    root = ET.fromstring(picture)
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {"ssd --stop", "TERM", "KILL", "STOP", 'a<b> & "c" \ufffd', "pid 8"} <= set(texts)
    assert ["0 s", "0.5 s", "3.5 s"] == [texts[at] for at in (1, 2, 8)]
    titles = [each.text for each in root.iter(f"{SVG}title")]
    assert "0 s: TERM was not sent to pid 8: Not <permitted>" in titles
    assert "pid 8: it still ran" in titles
    assert "prefers-color-scheme: dark" in picture
    kinds = re.findall(r'class="(TERM|KILL|signal|denied|life|open)"', picture)
    assert {"TERM": 2, "KILL": 1, "signal": 1, "denied": 1, "life": 1, "open": 2} == {
        kind: kinds.count(kind) for kind in set(kinds)
    }


def test_picture_of_many_processes_says_how_many_are_left_out() -> None:
    """And the label of a long name is cut; its title has all of it."""
    lanes = [Lane("x" * 60, 0.0, None)] * (MAX_LANES + 3)
    picture = draw("t", lanes, 0.0)
    assert ">and 3 more</text>" in picture
    assert f">{'x' * 25}…</text>" in picture
    assert f"<title>{'x' * 60}</title>" in picture


@pytest.mark.parametrize(
    "seconds, unit", [(0.01, 0.001), (1, 0.1), (1.1, 0.2), (35, 5), (86400, 1e4)]
)
def test_scale_has_at_most_ten_ticks(seconds: float, unit: float) -> None:
    """1, 2 or 5 times a power of ten."""
    assert unit == pytest.approx(scale(seconds))


@given(st.lists(st.tuples(st.floats(0, 900), st.floats(0, 90)), max_size=8))
def test_texts_cover_no_other_text(spans: list[tuple[float, float]]) -> None:
    """Two texts in one row have a space between them; one without a place is left out."""
    ends = sorted((begin, begin + width) for begin, width in spans)
    rows = levels(ends)
    for row in {*rows} - {-1}:
        placed = [span for span, level in zip(ends, rows, strict=True) if level == row]
        assert all(one[1] <= two[0] for one, two in zip(placed, placed[1:], strict=False))
    assert len(rows) == len(ends)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=5), st.floats(0, 1e6))
def test_marks_are_on_the_axis(times: list[float], length: float) -> None:
    """Also those after the end of the record, by a rounding."""
    marks = [Mark(at, "TERM", "signal", "") for at in times]
    picture = draw("t", [Lane("d", 0.0, max(times), marks)], length)
    places = [float(x) for x in re.findall(r'<polygon class="TERM" points="([0-9.]+),', picture)]
    assert all(LEFT <= x <= WIDTH - RIGHT + 0.001 for x in places)
    assert len(times) == len(places)
