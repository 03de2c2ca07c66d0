"""What ssd.daemon.nova_host sends to nova, by openstacksdk, and how it takes the answers."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from conftest import CHECKOUT

pytestmark = [
    pytest.mark.fleet,
    # openstacksdk 4 says it of a setting that it makes itself.
    pytest.mark.filterwarnings("ignore:Support for InfluxDB"),
]

TOKEN = "not-for-logs"
SERVICE = {"binary": "nova-compute", "host": "node1", "id": "s1", "status": "enabled"}
MIGRATE = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
CALL = "/os-hypervisors/h1/uptime"
# As nova 34 words them.
NOT_IMPLEMENTED = {"notImplemented": {"code": 501, "message": "The functionality is missing."}}
UNAVAILABLE = {"badRequest": {"code": 400, "message": "Service is unavailable at this time."}}


class Nova(ThreadingHTTPServer):
    """A server with answers by method and path, each a list of status and body; the last stays."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.headers: list[tuple[str | None, str | None]] = []
        self.gate: threading.Event | None = None
        self.token = TOKEN


class Answering(BaseHTTPRequestHandler):
    """Give one answer."""

    server: Nova

    def do_GET(self) -> None:
        """Answer, whatever the method is."""
        size = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(size)) if size else None
        key = f"{self.command} {self.path.removeprefix('/v2.1')}"
        self.server.asked.append((key, body))
        self.server.headers.append(
            (self.headers.get("X-Auth-Token"), self.headers.get("OpenStack-API-Version"))
        )
        if self.server.gate:
            self.server.gate.wait(60)
        answers = self.server.answers[key]
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Subject-Token", self.server.token)  # keystone's
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_PUT = do_POST = do_GET

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


@pytest.fixture
def nova() -> Iterator[Nova]:
    """Return a server that runs."""
    with Nova() as nova:
        thread = threading.Thread(target=nova.serve_forever)
        thread.start()
        yield nova
        nova.shutdown()
        thread.join()


