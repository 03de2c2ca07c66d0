"""Outcomes of verbs, as values: nothing runs here."""

import copy
import pickle

from kit.schema import answer

from ssd import answers
from ssd.service.outcome import FAILURES, OUTCOMES, Look, Outcome

NAP = {
    "pid": 9, "start_time": 5, "started_at": None, "name": "nap", "cmdline": ["nap"],
    "matched_by": "pid", "ended": False,
}  # fmt: skip
OLD = {**NAP, "pid": 100, "ended": True}


def restarted(**more: object) -> Outcome:
    """Return the outcome of a restart."""
    return Outcome(
        "nap", "restart", "done", 0, changed=True, actions=["stop", "start"],
        before=Look("running", [OLD]), after=Look("running", [NAP]), **more,
    )  # fmt: skip


def test_outcome_is_an_answer_of_the_schema() -> None:
    """With the keys of every answer, and those of a verb."""
    told = answer(answers.text(restarted(messages=["Restarting nap: nap."]).to_dict()))
    assert ("restart", 0, "running") == (told["command"], told["status"], told["state"])
    assert ["stop", "start"] == told["actions"]
    assert {"state": "running", "processes": [OLD]} == told["before"]
    assert ["Restarting nap: nap."] == told["messages"]


def test_outcome_lists_each_process_once_by_pid() -> None:
    """As it was seen last: one that was there before and after is one process."""
    assert [9, 100] == [each["pid"] for each in restarted().processes]
    before = {**NAP, "matched_by": "name"}
    told = Outcome("nap", "status", "nothing", 0,
                   before=Look("running", [before]), after=Look("running", [NAP]))  # fmt: skip
    assert [NAP] == told.processes


def test_outcome_without_looks_is_in_an_unknown_state() -> None:
    """That of a service which nobody knows."""
    told = Outcome("none", "start", "failed", 1, error="none: unrecognized service",
                   error_kind="unknown-service")  # fmt: skip
    assert told.failed
    assert "unknown" == answer(answers.text(told.to_dict()))["state"]


def test_outcome_that_failed_is_one_of_the_failures() -> None:
    """Done and nothing are none; an absent program is one, though its status is 0."""
    failed = [word for word in OUTCOMES if Outcome("nap", "start", word, 0).failed]
    assert list(FAILURES) == failed


def test_outcome_equals_its_copies() -> None:
    """It is a value, which other processes can get."""
    told = restarted(steps=[{"at": 0.0, "event": "signal", "pid": 100, "signal": "TERM"}])
    assert told == copy.deepcopy(told) == pickle.loads(pickle.dumps(told))
    assert told != restarted()
    assert Look("dead") == Look("dead") != Look("stopped")
    assert "Look('dead', [])" == repr(Look("dead"))
    assert "outcome='done'" in repr(told)
