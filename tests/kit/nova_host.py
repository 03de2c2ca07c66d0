"""The lab's machine as a compute host that Ansible reaches by ssh, and nova's API beside it.

The machine has namespaces of its own for processes and mounts, and our network: broker, conductor,
placement and API stay on loopback, and so does its sshd.
"""

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab.layout import HOST, free_ports
from lab.machine import WAIT_TIMEOUT, Machine
from lab.watching import until

from kit import ssh_files
from kit.ssh_hosts import PATH, ansible_programs

BEHIND = "behind"  # a host that a rollout would come to next; nothing answers there

# $1: the layer with Debian's sshd and its users; $2: the host's own layer; $3: settings. The mounts
# are seen by sshd and by what it starts.
_SSHD = """
mount -t overlay -o "lowerdir=$2/etc:$1/etc:/etc" overlay /etc
mount -t overlay -o "lowerdir=$2/usr:$1/usr:/usr" overlay /usr
mkdir -p /run/sshd
: > /var/log/lastlog # or a complaint about it would stand in the output of each command
exec /usr/sbin/sshd -D -e -f "$3"
"""
_INVENTORY = """
[compute]
{host} ansible_port={port}
{behind} ansible_port=1
[compute:vars]
ansible_host=127.0.0.1
ansible_user=root
ansible_remote_tmp=/run/ansible
ansible_python_interpreter=/usr/bin/python3
"""


class NovaHost:
    """The host, and Ansible on the controller, which is this machine."""

    def __init__(self, machine: Machine, directory: Path, collections: Path) -> None:
        self.machine = machine
        self.lab = machine.lab
        self.directory = directory
        self._collections = collections

    # Nova's API -------------------------------------------------------------------------

    def _ask(self, path: str, method: str = "GET", body: Mapping[str, Any] | None = None) -> Any:
        asking = urllib.request.Request(
            f"http://127.0.0.1:{self.lab.ports['api']}/v2.1{path}",
            method=method,
            data=json.dumps(body).encode() if body else None,
            headers={
                "X-Auth-Token": self.token(),
                "OpenStack-API-Version": "compute 2.53",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(asking, timeout=WAIT_TIMEOUT) as answer:
            return json.load(answer)

    def service(self) -> dict[str, Any]:
        """Return the compute service as nova lists it."""
        (row,) = self._ask(f"/os-services?host={HOST}&binary=nova-compute")["services"]
        return row

    def set(self, **wanted: Any) -> None:
        """Change the compute service, as an operator would."""
        self._ask(f"/os-services/{self.service()['id']}", "PUT", wanted)

    def token(self) -> str:
        """Return the token of the lab's administrator."""
        return (self.lab.etc / "token").read_text().strip()

    def requests(self, since: int = 0) -> list[str]:
        """Return method and path of the requests that the API has answered."""
        lines = (self.lab.log / "api.out").read_text().splitlines()
        asked = [line.split('"')[1] for line in lines if "nova.api.openstack.requestlog" in line]
        return asked[since:]

    def migrations(self, server_id: str) -> list[dict[str, Any]]:
        """Return what nova has noted of the migrations of a server."""
        return self._ask(f"/os-migrations?instance_uuid={server_id}")["migrations"]

    def restart_api(self) -> None:
        """Have nova's API read its settings anew."""
        self.machine.nova_lab("stop", "api")
        self.machine.nova_lab("start", "api")

    # Ansible ----------------------------------------------------------------------------

    def environment(self, **more: str) -> dict[str, str]:
        """Return the variables of Ansible on the controller."""
        return {
            "PATH": f"{ansible_programs()}:{PATH}",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.directory),
            "ANSIBLE_HOME": str(self.directory),
            "ANSIBLE_INVENTORY": str(self.directory / "inventory"),
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_SSH_ARGS": f"-F {self.directory}/ssh_config -o ControlMaster=no",
            "ANSIBLE_COLLECTIONS_PATH": str(self._collections),
            "OS_CLIENT_CONFIG_FILE": str(self.lab.etc / "clouds.yaml"),
            **more,
        }

    def rollout(self, report: str, *words: str, hosts: str = HOST) -> list[str]:
        """Return the words of a rollout; its report is the directory of this name."""
        settings = {
            "rolling_restart_hosts": hosts,
            "rolling_restart_directory": str(self.lab.etc / "ssd"),
            "rolling_restart_report": str(self.directory / report),
            "rolling_restart_soak": 0,
            "rolling_restart_nova_cloud": "nova-lab",
        }
        return ["ansible-playbook", "ssd.daemon.nova_compute", "-e", json.dumps(settings), *words]

    def run(self, words: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run one of Ansible's programs to its end."""
        return subprocess.run(
            words,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=WAIT_TIMEOUT,
        )

    def report(self, name: str) -> dict[str, dict[str, Any]]:
        """Return the records of a rollout by host."""
        report = json.loads((self.directory / name / "report.json").read_text())
        return {record["host"]: record for record in report["hosts"]}


@contextmanager
def nova_host(machine: Machine, directory: Path, collections: Path) -> Iterator[NovaHost]:
    """Yield the machine as a host: its sshd listens, and nova's API answers.

    Skips where Ansible's Python has no openstacksdk.
    """
    python = ansible_programs() / "python"
    if subprocess.run([python, "-c", "import openstack"], capture_output=True).returncode:
        pytest.skip("openstacksdk is missing: scripts/test --nova installs it")
    _write(directory, port := free_ports(1)[0])
    layers = [directory / "packages", directory / "hosts" / HOST / "root"]
    words = ["unshare", "--mount", "sh", "-ec", _SSHD, "sh", *layers, directory / "sshd_config"]
    log = directory / "log"
    log.mkdir()
    machine.nova_lab("start", "api")
    with (log / "sshd").open("w") as errors:
        sshd = subprocess.Popen(machine.enter(words), stdin=subprocess.DEVNULL, stderr=errors)
    try:
        listens = until(lambda: f"port {port}" in (log / "sshd").read_text(), log, WAIT_TIMEOUT)
        assert listens, (log / "sshd").read_text()
        yield NovaHost(machine, directory, collections)
    finally:
        sshd.terminate()
        sshd.wait(WAIT_TIMEOUT)
        machine.nova_lab("stop", "api")


def _write(directory: Path, port: int) -> None:
    """Write keys, settings and the inventory."""
    ssh_files.write(directory, {HOST: ssh_files.SSD})
    usual = (directory / "packages/etc/ssh/sshd_config").read_text()
    own = usual.replace("Port 22", f"Port {port}").replace("0.0.0.0", "127.0.0.1")
    (directory / "sshd_config").write_text(own)
    key = (directory / "hosts" / HOST / "root/etc/ssh/ssh_host_ed25519_key.pub").read_text()
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {key}")
    inventory = _INVENTORY.format(host=HOST, port=port, behind=BEHIND)
    (directory / "inventory").write_text(inventory)
    os.chmod(directory, 0o755)
