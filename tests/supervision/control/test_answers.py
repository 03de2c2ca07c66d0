"""What a supervisor says of a service, in the words of ssd-service."""

import pytest

from ssd.supervision.control import answers, facts
from ssd.supervision.control.answers import facts_of_json, sentence, status_of

UP = {"name": "web", "found": "running", "state": "running", "goal": "start", "pid": 7}
DEAD = {"name": "web", "found": "dead", "state": "waiting", "goal": "respawn"}
DOWN = {"name": "web", "found": "stopped", "state": "waiting", "goal": "stop"}


@pytest.mark.parametrize(
    ("found", "memory", "expected"),
    [
        (UP, None, "web is running (process 7)"),
        ({**UP, "uptime": 65.2}, 1_200_000, "web is running (process 7), up 1 min 5 s, 1.2 MB"),
        ({**UP, "restarts": 1}, None, "web is running (process 7), restarted once"),
        ({**UP, "restarts": 3, "last_exit": -9}, None,
         "web is running (process 7), restarted 3 times, it last was ended by SIGKILL"),
        ({**UP, "healthy": False}, None, "web is running (process 7), unhealthy"),
        ({**UP, "status_text": "12 clients"}, None, "web is running (process 7): 12 clients"),
        ({**UP, "status_text": "\x1b[2Jä\n"}, None, "web is running (process 7): ?[2Jä\n"),
        ({**UP, "state": "spawned"}, None, "web is starting (process 7)"),
        ({**UP, "state": "killed"}, None, "web is stopping (process 7)"),
        (DOWN, None, "web is not running"),
        ({**DOWN, "completed": True}, None, "web is not running: it has done its work"),
        ({**DOWN, "failure": "its pre-start process failed"}, None,
         "web is not running: its pre-start process failed"),
        ({**DOWN, "state": "starting"}, None, "web is not running: it waits for what it needs"),
        ({**DOWN, "state": "pre-start"}, None, "web is not running: it is starting"),
        ({**DOWN, "state": "post-stop"}, None, "web is not running: it is stopping"),
        ({**DEAD, "state": "failed", "failure": "it failed"}, None,
         "web is not running: given up: it failed"),
        ({**DEAD, "last_exit": 1, "next_attempt": 4.25, "restarts": 2}, None,
         "web is not running: it exited with status 1, next attempt in 4.2 s, restarted 2 times"),
        (DEAD, None, "web is not running: its start failed"),
    ],
)  # fmt: skip
def test_sentence_says_what_is_unusual(found, memory, expected) -> None:
    """And nothing else."""
    assert f"{expected}\n" == sentence(found, memory)


def test_brief_sentence_has_the_pid_alone() -> None:
    """In a list of many services; but an illness is shown."""
    found = {**UP, "uptime": 5.0, "restarts": 2, "status_text": "busy", "healthy": False}
    assert "web is running (process 7), unhealthy\n" == sentence(found, brief=True)


@pytest.mark.parametrize(("found", "status"), [(UP, 0), (DEAD, 1), (DOWN, 3), ({}, 4)])
def test_status_is_that_of_the_lsb(found, status) -> None:
    """A service that should run and does not is dead: that is no mere stop."""
    assert status == status_of(found)


def test_json_has_every_key() -> None:
    """What was left out has its usual value."""
    assert [*facts_of_json({})] == [*facts_of_json({**UP, "restarts": 2, "name": "web"})]
    assert (0, True, None, 2) == (
        facts_of_json({})["restarts"],
        facts_of_json({})["healthy"],
        facts_of_json({})["uptime"],
        facts_of_json({"restarts": 2})["restarts"],
    )


def test_words_of_a_look_are_the_supervisors() -> None:
    """A query of one service does not load what gathers its facts."""
    assert (facts.RUNNING, facts.DEAD, facts.STOPPED) == (
        answers.RUNNING,
        answers.DEAD,
        answers.STOPPED,
    )
