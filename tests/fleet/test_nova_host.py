"""What ssd.daemon.nova_host decides about a compute host, by answers that nova's API gave."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from conftest import CHECKOUT

sys.path.insert(0, str(CHECKOUT / "packaging/ansible/plugins"))

from plugin_utils import nova_decisions as decisions
from plugin_utils.nova_rollout import Host, Refused, carry_out

MARK = decisions.mark("r1")
OPTIONS = {"migrate": False, "migrate_timeout": 60, "timeout": 30}
HYPERVISOR = "55f51bc5-10e7-58c7-8fee-ef35f102a6d3"
# GET /os-services?binary=nova-compute of nova 34, microversion 2.53.
ENABLED = json.loads("""
{"binary": "nova-compute", "host": "node1", "id": "98feb723-f92d-42a8-bc12-98527e765dbe",
 "zone": "nova", "status": "enabled", "state": "up", "updated_at": "2026-11-30T05:58:12.848418",
 "disabled_reason": null, "forced_down": false}
""")
OTHER = {**ENABLED, "host": "node2", "id": "7a1d6e3c-6d0a-4f7e-9a26-5a7a3a1b2c3d"}
# A cell that does not answer, from microversion 2.69 on.
UNKNOWN = {"binary": "nova-compute", "host": "node1", "status": "UNKNOWN"}


def disabled(reason: str | None, **more: Any) -> dict[str, Any]:
    """Return the row of a disabled service."""
    return {**ENABLED, "status": "disabled", "disabled_reason": reason, **more}


class Nova:
    """Nova, which gives the answers of a list one after the other, the last again and again.

    ``asked`` has what was changed, and whom it called.
    """

    def __init__(self, *rows: dict[str, Any] | Exception | None) -> None:
        self.rows = list(rows)
        self.now: dict[str, Any] = {}
        self.asked: list[Any] = []
        self.unanswered: list[str | None] = [None]
        self.hypervisors: dict[str, str] = {"node1": HYPERVISOR}
        self.present: list[list[dict[str, Any]]] = [[]]

    def service(self, host: str) -> dict[str, Any] | None:
        """Return the next row, or raise it."""
        return decisions.find(self.services(), host)

    def services(self) -> list[dict[str, Any]]:
        """Return the next row among others, or raise it."""
        row = self.rows.pop(0) if len(self.rows) > 1 else self.rows[0]
        if isinstance(row, Exception):
            raise row
        self.now = row or {}
        return [OTHER, *([row] if row else [])]

    def disable(self, service_id: str, reason: str) -> dict[str, Any]:
        """Note it."""
        self.asked.append(("disable", service_id, reason))
        return {**self.now, "status": "disabled", "disabled_reason": reason}

    def enable(self, service_id: str) -> dict[str, Any]:
        """Note it."""
        self.asked.append(("enable", service_id))
        return {**self.now, "status": "enabled", "disabled_reason": None}

    def hypervisor(self, host: str) -> str | None:
        """Return the id of a hypervisor, or None."""
        return self.hypervisors.get(host)

    def call(self, hypervisor: str, seconds: float) -> str | None:
        """Note it; return the next answer."""
        self.asked.append("call")
        return self.unanswered.pop(0) if len(self.unanswered) > 1 else self.unanswered[0]

    def servers(self, host: str) -> list[dict[str, Any]]:
        """Return the next list."""
        return self.present.pop(0) if len(self.present) > 1 else self.present[0]

    def migrate(self, server_id: str) -> None:
        """Note it."""
        self.asked.append(("migrate", server_id))


@pytest.fixture
def bring() -> Callable[..., dict[str, Any]]:
    """Return a function that brings node1 into a state; its clock jumps over each pause."""

    class Clock:
        time = 0.0

        @classmethod
        def now(cls) -> float:
            return cls.time

        @classmethod
        def sleep(cls, seconds: float) -> None:
            cls.time += seconds

    def bring(nova: Nova, state: str, check: bool = False, **more: Any) -> dict[str, Any]:
        host = Host(nova, "node1", MARK, Clock)  # type: ignore[arg-type]
        return carry_out(host, state, check, {**OPTIONS, **more})

    return bring


Bring = Callable[..., dict[str, Any]]


def later(row: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Return a row with a report of so many seconds later."""
    return {**row, "updated_at": f"2026-11-30T05:59:{seconds:02}.000000"}


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


# Live migration ------------------------------------------------------------------------


def server(name: str, status: str = "ACTIVE", task: str | None = None) -> dict[str, Any]:
    """Return a row of GET /servers/detail."""
    return {"id": f"id-{name}", "name": name, "status": status, "OS-EXT-STS:task_state": task}


def test_migration_moves_what_runs_and_waits(bring: Bring) -> None:
    """A server that does not run stays, and is named; one in passing is waited for, then moved."""
    moving, stopped = server("a", "MIGRATING", "migrating"), server("s", "SHUTOFF")
    nova = Nova(ENABLED)
    nova.present = [
        [server("a"), server("b", "BUILD"), stopped],
        [moving, server("b"), stopped],
        [moving, stopped],
        [stopped],
    ]
    result = bring(nova, "drained", migrate=True)
    assert "failed" not in result
    assert [("migrate", "id-a"), ("migrate", "id-b")] == nova.asked[1:]
    assert ["s"] == result["left"]


def test_migration_that_nova_gives_up_fails_the_host(bring: Bring) -> None:
    """The server is there again without a task; it is not asked for twice."""
    nova = Nova(ENABLED)
    nova.present = [[server("a")], [server("a", "MIGRATING", "migrating")], [server("a")]]
    result = bring(nova, "drained", migrate=True)
    assert result["failed"]
    assert "live migration has failed for a (id-a)" in result["msg"]
    assert 1 == nova.asked.count(("migrate", "id-a"))


def test_host_that_is_not_empty_in_time_fails(bring: Bring) -> None:
    """The message names the servers that are left."""
    nova = Nova(ENABLED)
    nova.present = [[server("a")], [server("a", "MIGRATING", "migrating")]]
    result = bring(nova, "drained", migrate=True)
    assert result["failed"]
    assert "node1 is not empty after 60 seconds: a" in result["msg"]


def test_migration_is_off_by_default(bring: Bring) -> None:
    """A restart of nova-compute does not touch servers."""
    nova = Nova(ENABLED)
    nova.present = [[server("a")]]
    bring(nova, "drained")
    assert ["disable"] == [asked[0] for asked in nova.asked]
