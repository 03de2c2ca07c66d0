"""What ssd.daemon.nova_host decides about a compute host, by answers that nova's API gave."""

from collections.abc import Callable
from typing import Any

import pytest
from kit.nova_answers import (
    ENABLED,
    MARK,
    UNKNOWN,
    Bring,
    Nova,
    Refused,
    decisions,
    disabled,
    later,
)

# Drain ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "asked", "changed"),
    [
        (ENABLED, [("disable", ENABLED["id"], MARK)], True),
        (disabled(MARK), [], False),
        (disabled("a disk is bad"), [], False),
        (disabled(None), [], False),
        (disabled(decisions.mark("r2")), [], False),
    ],
    ids=["enabled", "by this rollout", "by an operator", "without a reason", "by another rollout"],
)
def test_drain_disables_what_is_enabled_alone(
    bring: Bring, row: dict[str, Any], asked: list[Any], changed: bool
) -> None:
    """The reason is the rollout's mark; another's reason is not written over."""
    nova = Nova(row)
    result = bring(nova, "drained")
    assert (asked, changed) == (nova.asked, result["changed"])
    assert "disabled" == result["after"]["status"]
    assert "failed" not in result


def test_drain_in_check_mode_predicts(bring: Bring) -> None:
    """Nothing is changed."""
    result = bring(nova := Nova(ENABLED), "drained", check=True)
    assert ([], True, "disabled") == (nova.asked, result["changed"], result["after"]["status"])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (None, "nova has no compute service of host node1"),
        (UNKNOWN, "nova has no compute service of host node1"),
        ({**ENABLED, "forced_down": True}, "openstack compute service set --up node1"),
        (Refused("GET /os-services: 503"), "GET /os-services: 503"),
    ],
    ids=["unknown", "cell is down", "forced down", "no answer"],
)
def test_host_that_cannot_be_judged_fails(
    bring: Bring, row: dict[str, Any] | Exception | None, words: str
) -> None:
    """Before its restart, and with nothing changed."""
    result = bring(nova := Nova(row), "drained")
    assert result["failed"]
    assert words in result["msg"]
    assert [] == nova.asked


# Resume --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "end"),
    [
        (disabled(MARK), ["call", ("enable", ENABLED["id"])]),
        (ENABLED, ["call"]),
        (disabled("a disk is bad"), ["call"]),
        (disabled(decisions.mark("r2")), ["call"]),
    ],
    ids=["by this rollout", "enabled", "by an operator", "by another rollout"],
)
def test_resume_enables_what_the_rollout_disabled_alone(
    bring: Bring, row: dict[str, Any], end: list[Any]
) -> None:
    """It has no other memory than the mark, so it is the same after an interruption."""
    nova = Nova(row, later(row, 1))
    result = bring(nova, "resumed")
    assert "failed" not in result
    assert end == nova.asked


def test_resume_waits_for_a_report_after_the_first_look(bring: Bring) -> None:
    """It is up all the time: nova says so for a minute after the last report."""
    row = disabled(MARK)
    down = {**later(row, 2), "state": "down"}
    nova = Nova(row, row, down, Refused("503"), later(row, 9))
    assert "enabled" == bring(nova, "resumed")["after"]["status"]
    assert ["call", ("enable", ENABLED["id"])] == nova.asked


def test_resume_waits_for_an_answer(bring: Bring) -> None:
    """A nova-compute that reports may answer no call yet."""
    nova = Nova(disabled(MARK), later(disabled(MARK), 1))
    nova.unanswered = ["no answer within 10 seconds", None]
    assert "enabled" == bring(nova, "resumed")["after"]["status"]
    assert ["call", "call", ("enable", ENABLED["id"])] == nova.asked


