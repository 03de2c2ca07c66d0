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

try:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.exceptions import (
        ClientException,
        ConnectFailure,
        ConnectTimeout,
        HttpError,
    )
    from openstack.config import OpenStackConfig
    from openstack.exceptions import SDKException
except ImportError as error:
    LACKING: str | None = str(error)
else:
    LACKING = None

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
            session = settings.get_session()
            # For keystone, too. It is without a limit unless clouds.yaml has api_timeout.
            session.timeout = session.timeout or TIMEOUT
            self._compute = Adapter(
                session,
                service_type=settings.get_service_type("compute"),
                service_name=settings.get_service_name("compute"),
                interface=settings.get_interface("compute"),
                region_name=settings.get_region_name("compute"),
                endpoint_override=settings.get_endpoint("compute"),
                # For an endpoint without a version: then nova is asked where it has this one.
                min_version="2.1",
                max_version="2.latest",
            )
        except (SDKException, ClientException) as error:
            raise Refused(
                f"no cloud to ask ({str(error).rstrip('.')}): name one of the controller's"
                " clouds.yaml, by OS_CLOUD or rolling_restart_nova_cloud (`cloud` of the task),"
                " or set OS_AUTH_URL and the other variables OS_*"
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
        return self._read("PUT", f"/os-services/{service_id}", json=wanted)["service"]

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
            path = f"/os-hypervisors/{hypervisor}/uptime"
            self._ask("GET", path, accepted=(501,), timeout=seconds, repeats=0)
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
        return self._read("GET", f"{path}?{urlencode(query)}", **options)

    def _read(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """Send one request; return the object that answers it. Raises Refused if none does."""
        answer = self._ask(method, path, **options)
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            where = f"{answer.url} answers with something else than nova's API does"
            raise Refused(f"{method} {path}: {where}: compare with `openstack endpoint list`")
        return found

    def _ask(self, method: str, path: str, accepted: tuple[int, ...] = (), **options: Any) -> Any:
        """Send one request. Raises Refused unless its status is a success or ``accepted``."""
        self.requests += 1
        settings = {
            "raise_exc": False,
            "microversion": MICROVERSION,
            "timeout": TIMEOUT,
            # What a proxy says, or the API while it is restarted. A migration may have begun.
            "repeats": RETRIES if method in ("GET", "PUT") else 0,
            "retriable_status_codes": [502, 503, 504],
            **options,
        }
        try:
            answer = self._deliver(path, method, **settings)
        except ConnectTimeout as error:
            # Nova's, or keystone's while it was asked for a token.
            why = f"no answer within {settings['timeout']:.0f} seconds"
            raise Refused(f"{method} {path}: {why if path in str(error) else error}") from error
        except HttpError as error:  # keystone's; those of nova are not raised
            status = error.http_status
            raise Refused(f"{method} {path}: there is no token: {error}", status) from error
        except (ClientException, SDKException) as error:
            raise Refused(f"{method} {path}: {type(error).__name__}: {error}") from error
        if (status := answer.status_code) >= 400 and status not in accepted:
            raise Refused(f"{method} {path}: {status} {_reason(answer)}", status)
        return answer

    def _deliver(self, path: str, method: str, repeats: int, **settings: Any) -> Any:
        """Send a request, and again if it was not delivered.

        Not if no answer came in time: that has taken long enough, and keystoneauth1, which can
        repeat as well, does not tell the two apart.
        """
        for pause in [*(0.5 * 2**count for count in range(repeats)), None]:
            try:
                return self._compute.request(
                    path, method, connect_retries=0, status_code_retries=repeats, **settings
                )
            except ConnectFailure as error:
                if pause is None or isinstance(error, ConnectTimeout):
                    raise
                time.sleep(pause)


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
        """Return a list that was begun to be read after the call. Raises what ``ask`` raises.

        A refusal is shared as well: of an API that does not answer, each would wait for its own
        turn to wait in vain.
        """
        wanted = time.monotonic()  # the same clock in all processes: clock_gettime(2)
        with open(self.file, "a+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            kept = _parsed(file.read())
            if kept and kept["began"] >= wanted:
                return _given(kept)
            began = time.monotonic()
            try:
                kept = {"began": began, "rows": ask(), "refused": None}
            except Refused as error:
                kept = {"began": began, "rows": [], "refused": (str(error), error.status)}
            file.seek(0)
            file.truncate()
            file.write(json.dumps(kept))
            return _given(kept)


def _parsed(text: str) -> Any:
    """Return what a process has left in the file; None if it was ended before it had written."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def _given(kept: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of an answer, or raise its refusal."""
    if kept["refused"]:
        raise Refused(*kept["refused"])
    rows: list[dict[str, Any]] = kept["rows"]
    return rows


def _reason(answer: Any) -> str:
    """Return what nova says about a refusal: {"badRequest": {"code": 400, "message": ...}}."""
    try:
        (said,) = answer.json().values()
        return str(said["message"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return str(answer.reason)
