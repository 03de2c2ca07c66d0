"""The files that the lab's programs read."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import uuid
from pathlib import Path
from typing import Any

from lab.layout import HOST, Lab
from lab.services import COMPUTE_QUEUE, consumes, everything
from ssd.service.sources import toml
from ssd.service.sources.shell_values import to_text
from ssd.service.words import quote

PROGRAMS = Path(__file__).resolve().parent / "programs"
BROKER_USER = "nova"
# One for each: a queue's name is topic.host whatever the exchange, so in one virtual host
# ssd-compute and nova-compute of the same host would take each other's calls.
VIRTUAL_HOSTS = ("nova", "ssd")
ERLANG = "usr/lib/erlang"

NOVA = """
[DEFAULT]
# The lines that prove each step of a start are of this level (docs/reference/compute.md).
debug = true
host = {host}
my_ip = 127.0.0.1
state_path = {state}
transport_url = {transport}/nova
# This driver recognizes its node after a restart; fake.FakeDriver refuses its second start.
compute_driver = fake.PredictableNodeUUIDDriver
report_interval = 2
service_down_time = 20
[placement]
# Without keystone. auth_type = none would get 401.
auth_type = admin_token
token = admin
endpoint = http://127.0.0.1:{placement}
[oslo_concurrency]
lock_path = {state}/lock
[vnc]
enabled = false
"""

# Only read by nova-conductor and nova-manage: nova-compute asks the conductor, and must not know
# the databases.
CONDUCTOR = """
[database]
connection = sqlite:///{data}/nova_cell1.sqlite
[api_database]
connection = sqlite:///{data}/nova_api.sqlite
[conductor]
workers = 1
"""

PLACEMENT = """
[api]
auth_strategy = noauth2
[placement_database]
connection = sqlite:///{data}/placement.sqlite
"""

# Where openstacksdk and Ansible find the API and the token.
CLOUDS = """
clouds:
  nova-lab:
    auth_type: admin_token
    auth:
      endpoint: http://127.0.0.1:{api}/v2.1
      token: {token}
"""

BROKER = """
listeners.tcp.1 = 127.0.0.1:{amqp}
load_definitions = {etc}/broker.json
log.console = false
"""

# Debian's erl contains its installed path, but here it is unpacked elsewhere.
ERL = """#!/bin/sh
ROOTDIR={erlang} BINDIR={emulator} EMU=beam PROGNAME=erl
export ROOTDIR BINDIR EMU PROGNAME
exec "$BINDIR/erlexec" "$@"
"""

# What the init script scripts/nova-compute reads in place of /etc/default/nova-compute, and with
# NAME=ssd-compute in its environment.
COMPUTE_DEFAULTS = """
DAEMON={venv}/bin/nova-compute
START_STOP_DAEMON={venv}/bin/ssd
CONFIG_FILE={etc}/nova.conf
STATE_DIR={state}
RUN_DIR={root}/compute/run
LOCK_DIR={root}/compute/lock
CACHE_DIR={root}/compute/cache
LOG_DIR={log}
"""

# nova-compute by its name (ssd-service nova-compute start), in place of the declaration that ssd
# ships with. It does not notify when it is ready, so its declaration has a probe.
COMPUTE_DECLARED = """
#!/usr/bin/env ssd-service
### BEGIN INIT INFO
# Provides:          nova-compute
# Short-Description: nova-compute of the lab
### END INIT INFO
PROJECT_NAME=nova
NAME=nova-compute
DEFAULT_DIR={etc}/default
RETRY=TERM/30/KILL/60
SERVICE_READINESS={readiness}
"""

EMBEDDED = """
[DEFAULT]
host = {host}
state_path = {state}/embedded
transport_url = {transport}/ssd
report_interval = 1
rpc_check_timeout = 300
"""

EMBEDDED_DEFAULTS = """
DAEMON={venv}/bin/ssd-compute
START_STOP_DAEMON={venv}/bin/ssd
CONFIG_FILE={etc}/ssd-compute.conf
START_ARGS="--notify-await --notify-timeout=600"
STATE_DIR={state}/embedded
RUN_DIR={root}/compute/run
LOCK_DIR={root}/compute/lock
CACHE_DIR={root}/compute/cache
LOG_DIR={log}
"""


def fingerprint(lab: Lab) -> object:
    """Return the inputs of the settings."""
    sources = [Path(__file__), *sorted(PROGRAMS.glob("*.py"))]
    declared = [toml.write(service) for service in everything(lab)]
    return lab.ports, declared, [file.read_text() for file in sources]


def write(lab: Lab) -> None:
    """Write every file, with a new password for the broker, and make the directories."""
    _make_directories(lab)
    words = _words(lab)
    gid = lab.account().pw_gid
    for name, text, mode in (
        ("nova.conf", NOVA, 0o640),
        ("conductor.conf", CONDUCTOR, 0o640),
        ("placement/placement.conf", PLACEMENT, 0o640),
        ("rabbitmq.conf", BROKER, 0o640),
        ("broker.json", "{definitions}", 0o640),
        ("api-paste.ini", _pipelines(lab).replace("{", "{{").replace("}", "}}"), 0o640),
        ("token", "{token}\n", 0o640),
        ("clouds.yaml", CLOUDS, 0o600),
        ("ssd-compute.conf", EMBEDDED, 0o640),
        ("default/nova-compute", COMPUTE_DEFAULTS, 0o644),
        ("default/ssd-compute", EMBEDDED_DEFAULTS, 0o644),
        ("ssd/nova-compute", COMPUTE_DECLARED, 0o644),
    ):
        file = lab.etc / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.format(**words).lstrip())
        file.chmod(mode)
        os.chown(file, 0, gid)
    for service in everything(lab):
        (lab.etc / "ssd" / f"{service.name}.toml").write_text(toml.write(service))
    _write_erl(lab, words)
    for program in PROGRAMS.glob("*.py"):
        shutil.copy(program, lab.bin)  # the checkout may be closed to the services' user
    # nova's driver reads the node's identity from here, and refuses to make one if the database
    # knows the host already.
    (lab.state / "compute_id").write_text(str(uuid.uuid5(uuid.NAMESPACE_DNS, HOST)))


def _pipelines(lab: Lab) -> str:
    """Return nova's own pipelines of its API, without the filter that asks keystone."""
    return (lab.venv / "etc/nova/api-paste.ini").read_text().replace(" authtoken ", " ")


