"""How ssd.daemon.nova_host empties a compute host, by answers that nova's API gave."""

from typing import Any

import pytest
from kit.nova_answers import ENABLED, Bring, Nova, Refused


def server(
    name: str, status: str = "ACTIVE", task: str | None = None, power: int = 1
) -> dict[str, Any]:
    """Return a row of GET /servers/detail."""
    return {
        "id": f"id-{name}",
        "name": name,
        "status": status,
        "OS-EXT-STS:task_state": task,
        "OS-EXT-STS:power_state": power,
        "OS-EXT-SRV-ATTR:host": "node1",
    }


def test_migration_moves_what_runs_and_waits(bring: Bring) -> None:
    """A server that does not run stays, and is named; one in passing is waited for, then moved."""
    moving, stopped = server("a", "MIGRATING", "migrating"), server("s", "SHUTOFF", power=4)
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


@pytest.mark.parametrize("host", ["node2", None], ids=["of another host", "hidden"])
def test_server_that_is_not_on_the_host_is_not_moved(bring: Bring, host: str | None) -> None:
    """Nova leaves the filter out for a user who may not filter by host, and lists all servers."""
    nova = Nova(ENABLED)
    nova.present = [[server("a"), {**server("b"), "OS-EXT-SRV-ATTR:host": host}]]
    result = bring(nova, "drained", migrate=True)
    assert result["failed"]
    assert "os_compute_api:servers:allow_all_filters" in result["msg"]
    assert ["disable"] == [asked[0] for asked in nova.asked]


@pytest.mark.parametrize("status", ["RESCUE", "VERIFY_RESIZE", "ERROR"])
def test_server_that_runs_and_cannot_be_moved_fails(bring: Bring, status: str) -> None:
    """Its guest would be there when the host is taken for empty."""
    nova = Nova(ENABLED)
    nova.present = [[server("a"), server("r", status)]]
    result = bring(nova, "drained", migrate=True)
    assert result["failed"]
    assert f"r (id-r, {status})" in result["msg"]
    assert ["disable"] == [asked[0] for asked in nova.asked]


@pytest.mark.parametrize("status", [404, 409], ids=["deleted", "at work"])
def test_server_that_changes_meanwhile_is_looked_at_again(bring: Bring, status: int) -> None:
    """Its owner may do with it what they like, also between the list and the request."""
    nova = Nova(ENABLED)
    nova.present = [[server("a")], [server("a", "ACTIVE", "deleting")], []]
    nova.refusals = [Refused("POST /servers/id-a/action", status)]
    assert "failed" not in bring(nova, "drained", migrate=True)


def test_server_that_nova_refuses_twice_fails_the_host(bring: Bring) -> None:
    """Nothing has changed between the two."""
    nova = Nova(ENABLED)
    nova.present = [[server("a")]]
    nova.refusals = [Refused("POST /servers/id-a/action: 409 no", 409)] * 2
    result = bring(nova, "drained", migrate=True)
    assert result["failed"]
    assert "409 no" in result["msg"]


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
