"""What services need beyond a program that is executed, by their declarations."""

from typing import Any

import pytest

from ssd.service import Service
from ssd.supervision.readiness import needs


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({}, ""),
        ({"readiness": {"timeout": 5}}, ""),
        ({"readiness": {"kind": "notify"}}, "gate notifications"),
        ({"readiness": {"kind": "pidfile"}}, "gate"),
        ({"background": False}, "gate background"),
        ({"expect": "daemon"}, "gate background"),
        ({"expect": "stop"}, "gate"),
        ({"watchdog": 5}, "notifications checks"),
        ({"health": {"kind": "port", "address": "80"}}, "checks"),
        ({"health": {"interval": 5}}, ""),
    ],
)
def test_needs_follow_from_the_declaration(fields: dict[str, Any], needed: str) -> None:
    """Each is a question of its own."""
    service = Service(name="web", **fields)
    asked = (needs.gate, needs.background, needs.notifications, needs.checks)
    assert needed.split() == [each.__name__ for each in asked if each(service)]


def test_question_makes_no_defaults() -> None:
    """A thousand services would have a thousand tables of them."""
    service = Service(name="web")
    assert not needs.gate(service) and not needs.checks(service)
    assert not needs.declares(service, "readiness") and not needs.declares(service, "health")
