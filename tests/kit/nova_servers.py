"""A server in the lab's nova: its record, as nova's own objects write it, and no guest.

Nova asks neutron for the security groups of each server that it shows; one that knows none answers.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from subprocess import PIPE
from typing import Any

from lab.layout import HOST
from lab.machine import WAIT_TIMEOUT

from kit.nova_host import NovaHost

# On a hypervisor that is gone: so the conductor gives up a migration without a scheduler.
_RECORD = """
import sys, uuid
from nova import config, context, objects
from nova.compute import power_state, vm_states
from nova.network.model import NetworkInfo
from oslo_utils import timeutils
name, host, *files = sys.argv[1:]
config.parse_args(["record"], default_config_files=files)
objects.register_all()
ask = context.get_admin_context()
whose = {"project_id": "owners", "user_id": "owners"}
sizes = {"memory_mb": 64, "vcpus": 1, "root_gb": 0, "ephemeral_gb": 0}
(cell,) = [each for each in objects.CellMappingList.get_all(ask) if not each.is_cell0()]
flavor = objects.Flavor(
    ask, **sizes, flavorid=name, name=name, swap=0, rxtx_factor=1.0, vcpu_weight=0,
    disabled=False, is_public=True, extra_specs={},
)
flavor.create()
with context.target_cell(ask, cell) as there:
    (node,) = objects.ComputeNodeList.get_all_by_host(there, host)
    server = objects.Instance(
        there, **whose, **sizes, uuid=str(uuid.uuid4()), display_name=name, hostname=name,
        host=host, launched_on=host, node="gone", compute_id=node.id, vm_state=vm_states.ACTIVE,
        power_state=power_state.RUNNING, image_ref="", flavor=flavor, old_flavor=None,
        new_flavor=None, system_metadata={}, metadata={}, launched_at=timeutils.utcnow(),
        info_cache=objects.InstanceInfoCache(network_info=NetworkInfo([])),
    )
    server.create()
objects.InstanceMapping(
    ask, **whose, instance_uuid=server.uuid, cell_mapping=cell, queued_for_delete=False
).create()
image = objects.ImageMeta.from_dict({"properties": {}})
objects.RequestSpec.from_components(
    ask, server.uuid, image, flavor, None, None, {}, None, None
).create()
print("server", server.uuid, flush=True)
sys.stdin.read()
with context.target_cell(ask, cell) as there:
    objects.Instance.get_by_uuid(there, server.uuid).destroy()
flavor.destroy()
"""
_NEUTRON = """
[neutron]
auth_type = admin_token
token = none
endpoint = http://127.0.0.1:{}
"""


class _Nothing(BaseHTTPRequestHandler):
    """Answer that there is none of what is asked for."""

    def do_GET(self) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        text = json.dumps({name.replace("-", "_"): []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: Any) -> None:
        """Print nothing."""


@contextmanager
def running_server(host: NovaHost, name: str) -> Iterator[str]:
    """Yield the id of a server that runs on the host, as far as nova knows.

    Nova's API is restarted with a neutron, and without it at the end.
    """
    settings = host.lab.etc / "conductor.conf"
    usual = settings.read_text()
    files = [host.lab.etc / "nova.conf", settings]
    words = [host.lab.command("python"), "-c", _RECORD, name, HOST, *files]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Nothing) as neutron:
        thread = threading.Thread(target=neutron.serve_forever)
        thread.start()
        settings.write_text(usual + _NEUTRON.format(neutron.server_address[1]))
        try:
            host.restart_api()
            with subprocess.Popen(host.machine.enter(words), stdin=PIPE, stdout=PIPE) as record:
                told = (line.decode().split() for line in record.stdout)
                yield next(words[1] for words in told if words[:1] == ["server"])
                record.communicate(timeout=WAIT_TIMEOUT)
            assert 0 == record.returncode, "the record is left"
        finally:
            settings.write_text(usual)
            neutron.shutdown()
            thread.join()
            host.restart_api()