@pytest.fixture
def compute(nova: Nova, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the client, whose cloud is that server."""
    pytest.importorskip("openstack", reason="scripts/test --fleet installs openstacksdk")
    monkeypatch.syspath_prepend(CHECKOUT / "packaging/ansible/plugins")
    from plugin_utils.nova_api import Compute

    endpoint = f"http://127.0.0.1:{nova.server_address[1]}/v2.1"
    cloud = {"auth_type": "admin_token", "auth": {"endpoint": endpoint, "token": TOKEN}}
    settings = tmp_path / "clouds.yaml"  # YAML has JSON in it
    settings.write_text(json.dumps({"clouds": {"here": cloud}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(settings))
    return Compute("here", None, tmp_path)


@pytest.fixture
def by_password(nova: Nova, tmp_path: Path, compute: Any) -> Any:
    """Return the client of a cloud whose keystone, too, is that server; its catalog has no v2.1."""
    address = f"http://127.0.0.1:{nova.server_address[1]}"
    user = {
        "username": "u",
        "user_domain_name": "d",
        "project_name": "p",
        "project_domain_name": "d",
    }
    auth = {"auth_url": f"{address}/v3", "password": "secret", **user}
    settings = {"clouds": {"here": {"region_name": "r", "auth": auth}}}
    (tmp_path / "clouds.yaml").write_text(json.dumps(settings))
    endpoint = {"id": "e", "interface": "public", "region": "r", "region_id": "r", "url": address}
    catalog = [{"id": "c", "type": "compute", "name": "nova", "endpoints": [endpoint]}]
    token = {"methods": ["password"], "expires_at": "2999-01-01T00:00:00Z", "catalog": catalog}
    link = {"rel": "self", "href": f"{address}/v2.1/"}
    version = {"id": "v2.1", "status": "CURRENT", "links": [link]}
    nova.answers = {
        "GET /v3": [(404, {})],
        "POST /v3/auth/tokens": [(201, {"token": token})],
        "GET /": [(200, {"versions": [version]})],
    }
    return type(compute)("here", None, tmp_path)


def test_endpoint_without_a_version_is_found_out(by_password: Any, nova: Nova) -> None:
    """The catalog may have it so; nova says where 2.1 is."""
    nova.answers["PUT /os-services/s1"] = [(200, {"service": SERVICE})]
    assert SERVICE == by_password.enable("s1")


def test_token_that_has_expired_is_replaced(by_password: Any, nova: Nova) -> None:
    """A rollout may take longer than a token lasts."""
    answer = (200, {"service": SERVICE})
    nova.answers["PUT /os-services/s1"] = [answer, (401, {}), answer]
    by_password.enable("s1")
    nova.token = "another"
    assert SERVICE == by_password.enable("s1")
    assert [TOKEN, TOKEN, "another"] == [token for token, _ in nova.headers if token]


def test_wrong_password_is_named_and_not_shown(by_password: Any, nova: Nova) -> None:
    """By keystone's own words."""
    nova.answers["POST /v3/auth/tokens"] = [(401, {"error": {"code": 401, "message": "Who?"}})]
    with pytest.raises(refused(by_password), match=r"there is no token: Who\?") as raised:
        by_password.enable("s1")
    assert 401 == raised.value.status  # type: ignore[attr-defined]
    assert "secret" not in str(raised.value)


def test_answer_of_something_else_is_refused(compute: Any, nova: Nova) -> None:
    """A proxy's page for a login, for instance, has status 200."""
    nova.answers["PUT /os-services/s1"] = [(200, "Please log in")]
    with pytest.raises(refused(compute), match="answers with something else than nova's API"):
        compute.enable("s1")


def refused(compute: Any) -> type[Exception]:
    """Return the exception of a refusal, from where the client has it."""
    return sys.modules[type(compute).__module__].Refused


def test_services_are_asked_for_with_token_and_version(compute: Any, nova: Nova) -> None:
    """2.53 has ids that hold in all cells."""
    nova.answers = {"GET /os-services?binary=nova-compute": [(200, {"services": [SERVICE]})]}
    assert [SERVICE] == compute.services()
    assert [(TOKEN, "compute 2.53")] == nova.headers


def test_service_that_is_up_costs_nova_one_row(compute: Any, nova: Nova) -> None:
    """Its hypervisor tells. If that is down, the list says whether it is forced down."""
    query = "GET /os-hypervisors/detail?hypervisor_hostname_pattern=node1"
    service = {"id": "s1", "host": "node1", "disabled_reason": None}
    up = {"id": "h1", "state": "up", "status": "enabled", "service": service}
    down = {**SERVICE, "state": "down", "forced_down": True}
    nova.answers = {
        query: [(200, {"hypervisors": [up]}), (200, {"hypervisors": [{**up, "state": "down"}]})],
        "GET /os-services?binary=nova-compute": [(200, {"services": [down]})],
    }
    assert {**SERVICE, "state": "up", "disabled_reason": None} == compute.service("node1")
    assert 1 == len(nova.asked)
    assert down == compute.service("node1")


def test_service_is_set_by_its_id(compute: Any, nova: Nova) -> None:
    """The answer is the service as it is then."""
    nova.answers = {"PUT /os-services/s1": [(200, {"service": SERVICE})]}
    assert SERVICE == compute.disable("s1", "because")
    assert SERVICE == compute.enable("s1")
    bodies = [body for _, body in nova.asked]
    assert [{"status": "disabled", "disabled_reason": "because"}, {"status": "enabled"}] == bodies


def test_request_is_repeated_while_the_api_is_restarted(compute: Any, nova: Nova) -> None:
    """A proxy says 503 then. A migration is not repeated: it may have begun."""
    nova.answers = {
        "PUT /os-services/s1": [(503, {}), (200, {"service": SERVICE})],
        "POST /servers/v1/action": [(503, {})],
    }
    assert SERVICE == compute.enable("s1")
    with pytest.raises(refused(compute), match="POST /servers/v1/action: 503"):
        compute.migrate("v1")
    assert [("POST /servers/v1/action", MIGRATE)] == nova.asked[2:]


def test_request_without_an_answer_is_not_repeated(
    compute: Any, nova: Nova, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times the limit would be longer than anybody has allowed."""
    monkeypatch.setattr(sys.modules[type(compute).__module__], "TIMEOUT", 1)
    nova.gate = threading.Event()
    servers = "GET /servers/detail?all_tenants=1&host=node1"
    nova.answers = {"POST /servers/v1/action": [(202, {})], servers: [(200, {})]}
    try:
        with pytest.raises(refused(compute), match="no answer within 1 seconds"):
            compute.migrate("v1")
        with pytest.raises(refused(compute), match="no answer within 1 seconds"):
            compute.servers("node1")
    finally:
        nova.gate.set()
    assert 2 == len(nova.asked)


def test_request_is_repeated_until_it_is_delivered(
    compute: Any, nova: Nova, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API does not listen for a moment while it is restarted."""
    nova.server_close()
    pauses: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=pauses.append)
    monkeypatch.setattr(sys.modules[type(compute).__module__], "time", clock)
    with pytest.raises(refused(compute), match="Unable to establish connection"):
        compute.enable("s1")
    assert [0.5, 1.0, 2.0] == pauses
    with pytest.raises(refused(compute), match="Unable to establish connection"):
        compute.migrate("v1")
    assert 3 == len(pauses)


def test_refusal_has_the_words_of_nova(compute: Any, nova: Nova) -> None:
    """And not the token."""
    nova.answers = {f"GET {CALL}": [(400, UNAVAILABLE)]}
    assert "GET /os-hypervisors/h1/uptime: 400 Service is unavailable at this time." == (
        compute.call("h1", 10)
    )


@pytest.mark.parametrize(
    "answer", [(200, {"hypervisor": {"uptime": "up 3 days"}}), (501, NOT_IMPLEMENTED)]
)
def test_call_is_answered_also_by_a_driver_without_uptime(
    compute: Any, nova: Nova, answer: tuple[int, Any]
) -> None:
    """nova-compute itself has said so, through its queue."""
    nova.answers = {f"GET {CALL}": [answer]}
    assert None is compute.call("h1", 10)


def test_call_without_an_answer_is_not_repeated(compute: Any, nova: Nova) -> None:
    """Each would wait in the queue of the host."""
    nova.gate = threading.Event()
    nova.answers = {f"GET {CALL}": [(200, {})]}
    try:
        assert f"GET {CALL}: no answer within 1 seconds" == compute.call("h1", 1)
    finally:
        nova.gate.set()
    assert 1 == len(nova.asked)


def test_hypervisor_is_found_by_name_or_in_the_whole_list(compute: Any, nova: Nova) -> None:
    """Its name may be another than that of the host: then all are read, in parts."""
    named = {"id": "h1", "hypervisor_hostname": "node1.example", "service": {"host": "node1"}}
    other = {**named, "id": "h2", "service": {"host": "node11"}}
    ironic = {**named, "id": "h3", "hypervisor_hostname": "uuid", "service": {"host": "node3"}}
    more = [{"rel": "next", "href": "http://proxy/v2.1/os-hypervisors/detail?marker=h1"}]
    detail = "GET /os-hypervisors/detail?"
    nova.answers = {
        f"{detail}hypervisor_hostname_pattern=node1": [(200, {"hypervisors": [other, named]})],
        f"{detail}hypervisor_hostname_pattern=node3": [(404, {"itemNotFound": {}})],
        detail.rstrip("?"): [(200, {"hypervisors": [named], "hypervisors_links": more})],
        f"{detail}marker=h1": [(200, {"hypervisors": [ironic]})],
    }
    assert "h1" == compute.hypervisor("node1")
    assert "h3" == compute.hypervisor("node3")
    nova.answers[detail.rstrip("?")] = [(200, {"hypervisors": []})]
    assert None is compute.hypervisor("node3")


def test_servers_of_all_projects_are_read_in_parts(compute: Any, nova: Nova) -> None:
    """Nova gives a thousand at a time."""
    query = "GET /servers/detail?all_tenants=1&host=node1"
    more = [{"rel": "next", "href": "http://proxy/v2.1/servers/detail?marker=v1"}]
    nova.answers = {
        query: [(200, {"servers": [{"id": "v1"}], "servers_links": more})],
        f"{query}&marker=v1": [(200, {"servers": [{"id": "v2"}]})],
    }
    assert ["v1", "v2"] == [server["id"] for server in compute.servers("node1")]


def test_list_is_shared_by_who_asked_before_it_was_begun(
    compute: Any, nova: Nova, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that was begun earlier may lack what the asker has just done, and is read anew."""
    nova.answers = {"GET /os-services?binary=nova-compute": [(200, {"services": [SERVICE]})]}
    # Asked at 1 and begun at 2; asked at 1.5, while the first waited; asked at 3 and begun at 4.
    moments = iter([1.0, 2.0, 1.5, 3.0, 4.0])
    module = sys.modules[type(compute).__module__]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    counts = []
    for _ in range(3):
        assert [SERVICE] == compute.services()
        counts.append(len(nova.asked))
    assert [1, 1, 2] == counts


def test_refusal_of_a_list_is_shared(
    compute: Any, nova: Nova, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred hosts would wait one after the other for an API that does not answer."""
    nova.answers = {"GET /os-services?binary=nova-compute": [(403, {}), (200, {"services": []})]}
    moments = iter([1.0, 2.0, 1.5, 3.0, 4.0])
    module = sys.modules[type(compute).__module__]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    for _ in range(2):
        with pytest.raises(refused(compute), match="403") as raised:
            compute.services()
        assert 403 == raised.value.status  # type: ignore[attr-defined]
    assert [] == compute.services()
    assert 2 == len(nova.asked)


def test_list_that_was_not_written_to_its_end_is_read_anew(compute: Any, nova: Nova) -> None:
    """Its process was ended meanwhile."""
    nova.answers = {"GET /os-services?binary=nova-compute": [(200, {"services": [SERVICE]})]}
    compute.listing.file.write_text('{"began": 9')
    assert [SERVICE] == compute.services()
