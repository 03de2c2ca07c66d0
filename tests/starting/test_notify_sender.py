"""The sender of a notification, and whether it is trusted."""

import os
import socket
import struct
from collections.abc import Iterator

import pytest

from ssd.starting import notify_sender
from ssd.starting.notify_sender import SCM_CREDENTIALS, SCM_PIDFD, SCM_RIGHTS, Sender, is_trusted

ROOT, USER, OTHER = 0, 1000, 1001
PROGRAM = 2**22 + 1  # no process has this pid
Control = list[tuple[int, int, bytes]]


def credentials(pid: int, uid: int) -> Control:
    """Return control data with credentials."""
    return [(socket.SOL_SOCKET, SCM_CREDENTIALS, struct.pack("iII", pid, uid, uid))]


def pidfd(number: int) -> Control:
    """Return control data with a pidfd, or with an errno instead."""
    return [(socket.SOL_SOCKET, SCM_PIDFD, struct.pack("i", number))]


@pytest.fixture
def own_pidfd() -> Iterator[int]:
    """Return a pidfd of this process."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("the system has no pidfds")
    yield os.pidfd_open(os.getpid())


OWN = os.getpid()
RULES: dict[str, tuple[Control, bool]] = {
    "the program itself": (credentials(PROGRAM, USER), True),
    "the program as root": (credentials(PROGRAM, ROOT), True),
    "the program as another user": (credentials(PROGRAM, OTHER), False),
    "one of its session": (credentials(OWN, USER), True),
    "one of its session, of another user": (credentials(OWN, OTHER), False),
    "a sender that has ended": (credentials(PROGRAM + 1, USER), False),
    "one outside of the PID namespace": (credentials(0, USER), False),
    "a pid that is the sender's no more": (credentials(OWN, USER) + pidfd(-3), False),
}


@pytest.mark.parametrize("rule", RULES)
def test_trust_depends_on_user_program_and_session(rule: str) -> None:
    """Trusted are the program, and processes of its session and of its user or root."""
    control, expected = RULES[rule]
    sessions = (None, os.getsid(0))
    assert expected == is_trusted(Sender(control), PROGRAM, (ROOT, USER), sessions)


def test_sender_in_another_session_is_not_trusted() -> None:
    """Nor is any sender if the program's session is unknown."""
    for sessions in ((PROGRAM, None), (None, None), ()):
        assert not is_trusted(Sender(credentials(OWN, USER)), PROGRAM, (USER,), sessions)


def test_pid_counts_while_its_pidfd_confirms_it(own_pidfd: int) -> None:
    """The pidfd in the message shows whether the pid was reused."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    gone = os.pidfd_open(child)
    zombie = Sender(credentials(child, USER))
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert os.getsid(0) == zombie.session()
    os.waitpid(child, 0)
    # As if this process had got the child's pid.
    reused = Sender(credentials(OWN, USER) + pidfd(gone))
    here = Sender(credentials(OWN, USER) + pidfd(own_pidfd))
    assert (None, os.getsid(0)) == (reused.session(), here.session())
    for each in (reused, here):
        each.close()


def test_received_descriptors_are_closed() -> None:
    """A sender may wait until its descriptors are closed."""
    here, there = os.pipe()
    rights = [(socket.SOL_SOCKET, SCM_RIGHTS, struct.pack("i", there) + b"cut")]
    came = Sender(rights)
    came.close()
    came.close()
    assert b"" == os.read(here, 1)
    os.close(here)


def test_system_without_credentials_relies_on_socket_mode(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Linux always attaches credentials; elsewhere only the user can reach the socket."""
    monkeypatch.setattr(os, "SCHED_BATCH", 3, raising=False)
    assert not is_trusted(Sender([]), PROGRAM, (USER,), ())
    monkeypatch.delattr(os, "SCHED_BATCH")
    assert is_trusted(Sender([]), PROGRAM, (USER,), ())


def test_older_kernel_attaches_only_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that cannot request pidfds requests credentials."""
    monkeypatch.setattr(notify_sender, "SO_PASSPIDFD", 0xFFFF)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        notify_sender.request_senders(receiver)
        if hasattr(socket, "SO_PASSCRED"):
            assert receiver.getsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED)
