"""The lines of the control socket: bytes in, requests and faults out."""

import json

import pytest
from conftest import CHECKOUT
from hypothesis import given
from hypothesis import strategies as st

from ssd.supervision.control.json_reader import MAX_DEPTH
from ssd.supervision.control.protocol import (
    ERRORS,
    FATAL,
    FIELDS,
    MAX_ID,
    MAX_LINE,
    NEEDED,
    VERBS,
    Fault,
    Request,
    Requests,
    failure,
    line,
    parse,
    success,
)

START = b'{"id": 1, "verb": "start", "name": "web"}'


def taken(*pieces: bytes) -> list[Request | Fault]:
    """Return all that comes out of bytes in these pieces."""
    requests = Requests()
    found = []
    for piece in pieces:
        requests.receive(piece)
        while (each := requests.next()) is not None:
            found.append(each)
    return found


def test_line_is_a_request() -> None:
    """Its id and verb, and the fields."""
    expected = Request(1, "start", {"name": "web", "nowait": True})
    (found,) = taken(b'{"id": 1, "verb": "start", "name": "web", "nowait": true}\n')
    assert expected == found
    assert ("web", True, False) == (found.name, found.flag("nowait"), found.flag("follow"))
    assert 7 == parse(b'{"verb": "events", "lines": 7}').number("lines", 3)
    assert 3 == parse(b'{"verb": "events"}').number("lines", 3)


def test_texts_of_a_request_may_be_missing() -> None:
    """They are empty then, as is a list of them."""
    request = parse(b'{"verb":"job","command":"emit","value":"go","environment":["A=1","=x"]}')
    assert ("go", ["A=1", "=x"]) == (request.text("value"), request.words("environment"))
    bare = parse(b'{"verb":"job","command":"list"}')
    assert ("", []) == (bare.text("value"), bare.words("environment"))


@given(st.lists(st.integers(0, 200), max_size=6))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    """A line may come in any number of pieces, and several in one."""
    whole = START + b"\n" + b"[]\n" + START + b"\n" + START
    places = sorted({0, *(cut for cut in cuts if cut < len(whole)), len(whole)})
    pieces = [whole[a:b] for a, b in zip(places, places[1:], strict=False)]
    request = Request(1, "start", {"name": "web"})
    assert [request, Fault("malformed", "a request must be an object"), request] == taken(*pieces)


@given(st.binary(max_size=200))
def test_any_bytes_are_requests_or_faults(data: bytes) -> None:
    """Nothing that a client sends raises."""
    for found in taken(data + b"\n"):
        assert isinstance(found, (Request, Fault))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (b"", "malformed", "no JSON: no value at character 0"),
        (b'{"id": 1', "malformed", "no JSON"),
        (b"[" * (MAX_DEPTH + 1), "malformed", "nested too deeply"),
        (b"7", "malformed", "must be an object"),
        (b"{}", "unknown-verb", "there is no verb null"),
        (b'{"verb": "dance"}', "unknown-verb", 'no verb "dance"'),
        (b'{"verb": ["start"]}', "unknown-verb", 'no verb ["start"]'),
        (b'{"verb": "start"}', "malformed", "start needs name or all"),
        (b'{"verb": "start", "all": false}', "malformed", "start needs name or all"),
        (b'{"verb": "start", "name": "a", "all": true}', "malformed", "needs name or all"),
        (b'{"verb": "start", "name": 1}', "malformed", "name must be a text"),
        (b'{"verb": "start", "name": "a", "nowait": 1}', "malformed", "must be true or false"),
        (b'{"verb": "start", "name": "a", "nowiat": true}', "malformed", 'no field "nowiat"'),
        (b'{"verb": "signal", "name": "a"}', "malformed", "signal needs signal"),
        (b'{"verb": "signal", "name": "a", "signal": true}', "malformed", "whole number or a text"),
        (b'{"verb": "events", "lines": 1.5}', "malformed", "lines must be a whole number"),
        (b'{"verb": "job"}', "malformed", "job needs command"),
        (b'{"verb": "job", "command": "emit", "environment": "A=1"}', "malformed", "list of texts"),
        (b'{"verb": "job", "command": "emit", "environment": [1]}', "malformed", "list of texts"),
        (b'{"id": 1.5, "verb": "hello"}', "malformed", "an id is"),
        (b'{"id": true, "verb": "hello"}', "malformed", "an id is"),
        (b'{"id": "%s", "verb": "hello"}' % (b"x" * (MAX_ID + 1)), "malformed", "an id is"),
    ],
)
def test_wrong_line_is_a_fault(text: bytes, error: str, message: str) -> None:
    """It says what is wrong; the next line counts again."""
    fault, after = taken(text + b"\n" + START + b"\n")
    assert isinstance(fault, Fault)
    assert (error, True, False) == (fault.error, message in fault.message, fault.fatal), fault
    assert Request(1, "start", {"name": "web"}) == after


