"""nova's API in the lab: started on request, for whoever has the token."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
from lab import entry_points
from lab.entry_points import Compute
from lab.layout import HOST
from lab.machine import Machine

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),
]


@pytest.fixture(scope="module")
def api(machine: Machine) -> Iterator[Machine]:
    """Return the machine with nova's API in it."""
    before = machine.nova_lab("status").stdout
    assert "nova-lab: api is not running" in before, "up has started it"
    machine.nova_lab("start", "api")
    yield machine
    machine.nova_lab("stop", "api")


def get(machine: Machine, path: str, token: str = "") -> dict:
    """Return what the API answers to a GET."""
    address = f"http://127.0.0.1:{machine.lab.ports['api']}{path}"
    headers = {"X-Auth-Token": token, "OpenStack-API-Version": "compute 2.53"}
    asking = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(asking, timeout=300) as answer:
        return json.load(answer)


def test_api_lists_the_compute_service(api: Machine) -> None:
    """The one that reports to the database, for an administrator."""
    compute = Compute(api, entry_points.declared(api.lab))
    token = (api.lab.etc / "token").read_text().strip()
    try:
        compute.verb("start")
        compute.await_heartbeats(1)
        (row,) = get(api, "/v2.1/os-services", token)["services"][-1:]
        (node,) = get(api, "/v2.1/os-hypervisors/detail", token)["hypervisors"]
    finally:
        compute.verb("stop")
    assert ("nova-compute", HOST, "up") == (row["binary"], row["host"], row["state"])
    assert row["id"] == node["service"]["id"]


def test_request_without_the_token_is_refused(api: Machine) -> None:
    """The documents about versions are for everyone, as nova's are."""
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(api, "/v2.1/os-services", "guessed")
    assert "v2.1" == get(api, "/v2.1/")["version"]["id"]


def test_token_is_closed_to_others(api: Machine) -> None:
    """The services' user reads it, and root alone reads what names it for clients."""
    modes = {name: (api.lab.etc / name).stat().st_mode & 0o777 for name in ("token", "clouds.yaml")}
    assert {"token": 0o640, "clouds.yaml": 0o600} == modes
    token = (api.lab.etc / "token").read_text().strip()
    assert re.search(rf"^      token: {token}$", (api.lab.etc / "clouds.yaml").read_text(), re.M)
