"""What is said to NOTIFY_SOCKET."""

import socket
import uuid

import pytest
from kit.children import PATIENCE


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path):
    """Return an address and the datagram socket that listens there."""
    abstract = f"@ssd-test-{uuid.uuid4().hex}"
    address = str(tmp_path / "notify") if request.param == "path" else abstract
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(PATIENCE)
        channel.bind(address.replace("@", "\0", 1) if request.param == "abstract" else address)
        yield address, channel


def test_notifier_sends_one_message_a_state(listener) -> None:
    """READY, RELOADING with its clock, STOPPING, as sd_notify(3) spells them."""
    from ssd.compute.launcher import Notifier

    address, channel = listener
    notifier = Notifier(address)
    assert [True, True, True] == [notifier.ready(), notifier.reloading(), notifier.stopping()]
    assert b"READY=1" == channel.recv(100)
    reloading = channel.recv(100).split(b"\n")
    assert b"RELOADING=1" == reloading[0]
    assert reloading[1].startswith(b"MONOTONIC_USEC=")
    assert b"STOPPING=1" == channel.recv(100)


def test_address_is_taken_out_of_the_environment() -> None:
    """No child may speak in the service's name."""
    from ssd.compute.launcher import Notifier

    environment = {"NOTIFY_SOCKET": "@somebody"}
    assert "@somebody" == Notifier.from_environment(environment).address
    assert {} == environment


def test_notifier_without_listener_is_no_failure(tmp_path) -> None:
    """Neither without an address nor when the listener has gone."""
    from ssd.compute.launcher import Notifier

    assert not Notifier.from_environment({}).ready()
    assert not Notifier(str(tmp_path / "gone")).stopping()
