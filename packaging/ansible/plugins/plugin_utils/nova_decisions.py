"""What a rollout decides about a compute host, from what nova's API tells. Values only, no I/O.

Rules:

* The truth is kept in nova. A service that a rollout has disabled carries the rollout's mark as
  its ``disabled_reason``; there is no other memory, so an interrupted rollout can be resumed.
* Only a service that carries this rollout's mark is enabled again. One that was disabled before,
  or that somebody disables meanwhile with another reason, stays disabled.
* A service is back if it has reported since the restart, is up, and has answered a call.
"""

from __future__ import annotations

from typing import Any, NamedTuple

MARK = "ssd.daemon rolling_restart, rollout "
REASON_LENGTH = 255  # characters that nova accepts

# The states in which nova migrates a server while it runs. It refuses in every other.
MOVABLE = ("ACTIVE", "PAUSED")
# A state that passes by itself, also while no task is named.
PASSING = "BUILD"
# OS-EXT-STS:power_state of a server that has a guest: it runs, or is paused.
ALIVE = (1, 3)


class Service(NamedTuple):
    """A compute service. ``updated_at``: the time of its last report, or None if not known."""

    id: str
    host: str
    enabled: bool
    up: bool
    updated_at: str | None
    reason: str | None
    forced_down: bool


class Server(NamedTuple):
    """A server (an instance) on a host. ``task``: what nova does with it, None if nothing.

    ``host`` is None where nova does not tell the user. ``alive``: it has a guest in memory.
    """

    id: str
    name: str
    status: str
    task: str | None
    host: str | None
    alive: bool


def service(row: dict[str, Any]) -> Service:
    """Return a service from an entry of GET /os-services."""
    return Service(
        id=str(row["id"]),
        host=row["host"],
        enabled=row["status"] == "enabled",
        up=row.get("state") == "up",
        updated_at=row.get("updated_at"),
        reason=row.get("disabled_reason"),
        forced_down=bool(row.get("forced_down")),
    )


def server(row: dict[str, Any]) -> Server:
    """Return a server from an entry of GET /servers/detail."""
    return Server(
        id=row["id"],
        name=row["name"],
        status=row["status"],
        task=row.get("OS-EXT-STS:task_state"),
        host=row.get("OS-EXT-SRV-ATTR:host"),
        alive=row.get("OS-EXT-STS:power_state") in ALIVE,
    )


def find(rows: list[dict[str, Any]], host: str) -> dict[str, Any] | None:
    """Return the entry of GET /os-services for the compute service of a host, or None.

    A cell that does not answer gives rows without a state, which say nothing.
    """
    for row in rows:
        if (row["binary"], row["host"]) == ("nova-compute", host) and "state" in row:
            return row
    return None


def facts(service: Service) -> dict[str, Any]:
    """Return what a result shows of a service."""
    return {
        "status": "enabled" if service.enabled else "disabled",
        "state": "up" if service.up else "down",
        "updated_at": service.updated_at,
        "disabled_reason": service.reason,
    }


def unknown(host: str) -> str:
    """Return the sentence about a host that nova does not know."""
    return (
        f"nova has no compute service of host {host}: compare with `openstack compute service"
        " list`, and name the host as nova.conf does (rolling_restart_nova_host)"
    )


def forced_down(host: str) -> str:
    """Return the sentence about a host that is forced down: it could not be seen to come back."""
    return (
        f"the compute service of {host} is forced down, as for an evacuation; leave the host out,"
        f" or first: openstack compute service set --up {host} nova-compute"
    )


def mark(rollout: str) -> str:
    """Return the reason that marks what a rollout has disabled. Raises ValueError: too long."""
    reason = f"{MARK}{rollout}"
    if len(reason) > REASON_LENGTH:
        raise ValueError(f"rollout: at most {REASON_LENGTH - len(MARK)} characters")
    return reason


def whose(service: Service, mark: str) -> str | None:
    """Return who has disabled a service: "rollout", this one; "other"; None: it is enabled."""
    if service.enabled:
        return None
    return "rollout" if service.reason == mark else "other"


def stays_disabled(service: Service) -> str:
    """Return the sentence about a service that this rollout does not enable."""
    if (service.reason or "").startswith(MARK):
        return (
            f"another rollout has disabled it ({service.reason}): resume that one, or enable it by"
            f" openstack compute service set --enable {service.host} nova-compute"
        )
    reason = f" ({service.reason})" if service.reason else ""
    return f"not by this rollout{reason}, so it stays disabled"


def has_reported(service: Service, before: Service) -> bool:
    """Tell whether a service is up and has reported since ``before`` was read.

    Both times are of nova's clock, so the controller's and the host's do not matter. "up" alone
    proves nothing: it lasts for service_down_time, 60 seconds, after the last report.
    """
    return service.up and service.updated_at not in (None, before.updated_at)


def silent(service: Service) -> str:
    """Return how a service looks that has not reported since the restart."""
    state = "up" if service.up else "down"
    last = service.updated_at or "never"
    return f"it answers, but has not reported since then (state {state}, last report {last})"


def unfiltered(host: str) -> str:
    """Return the sentence about a list with servers of other hosts, or of nobody knows which.

    Nova leaves a filter out, and says nothing, if the user may not filter by it.
    """
    return (
        f"nova lists servers that are not known to be on {host}, and none was moved: the user needs"
        " nova's policies os_compute_api:servers:allow_all_filters and"
        " os_compute_api:os-extended-server-attributes"
    )


def to_move(servers: list[Server], asked: set[str]) -> list[Server]:
    """Return the servers to ask live migration for: they run, and have not been asked for."""
    return [
        each
        for each in servers
        if each.status in MOVABLE and each.task is None and each.id not in asked
    ]


def refusing(servers: list[Server], asked: set[str]) -> list[Server]:
    """Return the servers whose migration has failed: nova has given up, and they are still here.

    The API marks a server as migrating before it answers, so one that was asked for and has no
    task was tried.
    """
    return [each for each in servers if each.id in asked and each.task is None]


def moving(servers: list[Server]) -> list[Server]:
    """Return the servers to wait for."""
    return [each for each in servers if each.task is not None or each.status == PASSING]


def stuck(servers: list[Server]) -> list[Server]:
    """Return the servers that have a guest, and that nova does not move as they are.

    One to be rescued, one whose resize is to be confirmed, one in error.
    """
    busy = {*MOVABLE, PASSING}
    return [
        each for each in servers if each.task is None and each.alive and each.status not in busy
    ]


def resting(servers: list[Server]) -> list[str]:
    """Return the names of those that stay: they do not run, and a restart does not touch them."""
    busy = {*MOVABLE, PASSING}
    return sorted(each.name for each in servers if each.task is None and each.status not in busy)
