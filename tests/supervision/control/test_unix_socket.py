"""Who is at the other end of a Unix socket, and how one listens."""

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kit.users import NOBODY, as_nobody, shared, skip_without_nobody

from ssd.supervision.control.unix_socket import accept, listen, peer

CONNECT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(sys.argv[1])
    sys.stdin.read()
"""


def test_peer_is_who_connected(tmp_path: Path) -> None:
    """Its process, user and groups; for the client it is who listens."""
    with _listener(tmp_path) as listener, socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "socket"))
        taken = accept(listener)
        for end in (taken, caller):
            found = peer(end)
            assert (os.getpid(), os.geteuid()) == (found.pid, found.uid)
            assert os.getegid() == found.groups[0]
            assert set(os.getgroups()) <= set(found.groups)
        taken.close()


def _listener(directory: Path, group: int | None = None) -> socket.socket:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        return socket.socket(fileno=listen(descriptor, group).detach())
    finally:
        os.close(descriptor)


def test_peer_may_be_another_user(tmp_path: Path) -> None:
    """Supplementary groups count, too."""
    skip_without_nobody()
    with shared(tmp_path, 0o711), _listener(tmp_path, 12345) as listener:
        argv = [sys.executable, "-c", CONNECT, str(tmp_path / "socket")]
        options = {**as_nobody(), "extra_groups": [12345]}
        child = subprocess.Popen(argv, stdin=subprocess.PIPE, **options)
        try:
            listener.settimeout(60)
            taken, _ = listener.accept()
            with taken:
                found = peer(taken)
                assert (child.pid, NOBODY) == (found.pid, found.uid)
                assert {NOBODY, 12345} == set(found.groups)
        finally:
            child.communicate()


@pytest.mark.parametrize(("group", "mode"), [(None, 0o600), (0, 0o660)])
def test_socket_is_for_its_user_and_group_alone(tmp_path: Path, group, mode) -> None:
    """Under any umask."""
    if group is not None and os.geteuid():
        group = os.getegid()
    before = os.umask(0)
    try:
        with _listener(tmp_path, group):
            assert mode == stat.S_IMODE((tmp_path / "socket").stat().st_mode)
    finally:
        os.umask(before)


def test_dead_socket_is_replaced(tmp_path: Path) -> None:
    """And one that was being made when its supervisor was killed."""
    (tmp_path / "socket.new").touch()
    _listener(tmp_path).close()
    with _listener(tmp_path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(tmp_path / "socket"))
    assert ["socket"] == os.listdir(tmp_path)


def test_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """A socket's path may have 107 bytes (unix(7)), a run directory more."""
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with _listener(deep):
        assert stat.S_ISSOCK((deep / "socket").stat().st_mode)