def test_resume_outlasts_a_restart_of_the_api(bring: Bring) -> None:
    """Also at its first look, and when it enables: the host is up, and not to be lost for that."""
    row = disabled(MARK)
    nova = Nova(Refused("GET /os-services: 503", 503), Refused("refused"), row, later(row, 1))
    nova.away = 2
    result = bring(nova, "resumed")
    assert "failed" not in result, result["msg"]
    assert "enabled" == result["after"]["status"]
    assert ["call", *[("enable", ENABLED["id"])] * 3] == nova.asked


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusal_that_stays_is_not_waited_for(bring: Bring, status: int) -> None:
    """No time makes a wrong password right."""
    nova = Nova(Refused("GET /os-services", status), disabled(MARK))
    assert bring(nova, "resumed")["failed"]
    assert [] == nova.asked


def test_compute_that_cannot_be_enabled_is_disabled(bring: Bring) -> None:
    """The result says so, and not that something has changed."""
    nova = Nova(disabled(MARK), later(disabled(MARK), 1))
    nova.away = 1000
    result = bring(nova, "resumed")
    assert (True, False) == (result["failed"], result["changed"])
    assert "compute service disabled by this rollout; PUT /os-services: 503" == result["msg"]


def silent(nova: Nova) -> None:
    """Let it never report again."""


def deaf(nova: Nova) -> None:
    """Let it report and answer nothing, as after a HUP."""
    nova.rows.append(later(disabled(MARK), 1))
    nova.unanswered = ["no answer within 10 seconds"]


def without_hypervisor(nova: Nova) -> None:
    """Let nova know no hypervisor of the host."""
    nova.rows.append(later(disabled(MARK), 1))
    nova.hypervisors = {}


def gone(nova: Nova) -> None:
    """Let the service vanish from the list."""
    nova.rows.append(None)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (silent, "it answers, but has not reported since then (state up, last report 2026-"),
        (deaf, "it has not answered a call: no answer within 10 seconds"),
        (without_hypervisor, "nova has no hypervisor of host node1"),
        (gone, "nova has no compute service of host node1"),
    ],
)
def test_compute_that_is_not_back_stays_disabled(
    bring: Bring, fault: Callable[[Nova], None], words: str
) -> None:
    """The message says what is missing, after the time that was given."""
    nova = Nova(disabled(MARK))
    fault(nova)
    result = bring(nova, "resumed")
    assert result["failed"]
    assert "compute service disabled by this rollout" in result["msg"]
    assert "nova-compute on node1 is not back 30 seconds after the restart" in result["msg"]
    assert words in result["msg"]
    assert "enable" not in [asked[0] for asked in nova.asked]


def test_operator_who_disables_meanwhile_is_obeyed(bring: Bring) -> None:
    """The last look decides, not the first."""
    nova = Nova(disabled(MARK), later(disabled("a disk is bad"), 1))
    result = bring(nova, "resumed")
    assert ["call"] == nova.asked
    assert "not by this rollout (a disk is bad), so it stays disabled" in result["msg"]


def test_release_enables_without_waiting(bring: Bring) -> None:
    """For a drain that failed: nothing was restarted."""
    result = bring(nova := Nova(disabled(MARK)), "released")
    assert [("enable", ENABLED["id"])] == nova.asked
    assert "enabled" == result["note"]["status"]


def test_shown_changes_nothing(bring: Bring) -> None:
    """For a restart that failed: the note tells that the service stays disabled."""
    result = bring(nova := Nova(disabled(MARK)), "shown")
    assert ([], False) == (nova.asked, result["changed"])
    assert ("disabled", "compute service disabled by this rollout") == (
        result["note"]["status"],
        result["note"]["msg"],
    )


def test_mark_of_another_rollout_is_named_with_the_way_out(bring: Bring) -> None:
    """It may have been interrupted and forgotten."""
    result = bring(Nova(disabled(decisions.mark("r2"))), "drained")
    assert (
        "another rollout has disabled it (ssd.daemon rolling_restart, rollout r2)"
        in (result["msg"])
    )
    assert "openstack compute service set --enable node1 nova-compute" in result["msg"]


def test_mark_that_nova_would_not_accept_is_refused() -> None:
    """A reason has at most 255 characters."""
    assert 255 == len(decisions.mark("r" * 219))
    with pytest.raises(ValueError, match="at most 219 characters"):
        decisions.mark("r" * 220)