def _write_erl(lab: Lab, words: dict[str, object]) -> None:
    """Write the program erl into the lab, and over Debian's if that is unpacked here.

    Without a port mapper a broker starts one by the erl beside its emulator.
    """
    for directory in (lab.bin, *lab.debian.glob(f"{ERLANG}/erts-*/bin")):
        (directory / "erl").write_text(ERL.format(**words))
        (directory / "erl").chmod(0o755)


def _make_directories(lab: Lab) -> None:
    account = lab.account()
    for directory in (lab.bin, lab.etc, lab.run, lab.root / "compute"):
        directory.mkdir(exist_ok=True)
    for directory in (lab.data, lab.data / "broker", lab.state, lab.state / "embedded", lab.log):
        directory.mkdir(exist_ok=True)
        os.chown(directory, account.pw_uid, account.pw_gid)
    # The broker makes its user and virtual host, with the password, at its first start only.
    shutil.rmtree(lab.data / "broker" / "mnesia", ignore_errors=True)


def _words(lab: Lab) -> dict[str, object]:
    """Return the values for the texts above."""
    password = secrets.token_hex(16)
    address = f"127.0.0.1:{lab.ports['amqp']}"
    erlang = lab.debian / ERLANG
    if not erlang.exists():  # the machine has an Erlang of its own, so none was unpacked
        erlang = Path("/") / ERLANG
    emulator = next(iter(sorted(erlang.glob("erts-*/bin"))), erlang)
    return {
        **{name: getattr(lab, name) for name in ("root", "venv", "etc", "data", "state", "log")},
        **lab.ports,
        "host": HOST,
        "definitions": json.dumps(_definitions(password), indent=1),
        "transport": f"rabbit://{BROKER_USER}:{password}@{address}",
        "erlang": erlang,
        "emulator": emulator,
        "token": secrets.token_hex(16),
        "readiness": quote(to_text("readiness", consumes(lab, COMPUTE_QUEUE))),
    }


def _definitions(password: str) -> dict[str, Any]:
    """Return the broker's user and virtual hosts, as RabbitMQ's definitions have them."""
    salt = secrets.token_bytes(4)  # its password hash: salt, then SHA-256 of salt and password
    hashed = base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "users": [{"name": BROKER_USER, "password_hash": hashed, "tags": ""}],
        "vhosts": [{"name": name} for name in VIRTUAL_HOSTS],
        "permissions": [
            {"user": BROKER_USER, "vhost": name, **everything} for name in VIRTUAL_HOSTS
        ],
    }
