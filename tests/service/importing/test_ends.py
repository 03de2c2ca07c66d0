"""Schedule and reload signal of a traced script, from records that are made up."""

import signal
from typing import Any

import pytest

from ssd.service.importing import ends

Event = dict[str, Any]


def tool(words: str, verb: str = "stop", found: int = 1) -> Event:
    """Make up a call of start-stop-daemon."""
    argv = ["start-stop-daemon", *words.split()]
    return {"kind": "call", "role": "starter", "verb": verb, "words": argv, "found": found}


def sent(number: int, verb: str = "stop") -> Event:
    """Make up a signal to the daemon."""
    return {"kind": "signal", "verb": verb, "signal": number, "program": "/x"}


def slept(*words: str) -> Event:
    """Make up a call of sleep(1)."""
    return {"kind": "call", "role": "sleep", "verb": "stop", "words": ["sleep", *words]}


def fields(*events: Event, stubborn: "list[Event] | None" = None) -> tuple[Any, list[str]]:
    """Return the fields, and the notes."""
    notes: list[str] = []
    record = {"events": [*events], "daemons": [["/x", 5]]}
    other = None if stubborn is None else {"events": stubborn, "daemons": []}
    made = ends.fields(record, other, lambda option, words, lost=True: notes.append(words))
    return made, notes


@pytest.mark.parametrize(
    ("words", "schedule"),
    [
        ("--retry QUIT/7/TERM/3", "QUIT/7/TERM/3"),
        ("--retry 9", "TERM/9/KILL/9"),
        ("--retry 9 --signal INT", "INT/9/KILL/9"),
        ("--retry 9 --signal 34", "-34/9/KILL/9"),
        ("--signal USR1", "USR1/30"),
        ("--oknodo", "TERM/30"),
    ],
)
def test_schedule_is_that_of_the_call(words: str, schedule: str) -> None:
    """A timeout is written out; a stop that does not wait waits for 30 seconds, and kills not."""
    made, notes = fields(tool(f"-K -n web {words}"), tool("-K -n other -R 1"))
    assert {"stop_schedule": schedule} == made
    assert ("retry" not in words) == bool(notes)


def test_schedule_is_that_of_the_call_that_found_it() -> None:
    """A script that stops other daemons first stops this one another way."""
    made, _ = fields(tool("-K -n other -R 1", found=0), tool("-K -n web -R 7"))
    assert {"stop_schedule": "TERM/7/KILL/7"} == made


@pytest.mark.parametrize(
    ("events", "schedule"),
    [
        ([sent(signal.SIGTERM)], "TERM/30"),
        ([sent(signal.SIGTERM), slept("2"), slept("1m"), sent(signal.SIGKILL)], "TERM/62/KILL/5"),
        ([sent(signal.SIGINT), slept("1"), sent(signal.SIGINT), slept("0.5s", "1.4")], "INT/3"),
        ([sent(signal.SIGQUIT), sent(signal.SIGCONT), sent(signal.SIGKILL)], "QUIT/0/KILL/5"),
        ([sent(35), slept("x")], "-35/30"),
        ([], "TERM/30/KILL/5"),
    ],
)
def test_schedule_is_that_of_a_stubborn_daemon(events: list[Event], schedule: str) -> None:
    """Its signals with the sleeps between them; what sends no other is repeated."""
    made, _ = fields(sent(signal.SIGTERM), stubborn=events)
    assert {"stop_schedule": schedule} == made


def test_stop_without_a_signal_is_a_note() -> None:
    """A program of its own ends it, perhaps."""
    made, notes = fields()
    assert {} == made
    assert ["no signal was seen: the default TERM/30/KILL/5 is declared"] == notes
    runs = {"kind": "call", "role": "daemon", "verb": "stop", "words": ["/opt/webctl", "stop"]}
    _, notes = fields(runs, {**runs, "verb": "start"})
    words = "sends no signal, but runs /opt/webctl stop: the default TERM/30/KILL/5 is declared"
    assert [words] == notes


@pytest.mark.parametrize(
    ("event", "made"),
    [
        (tool("-K -s HUP -n web", "reload"), {"reload_signal": "HUP"}),
        (tool("-K -s 10 -n web", "force-reload"), {"reload_signal": "USR1"}),
        (tool("-K -s HUP -n web", "reload", found=0), {}),
        (tool("-K -n web", "reload"), {}),
        (sent(signal.SIGUSR2, "reload"), {"reload_signal": "USR2"}),
        (sent(signal.SIGTERM, "force-reload"), {}),
    ],
)
def test_reload_signal_is_the_one_sent(event: Event, made: dict[str, str]) -> None:
    """A reload that ends the daemon is a restart, which is the default."""
    assert {"stop_schedule": "TERM/5", **made} == fields(tool("-K -n web -R TERM/5"), event)[0]
