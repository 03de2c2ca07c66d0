"""Capabilities, securebits and logins of units."""

from typing import Any

import pytest

from ssd.service import DeclarationError
from ssd.surroundings.capabilities import CAPABILITIES, inheritance

from ..conftest import TellUnit

ALL = (1 << len(CAPABILITIES)) - 1


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("AmbientCapabilities=CAP_NET_BIND_SERVICE cap_kill",
         {"capabilities": "^cap_kill,^cap_net_bind_service"}),
        ("AmbientCapabilities=CAP_KILL CAP_CHOWN\nAmbientCapabilities=~CAP_KILL",
         {"capabilities": "^cap_chown"}),
        ("AmbientCapabilities=CAP_KILL\nAmbientCapabilities=", {}),
        ("CapabilityBoundingSet=~CAP_SYS_ADMIN", {"capabilities": "!cap_sys_admin"}),
        ("CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=~", {}),
        ("NoNewPrivileges=yes", {"no_new_privs": True}),
        ("SecureBits=noroot\nSecureBits=keep-caps", {"securebits": "noroot keep-caps"}),
        ("User=web", {"user": "web", "login": True}),
        ("User=root", {"login": True}),
    ],
)  # fmt: skip
def test_privileges_are_fields(text: str, fields: dict[str, Any], unit: TellUnit) -> None:
    """As systemd.exec(5) adds lines and takes them away."""
    service, notes = unit(text)
    made = service.to_dict()
    for name in ("name", "executable", "stop_schedule", "kill_mode"):
        made.pop(name)
    assert fields == made
    assert [] == notes


def test_bounding_set_blocks_the_others(unit: TellUnit) -> None:
    """All of them, if it is empty."""
    service, _ = unit("CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=CAP_CHOWN")
    kept = 1 << CAPABILITIES.index("kill") | 1 << CAPABILITIES.index("chown")
    assert ALL & ~kept == inheritance(str(service.capabilities)).blocked
    service, _ = unit("CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=")
    assert ALL == inheritance(str(service.capabilities)).blocked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("AmbientCapabilities=CAP_FLY", "AmbientCapabilities: no capability is named 'CAP_FLY'"),
        ("SecureBits=roots", "SecureBits: must be a number, or some of"),
    ],
)
def test_unknown_privilege_is_an_error(text: str, said: str, unit: TellUnit) -> None:
    """With its line."""
    with pytest.raises(DeclarationError) as caught:
        unit(text)
    assert said in str(caught.value)
