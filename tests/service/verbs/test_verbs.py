"""The decisions of the verbs, as values: nothing runs here."""

import pytest

from ssd.service import verbs
from ssd.service.verbs import (
    ABSENT,
    DEAD,
    DENIED,
    DONE,
    FAILED,
    LACKING,
    LOOK,
    NOTHING,
    RUNNING,
    STOPPED,
    SURVIVED,
    TABLE,
    UNCLEAR,
)

# What each step can come to.
OUTCOMES = {
    "look": {RUNNING, DEAD, STOPPED, UNCLEAR},
    "start": {DONE, RUNNING, DENIED, FAILED},
    "stop": {DONE, NOTHING, SURVIVED, DENIED, FAILED},
    "reload": {DONE, NOTHING, DENIED, FAILED},
    "execute": {DENIED, FAILED},
}
STARTS = {"start", "restart", "try-restart", "systemd-start"}

# verb, outcomes of its steps in their order -> the steps taken, the exit status
LIVES = [
    ("start", [STOPPED, DONE], ["look", "start"], 0),
    ("start", [DEAD, DONE], ["look", "start"], 0),
    ("start", [UNCLEAR, FAILED], ["look", "start"], 1),
    ("start", [RUNNING], ["look"], 0),
    ("start", [STOPPED, RUNNING], ["look", "start"], 0),
    ("start", [STOPPED, DENIED], ["look", "start"], 4),
    ("start", [ABSENT], ["look"], 0),
    ("start", [LACKING], ["look"], 5),
    ("stop", [RUNNING, DONE], ["look", "stop"], 0),
    ("stop", [STOPPED], ["look"], 0),
    ("stop", [DEAD, NOTHING], ["look", "stop"], 0),
    ("stop", [RUNNING, SURVIVED], ["look", "stop"], 1),
    ("stop", [RUNNING, DENIED], ["look", "stop"], 4),
    ("restart", [RUNNING, DONE, DONE], ["look", "stop", "start"], 0),
    ("restart", [RUNNING, NOTHING, DONE], ["look", "stop", "start"], 0),
    ("restart", [STOPPED, DONE], ["look", "start"], 0),
    ("restart", [RUNNING, SURVIVED], ["look", "stop"], 1),
    ("restart", [RUNNING, DONE, RUNNING], ["look", "stop", "start"], 1),
    ("restart", [RUNNING, DONE, FAILED], ["look", "stop", "start"], 1),
    ("restart", [ABSENT], ["look"], 0),
    ("restart", [LACKING], ["look"], 5),
    ("try-restart", [STOPPED], ["look"], 0),
    ("try-restart", [RUNNING, DONE, DONE], ["look", "stop", "start"], 0),
    ("reload", [RUNNING, DONE], ["look", "reload"], 0),
    ("reload", [STOPPED], ["look"], 7),
    ("reload", [RUNNING, NOTHING], ["look", "reload"], 7),
    ("status", [RUNNING], ["look"], 0),
    ("status", [DEAD], ["look"], 1),
    ("status", [STOPPED], ["look"], 3),
    ("status", [UNCLEAR], ["look"], 4),
    ("systemd-start", [ABSENT], ["look"], 5),
    ("systemd-start", [RUNNING, FAILED], ["look", "execute"], 1),
]


@pytest.mark.parametrize(("verb", "outcomes", "steps", "status"), LIVES, ids=str)
def test_verb_takes_its_steps_and_ends_with_its_status(verb, outcomes, steps, status) -> None:
    """From the first look to the end."""
    taken, step = [], LOOK
    for outcome in outcomes:
        taken.append(step)
        move = verbs.decide(verb, step, outcome)
        step = move.step
    assert (steps, None, status) == (taken, step, move.status)


@pytest.mark.parametrize("verb", TABLE)
def test_table_decides_every_outcome_of_every_step(verb: str) -> None:
    """And no other; only verbs that start look for the program."""
    looks = OUTCOMES["look"] | ({ABSENT, LACKING} if verb in STARTS else set())
    reached = {LOOK, *(move.step for move in TABLE[verb].values() if move.step)}
    wanted = {(step, o) for step in reached for o in (looks if step == LOOK else OUTCOMES[step])}
    assert wanted == set(TABLE[verb])


@pytest.mark.parametrize("verb", TABLE)
def test_table_leads_every_verb_to_its_end(verb: str) -> None:
    """No step leads back to an earlier one."""
    after = {}
    for (step, _), move in TABLE[verb].items():
        after.setdefault(step, set()).add(move.step)
    order = list(verbs.STEPS)
    order = [LOOK, "stop", "start", "reload", "execute"] if verb != "start" else order
    for step, following in after.items():
        for later in following - {None}:
            assert order.index(later) > order.index(step)


@pytest.mark.parametrize("reloads", [True, False])
@pytest.mark.parametrize("verb", verbs.VERBS)
def test_verb_resolves_by_what_the_service_can_do(verb: str, reloads: bool) -> None:
    """force-reload reloads or restarts; without a signal there is no reload."""
    wanted = {
        ("force-reload", True): "reload",
        ("force-reload", False): "restart",
        ("reload", False): None,
    }.get((verb, reloads), verb)
    assert wanted == verbs.resolve(verb, reloads)
    assert (wanted is not None) == (verb in verbs.offered(reloads))


def test_resolve_returns_none_for_an_unknown_verb() -> None:
    """Also for an option, and for an empty word."""
    assert [None] * 3 == [verbs.resolve(word, True) for word in ("frobnicate", "", "--help")]


def test_table_has_only_statuses_of_lsb() -> None:
    """0 to 7; those of status have their own meaning."""
    statuses = {m.status for rows in TABLE.values() for m in rows.values() if m.step is None}
    assert {0, 1, 3, 4, 5, 7} == statuses