def test_fault_has_the_id_of_its_request() -> None:
    """As soon as it is known."""
    assert ["a", 7] == [
        each.id for each in taken(b'{"id":"a","verb":"x"}\n{"verb":"start","id":7}\n')
    ]


@pytest.mark.parametrize(
    "data", [b"x" * MAX_LINE, b" " * MAX_LINE + b"\n", START + b" " * MAX_LINE]
)
def test_long_line_is_the_end(data: bytes) -> None:
    """Nothing after it is read, and nothing of it is held."""
    requests = Requests()
    requests.receive(data)
    fault = requests.next()
    assert isinstance(fault, Fault)
    assert ("too-long", True) == (fault.error, fault.fatal)
    requests.receive(START + b"\n")
    assert requests.next() is None
    assert not requests.ready


def test_longest_line_is_a_request() -> None:
    """The newline counts."""
    assert [Request] == [
        type(each) for each in taken(START + b" " * (MAX_LINE - len(START) - 1) + b"\n")
    ]


def test_bytes_that_are_no_text_reach_us_in_two_ways() -> None:
    """As they are, or as the lone surrogates that Python makes of them (PEP 383)."""
    raw, escaped = taken(b'{"verb":"status","name":"w\xff"}\n{"verb":"status","name":"w\\udcff"}\n')
    assert raw == escaped
    assert "w\udcff" == raw.name


def test_answer_is_one_line_of_ascii() -> None:
    """A reader in any language can split it at the newline."""
    for made in (line(1, name="w\udcff\n"), success("x", a=[1]), failure(None, "busy", "später")):
        assert made.endswith(b"\n") and made.count(b"\n") == 1 and made.isascii()
    assert {"id": None, "ok": False, "error": "busy", "message": "später"} == json.loads(
        failure(None, "busy", "später")
    )
    assert {"id": 1, "ok": True, "a": 2} == json.loads(success(1, a=2))


def test_tables_agree() -> None:
    """Each field of a verb has a type, each needed one belongs to it, and errors are known."""
    assert set(FIELDS) == {field for fields in VERBS.values() for field in fields}
    for verb, choices in NEEDED.items():
        assert set(VERBS[verb]) >= {field for choice in choices for field in choice}
    assert set(ERRORS) >= set(FATAL)


def rows(title: str) -> list[list[str]]:
    """Return the rows of the first table after a title of the page."""
    page = (CHECKOUT / "docs" / "reference" / "control.md").read_text()
    table = page.partition(title)[2].partition("|---|")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[1:]]


def test_page_has_every_verb_field_and_error() -> None:
    """docs/reference/control.md is what writers of clients read."""
    shown = {verb: fields for names, fields, _ in rows("## Lines") for verb in names.split(", ")}
    assert VERBS.keys() == shown.keys()
    for verb, fields in VERBS.items():
        assert set(fields) == set(shown[verb].replace(",", "").split()) - {"or"}, verb
    assert {f"`{name}`" for name in FIELDS} == {name for name, *_ in rows("| upgrade |")}
    assert {f"`{error}`": text for error, text in ERRORS.items()} == dict(rows("## Errors"))
