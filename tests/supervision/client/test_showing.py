"""Answers to actions as console lines."""

from collections.abc import Iterator

import pytest

from ssd.service.verbs import Move
from ssd.supervision.client import Unreachable
from ssd.supervision.client.showing import fail, move, show_action


class Connection:
    """A supervisor that answers these lines."""

    path = "/run/socket"

    def __init__(self, *lines: dict[str, object]) -> None:
        self.lines = lines

    def ask(self, verb: str, **fields: object) -> Iterator[dict[str, object]]:
        """Yield the lines."""
        yield from self.lines


@pytest.mark.parametrize(
    ("verb", "outcome", "expected"),
    [
        ("start", "done", Move(None)),
        ("start", "running", Move(None, "is already running")),
        ("start", "failed", Move(None, status=1)),
        ("start", "denied", Move(None, status=4)),
        ("start", "absent", Move(None, "is not installed")),
        ("force-reload", "absent", Move(None, "is not installed")),
        ("start", "accepted", Move(None)),
        ("stop", "done", Move(None)),
        ("stop", "nothing", Move(None, "is not running")),
        ("stop", "survived", Move(None, "refuses to die", 1)),
        ("stop", "failed", Move(None, status=1)),
        ("restart", "done", Move(None)),
        ("restart", "failed", Move(None, status=1)),
        ("restart", "survived", Move(None, "refuses to die", 1)),
        ("try-restart", "nothing", Move(None, "is not running")),
        ("reload", "done", Move(None)),
        ("reload", "nothing", Move(None, "is not running", 7)),
        ("reload", "unsupported", Move(None, status=3)),
        ("signal", "done", Move(None)),
        ("signal", "nothing", Move(None, "is not running", 7)),
        ("signal", "denied", Move(None, status=4)),
    ],
)
def test_outcome_has_the_words_and_status_of_the_verb(verb, outcome, expected) -> None:
    """The same as if ssd-service did it (``ssd.service.verbs``)."""
    assert expected == move(verb, outcome)


BEGUN = {"begun": "start", "name": "web", "description": "The web"}
LOST = {"ok": False, "error": "failed", "message": "it is odd", "name": "web", "outcome": "failed"}


def show(capfd, *lines: dict[str, object], verb: str = "start") -> tuple[object, str, str]:
    """Return the status, and what is printed on both outputs."""
    status = show_action("ssd-service", verb, Connection(*lines))  # type: ignore[arg-type]
    return status, *capfd.readouterr()


def test_line_has_description_and_name(capfd) -> None:
    """As Debian's log_daemon_msg writes them."""
    done = {"ok": True, "name": "web", "outcome": "done"}
    assert (0, "Starting The web: web.\n", "") == show(capfd, BEGUN, done)
    again = {"ok": True, "name": "web", "outcome": "running"}
    assert (0, "Starting The web: web is already running.\n", "") == show(capfd, BEGUN, again)


def test_failure_is_explained_below_the_line(capfd) -> None:
    """With the last lines of output."""
    lost = {**LOST, "lines": ["one", "two"]}
    complaint = "ssd-service: web: it is odd\nits last lines:\n    one\n    two\n"
    assert (1, "Starting The web: web failed!\n", complaint) == show(capfd, BEGUN, lost)


def test_service_that_is_not_there_is_done_elsewhere(capfd) -> None:
    """So is a verb that it lacks: the usage names those that it has."""
    for error in ("unknown-service", "unsupported"):
        line = {"ok": False, "error": error, "message": "no"}
        assert (None, "", "") == show(capfd, line)
    line = {"ok": False, "error": "unsupported", "message": "there is no signal FOO"}
    complaint = "ssd-service: there is no signal FOO\n"
    assert (1, "", complaint) == show(capfd, line, verb="signal")


def test_refused_request_is_an_error(capfd) -> None:
    """LSB's status 4 if it was denied."""
    denied = {"ok": False, "error": "denied", "message": "not you"}
    assert (4, "", "ssd-service: not you\n") == show(capfd, denied)


def test_line_is_ended_if_the_answer_is_not(capfd) -> None:
    """The error has a line of its own then."""

    class Dying(Connection):
        def ask(self, verb: str, **fields: object) -> Iterator[dict[str, object]]:
            yield BEGUN
            raise Unreachable("/run/socket", "gone")

    with pytest.raises(Unreachable):
        show_action("ssd-service", "start", Dying())  # type: ignore[arg-type]
    assert "Starting The web: web failed!\n" == capfd.readouterr().out


@pytest.mark.parametrize(("errno", "status"), [(13, 4), (1, 4), (5, 1), (None, 1)])
def test_unreachable_supervisor_has_a_status(capfd, errno, status) -> None:
    """4 if the caller may not ask it."""
    assert status == fail("ssd-service", Unreachable("/run/socket", "odd", errno))
    said = "ssd-service: the supervisor at /run/socket cannot be asked: odd\n"
    assert said == capfd.readouterr().err
