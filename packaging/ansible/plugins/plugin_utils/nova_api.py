"""The few requests to nova's API that a rollout makes, by openstacksdk.

openstacksdk finds the cloud and its credentials (clouds.yaml, OS_* variables); its keystoneauth1
gets tokens and renews them, finds the endpoint, and repeats a request that was not delivered.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ClientException, ConnectTimeout
from openstack.config import OpenStackConfig
from openstack.exceptions import SDKException

from . import nova_decisions
from .nova_rollout import Refused

# Pike, of 2017: services and hypervisors have ids that hold in all cells. The newest has no
# /uptime any more, and its answer may be one that was kept from an earlier call.
MICROVERSION = "2.53"
RETRIES = 3
TIMEOUT = 120  # seconds for one request; a listing of ten thousand services takes some


class Compute:
    """Nova, as an operator of a cloud sees it.

    ``shared``: a directory that all processes of one run of Ansible have. ``requests`` counts what
    was asked of nova.
    """

    def __init__(self, cloud: str | None, region: str | None, shared: Path) -> None:
        """Read the settings of a cloud. Raises Refused if there are none, or not enough."""
        self.requests = 0
        self.listing = Listing(shared, f"{cloud} {region}")
        try:
            settings = OpenStackConfig().get_one(cloud=cloud, region_name=region)
            self._compute = Adapter(
                settings.get_session(),
                service_type=settings.get_service_type("compute"),
                service_name=settings.get_service_name("compute"),
                interface=settings.get_interface("compute"),
                region_name=settings.get_region_name("compute"),
                endpoint_override=settings.get_endpoint("compute"),
            )
        except (SDKException, ClientException) as error:
            raise Refused(
                f"no cloud to ask: {error} Name one of clouds.yaml, by `cloud` or OS_CLOUD."
            ) from error

    def service(self, host: str) -> dict[str, Any] | None:
        """Return the compute service of a host, or None; ``updated_at`` may lack.

        What nova says of a hypervisor has it all, but for the last report and whether the service
        is forced down, which one that is up is not. It costs nova one row; a list costs all.
        """
        row = self._hypervisor(host)
        if row is None or row["state"] != "up":
            return nova_decisions.find(self.services(), host)
        more = {"binary": "nova-compute", "status": row["status"], "state": "up"}
        return {**row["service"], **more}

    def services(self) -> list[dict[str, Any]]:
        """Return the compute services, as they are now or were after this was called."""
        return self.listing.take(
            lambda: self._get("/os-services", {"binary": "nova-compute"})["services"]
        )

    def disable(self, service_id: str, reason: str) -> dict[str, Any]:
        """Keep new servers away from a compute service; return it as it is then."""
        return self._set(service_id, {"status": "disabled", "disabled_reason": reason})

    def enable(self, service_id: str) -> dict[str, Any]:
        """Let new servers come to a compute service; return it as it is then."""
        return self._set(service_id, {"status": "enabled"})

    def _set(self, service_id: str, wanted: dict[str, str]) -> dict[str, Any]:
        return self._ask("PUT", f"/os-services/{service_id}", json=wanted).json()["service"]

    def hypervisor(self, host: str) -> str | None:
        """Return the id of a hypervisor that the nova-compute of a host manages, or None."""
        row = self._hypervisor(host)
        return row and str(row["id"])

    def _hypervisor(self, host: str) -> dict[str, Any] | None:
        """Return a hypervisor that the nova-compute of a host manages, or None.

        A hypervisor has the name of the host as a rule, or begins with it, and nova can search by
        its name alone. Otherwise all are looked through.
        """
        for query in ({"hypervisor_hostname_pattern": host}, {}):
            for row in self._pages("/os-hypervisors/detail", query, "hypervisors"):
                if row["service"]["host"] == host:
                    return row
        return None

    def call(self, hypervisor: str, seconds: float) -> str | None:
        """Have nova call the nova-compute of a hypervisor; return why it did not answer, or None.

        Nova's API has one request that nova-compute itself must answer and that changes nothing:
        the time since the host's start. The API puts the call into the queue of the host and
        waits for the answer (rpc_response_timeout). A driver that does not know the time says so,
        which nova passes on as 501: that is an answer as well.
        """
        try:
            # Not repeated here: a call that got no answer leaves one in the host's queue.
            options = {"timeout": seconds, "connect_retries": 0, "status_code_retries": 0}
            self._ask("GET", f"/os-hypervisors/{hypervisor}/uptime", accepted=(501,), **options)
        except Refused as error:
            return str(error)
        return None

    def servers(self, host: str) -> list[dict[str, Any]]:
        """Return the servers on a host, of all projects."""
        query = {"all_tenants": "1", "host": host}
        return list(self._pages("/servers/detail", query, "servers"))

    def migrate(self, server_id: str) -> None:
        """Ask nova to move a running server to another host, which its scheduler selects."""
        wanted = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
        self._ask("POST", f"/servers/{server_id}/action", json=wanted)

    def _pages(self, path: str, query: dict[str, str], name: str) -> Iterator[dict[str, Any]]:
        """Yield the entries of a list that nova may give in parts. None match: 404, no entries."""
        while True:
            page = self._get(path, query, accepted=(404,))
            yield from page.get(name, [])
            if not any(link["rel"] == "next" for link in page.get(f"{name}_links", [])):
                return
            query = {**query, "marker": str(page[name][-1]["id"])}

    def _get(self, path: str, query: dict[str, str], **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", f"{path}?{urlencode(query)}", **options).json()
        return found

    def _ask(self, method: str, path: str, accepted: tuple[int, ...] = (), **options: Any) -> Any:
        """Send one request. Raises Refused unless its status is a success or ``accepted``."""
        self.requests += 1
        settings = {
            "raise_exc": False,
            "microversion": MICROVERSION,
            "timeout": TIMEOUT,
            "connect_retries": RETRIES,
            # What a proxy says, or the API while it is restarted. Repeated if that is harmless.
            "status_code_retries": RETRIES if method in ("GET", "PUT") else 0,
            "retriable_status_codes": [502, 503, 504],
            **options,
        }
        try:
            answer = self._compute.request(path, method, **settings)
        except ConnectTimeout as error:
            seconds = settings["timeout"]
            raise Refused(f"{method} {path}: no answer within {seconds:.0f} seconds") from error
        except (ClientException, SDKException) as error:
            raise Refused(f"{method} {path}: {type(error).__name__}: {error}") from error
        if answer.status_code >= 400 and answer.status_code not in accepted:
            raise Refused(f"{method} {path}: {answer.status_code} {_reason(answer)}")
        return answer


class Listing:
    """One list for all processes that ask at the same time.

    Nova reads all its services to answer for one of them. So while one process asks, the others
    wait, and take its answer if it was begun after they had asked. The file holds nothing secret;
    its directory is the user's alone, and Ansible removes it.
    """

    def __init__(self, directory: Path, cloud: str) -> None:
        name = hashlib.sha256(cloud.encode()).hexdigest()[:16]
        self.file = directory / f"ssd-nova-{name}.json"

    def take(self, ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        """Return a list that was begun to be read after the call. Raises what ``ask`` raises."""
        wanted = time.monotonic()  # the same clock in all processes: clock_gettime(2)
        with open(self.file, "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            kept = json.loads(file.read() or "null")
            if kept and kept["began"] >= wanted:
                rows: list[dict[str, Any]] = kept["rows"]
                return rows
            began = time.monotonic()
            rows = ask()
            file.seek(0)
            file.truncate()
            json.dump({"began": began, "rows": rows}, file)
            return rows


def _reason(answer: Any) -> str:
    """Return what nova says about a refusal: {"badRequest": {"code": 400, "message": ...}}."""
    try:
        (said,) = answer.json().values()
        return str(said["message"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return str(answer.reason)
