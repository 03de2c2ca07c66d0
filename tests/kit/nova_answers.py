"""Nova as ssd.daemon.nova_host sees it, with answers that a test gives."""

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
        self.refusals: list[Refused] = []
        self.away = 0  # how many times more it refuses to enable

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
        if self.away:
            self.away -= 1
            raise Refused("PUT /os-services: 503", 503)
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
        if self.refusals:
            raise self.refusals.pop(0)


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
