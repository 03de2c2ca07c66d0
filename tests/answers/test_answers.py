"""Answers in JSON: their page, their schema, and texts that are no UTF-8."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from conftest import CHECKOUT
from hypothesis import given
from hypothesis import strategies as st
from kit.schema import SCHEMA, faults

from ssd import answers
from ssd.answers.timeline import LEFT, RIGHT, WIDTH
from ssd.matching import Process
from ssd.processes import default_table, own
from ssd.processes.recorded import recorded
from ssd.testing import FakeProcesses

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)  # fmt: skip
PAGE = (CHECKOUT / "docs/reference/json.md").read_text()
NAMES = {"array": "list", "boolean": "true or false", "integer": "number", "number": "number"}


def rows(heading: str) -> dict[str, str]:
    """Return the types of the keys in the table under a heading of the page."""
    (part,) = re.findall(rf"^## {heading}$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", part, re.MULTILINE))


def kinds(properties: dict[str, dict[str, object]]) -> dict[str, str]:
    """Return the types of a schema's keys in the words of the page."""
    found = {}
    for key, schema in properties.items():
        named = schema.get("type", "integer" if key == "version" else "object")
        if "enum" in schema:  # of words
            named = ["string", "null"] if None in schema["enum"] else "string"  # type: ignore[operator]
        types = [named] if isinstance(named, str) else list(named)  # type: ignore[call-overload]
        found[key] = " or ".join(NAMES.get(each, each) for each in types)
    return found


def test_page_has_each_key_of_the_schema_with_its_type() -> None:
    """Those of an answer, of ssd-service's, of a process and of a step."""
    every = SCHEMA["properties"]
    common = {key: schema for key, schema in every.items() if key in SCHEMA["required"]}
    assert kinds(common) == rows("An answer")
    assert kinds({key: every[key] for key in every if key not in common}) == rows("ssd-service")
    assert kinds(SCHEMA["$defs"]["process"]["properties"]) == rows("A process")
    assert kinds(every["steps"]["items"]["properties"]) == rows("A step")


def test_schema_refuses_what_is_none() -> None:
    """The comparison can fail."""
    answer = answers.answer("stop", 0, "running", None, [{"pid": "1"}], messages=["x"])
    assert {"answer.processes[0]: no ended", "answer.processes[0].pid: '1' is not integer"} <= set(
        faults(answer)
    )
    assert ["answer: [] is not object"] == faults([])
    assert ["answer.version: 2 is not allowed"] == faults({**answer, "version": 2, "processes": []})


def test_text_is_ascii_and_has_no_lone_surrogate() -> None:
    """Names of files are bytes."""
    text = answers.text({"a": ["\udcff", ("ä",)], "b": {"c": 1}})
    assert text.isascii()
    assert {"a": ["\ufffd", ["ä"]], "b": {"c": 1}} == json.loads(text)


@given(JSON)
def test_text_is_that_of_the_module_json(value: object) -> None:
    """With its indentation; what JSON cannot express is refused."""
    assert json.dumps(value, indent=2) + "\n" == answers.text(value)
    for odd in (float("nan"), float("inf"), {1}, b"bytes"):
        with pytest.raises(TypeError):
            answers.text([value, odd])


def test_picture_has_the_names_and_begins_of_processes() -> None:
    """One that was there before begins with the picture; a fake machine has another clock."""
    table, recording = recorded(default_table())
    ourselves = own(table)
    assert ourselves is not None
    recording.record.meet(ourselves)
    recording.record.note("signal", pid=ourselves.pid, signal="HUP")
    drawn = answers.picture(recording.record, table, "a test", "me")
    name = Path("/proc/self/comm").read_text().strip()
    assert f">{name} {ourselves.pid}</text>" in drawn
    assert f'class="open" x="{LEFT}"' in drawn


def test_picture_has_the_begin_of_a_process_that_came_later(
    fake_processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child, for example, that a daemon starts while it is stopped."""
    table, recording = recorded(fake_processes)
    child = fake_processes.add("child").identity
    recording.record.meet(child)
    fake_processes.wait([], 4)
    recording.record.note("signal", pid=child.pid, signal="TERM")
    monkeypatch.setattr(answers, "started_at", lambda process, table: time.time() - 2)
    begin = re.search(r'class="open" x="([0-9.]+)"', answers.picture(recording.record, table, ""))
    assert begin is not None
    assert abs(float(begin[1]) - (LEFT + (WIDTH - LEFT - RIGHT) / 2)) < 5


def test_process_was_started_at_a_time_of_the_calendar(fake_processes: FakeProcesses) -> None:
    """Within an hour of now; no time for a process of another clock or an unknown start."""
    table = default_table()
    ourselves = own(table)
    assert ourselves is not None
    found = answers.identity(ourselves, table)
    assert os.getpid() == found["pid"]
    assert 0 <= time.time() - float(str(found["started_at"])) < 3600
    unknown = answers.identity(Process(1, 0), table)
    assert {"pid": 1, "start_time": None, "started_at": None} == unknown
    assert None is answers.started_at(fake_processes.init.identity, fake_processes)
