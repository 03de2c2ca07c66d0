"""The launcher takes every signal, and its notifier sends to NOTIFY_SOCKET."""

import queue
import signal
import socket
import uuid

import pytest
from kit.children import WAIT_TIMEOUT


@pytest.fixture(params=["path", "abstract"])
def listener(request, tmp_path):
    """Return an address and the datagram socket that listens there."""
    abstract = f"@ssd-test-{uuid.uuid4().hex}"
    address = str(tmp_path / "notify") if request.param == "path" else abstract
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.settimeout(WAIT_TIMEOUT)
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
    """A child must not send in the name of the service."""
    from ssd.compute.launcher import Notifier

    environment = {"NOTIFY_SOCKET": "@somebody"}
    assert "@somebody" == Notifier.from_environment(environment).address
    assert {} == environment


def test_notifier_without_listener_is_no_failure(tmp_path) -> None:
    """Neither without an address nor after the listener has ended."""
    from ssd.compute.launcher import Notifier

    assert not Notifier.from_environment({}).ready()
    assert not Notifier(str(tmp_path / "gone")).stopping()


@pytest.fixture
def launcher(load):
    """Return a launcher; afterwards the signal handlers of the test process are restored."""
    from ssd.compute.launcher import Launcher, Notifier

    before = signal.getsignal(signal.SIGHUP)
    yield Launcher(load(), Notifier(), check=list)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGHUP, before)


def test_signal_just_before_the_wait_is_not_lost(launcher) -> None:
    """It arrives after the queue was found empty; a lock would wait for the next signal."""

    class Late(queue.SimpleQueue):
        looks = 0

        def empty(self) -> bool:
            """Get a signal right after the first look."""
            found = super().empty()
            self.looks += 1
            if self.looks == 1:
                signal.raise_signal(signal.SIGHUP)
            return found

    launcher._signals = Late()
    assert signal.SIGHUP == launcher._next_signal()
