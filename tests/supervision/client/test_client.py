"""A client of supervisors that answer, lie, die, or are somebody else's."""

import contextlib
import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.users import as_nobody, shared, skip_without_nobody

from ssd.supervision import client, places
from ssd.supervision.client import NoAnswer, Unreachable, directories, reach

VALUES = st.one_of(st.text(), st.integers(), st.booleans(), st.from_regex(r"[a-z ./-]*"))


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch) -> Path:
    """Return where the client looks for the socket of any directory."""
    path = tmp_path / "run" / "socket"
    path.parent.mkdir()
    monkeypatch.setattr(client, "sockets", lambda directory, uid: [str(path)])
    return path


@contextlib.contextmanager
def server(path: Path, *pieces: bytes, read: bool = True, stay: bool = False) -> Iterator[None]:
    """Accept one client, read its request, send these pieces, and close the connection.

    ``stay``: close it only at the end of the block.
    """
    over = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            taken, _ = listener.accept()
            with taken, contextlib.suppress(OSError):
                if read:
                    taken.recv(1 << 16)
                for piece in pieces:
                    taken.sendall(piece)
                if stay:
                    over.wait()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def ask(verb: str = "start", **fields: object) -> list[dict[str, object]]:
    """Return all lines of an answer."""
    connection = reach("/etc/ssd")
    assert connection is not None
    try:
        return list(connection.ask(verb, **fields))
    finally:
        connection.close()


def test_answer_is_all_lines_to_the_one_with_ok(socket_path: Path) -> None:
    """However they are cut; what comes after belongs to no answer."""
    pieces = b'{"id":1,"begun":"start"}\n{"id', b'":1,"ok":tr', b'ue}\n{"id":1}\n'
    with server(socket_path, *pieces):
        assert [{"id": 1, "begun": "start"}, {"id": 1, "ok": True}] == ask()


def test_no_socket_is_no_supervisor(socket_path: Path) -> None:
    """Neither is one that a killed supervisor has left, nor a file in place of a directory."""
    assert reach("/etc/ssd") is None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))
    assert reach("/etc/ssd") is None
    socket_path.unlink()
    socket_path.parent.rmdir()
    socket_path.parent.touch()
    assert reach("/etc/ssd") is None


def test_supervisor_that_starts_or_ends_is_none_to_do_without(socket_path: Path) -> None:
    """It has the lock, and does not listen: a verb done here could make a second process."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(socket_path))
    lock = socket_path.with_name("lock")
    lock.touch()
    assert reach("/etc/ssd") is None
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unreachable, match="just starting or ending"):
            reach("/etc/ssd")
        socket_path.unlink()  # it has not made it yet, or could not
        with pytest.raises(Unreachable, match="has no socket"):
            reach("/etc/ssd")


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([], "ended before it had answered"),
        ([b'{"id":1,"begun":"start"}\n'], "ended before it had answered"),
        ([b'{"id":1,"begun":"start"}\n{"id":1,"o'], "ended before it had answered"),
        (
            [b'{"id":null,"ok":false,"error":"ending","message":""}\n'],
            "ends before it has answered",
        ),
        ([b"what?\n"], "has sent a line that is no answer"),
        ([b"[1]\n"], "has sent a line that is no answer"),
        ([b"\xff\n"], "has sent a line that is no answer"),
        ([b'{"id":1,"x":' + b"[" * 100_000 + b"\n"], "has sent a line that is no answer"),
    ],
)
def test_supervisor_that_dies_or_lies_is_told_of(socket_path, pieces, reason) -> None:
    """What it has done is not known, so nobody does it a second time."""
    with server(socket_path, *pieces), pytest.raises(NoAnswer, match=reason) as raised:
        ask()
    assert str(socket_path) == raised.value.path


def test_supervisor_that_does_not_read_is_told_of(socket_path: Path) -> None:
    """It may have closed the connection before it read, and said why."""
    with server(socket_path, read=False), pytest.raises(NoAnswer):
        ask()
    socket_path.unlink()
    refusal = b'{"id":null,"ok":false,"error":"busy","message":"too many"}\n'
    with server(socket_path, refusal, read=False):
        assert "busy" == ask()[-1]["error"]


def test_silent_supervisor_is_not_awaited_for_ever(socket_path: Path, monkeypatch) -> None:
    """Not before the first line; after that it may take as long as the service does."""
    monkeypatch.setattr(client, "PATIENCE", 0.01)
    with server(socket_path, stay=True), pytest.raises(NoAnswer, match="in 0.01 seconds"):
        ask()


def test_long_path_is_reached(tmp_path: Path, monkeypatch) -> None:
    """Longer than an address may be (unix(7)), and in a directory that the client may not list."""
    path = tmp_path / ("d" * 110) / "socket"
    path.parent.mkdir()
    monkeypatch.setattr(client, "sockets", lambda directory, uid: [str(path)])
    assert reach("/etc/ssd") is None
    descriptor = os.open(path.parent, os.O_RDONLY)
    with server(Path(f"/proc/self/fd/{descriptor}/socket"), b'{"id":1,"ok":true}\n'):
        path.parent.chmod(0o111)
        assert [{"id": 1, "ok": True}] == ask()
    os.close(descriptor)
    path.parent.chmod(0o755)


LISTEN = """
import socket, sys
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    print("listening", flush=True)
    sys.stdin.read()
"""


def test_socket_of_a_stranger_is_not_obeyed(socket_path: Path) -> None:
    """Root asks only root's supervisors."""
    skip_without_nobody()
    with shared(socket_path.parent, 0o777):
        argv = [sys.executable, "-c", LISTEN, str(socket_path)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        child = subprocess.Popen(argv, **pipes, **as_nobody())
        try:
            assert child.stdout is not None
            assert b"listening\n" == child.stdout.readline()
            with pytest.raises(Unreachable, match="it is user 65534's"):
                reach("/etc/ssd")
        finally:
            child.communicate()


def test_named_directory_is_the_only_one(monkeypatch) -> None:
    """Without it an ordinary user's own supervisor comes first, root's second, and jobs last."""
    assert ["/srv"] == directories("/srv")
    monkeypatch.setattr(client, "default_directory", lambda: "/home/me/.config/ssd")
    assert ["/home/me/.config/ssd", "/etc/ssd", places.UPSTART] == directories("")
    monkeypatch.setattr(client, "default_directory", lambda: "/etc/ssd")
    assert ["/etc/ssd", places.UPSTART] == directories("")


def found(name: str = "") -> list[str]:
    """Return the directories of the supervisors that are found."""
    there = []
    for directory, connection in client.find("", name):
        there.append(directory)
        connection.close()
    return there


def test_first_supervisor_and_that_of_jobs_are_found(tmp_path: Path, monkeypatch) -> None:
    """A service that is declared is no job, whoever has the declaration."""
    mine, etc, none = tmp_path / "mine", tmp_path / "etc", tmp_path / "none"
    for each in (mine, etc, none):
        each.mkdir()
    paths = {str(none): "none", str(mine): "a", str(etc): "b", places.UPSTART: "jobs"}
    monkeypatch.setattr(client, "directories", lambda given: [*paths])
    sockets = lambda directory, uid: [str(tmp_path / paths[directory])]  # noqa: E731
    monkeypatch.setattr(client, "sockets", sockets)
    assert [] == found()
    (etc / "web.toml").touch()
    (etc / "old").touch()
    with socket.socket(socket.AF_UNIX) as jobs, socket.socket(socket.AF_UNIX) as second:
        for listener, name in ((jobs, "jobs"), (second, "b")):
            listener.bind(str(tmp_path / name))
            listener.listen()
        assert [str(etc), places.UPSTART] == found() == found("tty1")
        assert [str(etc)] == found("web") == found("old")
        with socket.socket(socket.AF_UNIX) as first:
            first.bind(str(tmp_path / "a"))
            first.listen()
            assert [str(mine), places.UPSTART] == found()


def test_lock_of_a_supervisor_is_seen(tmp_path: Path) -> None:
    """It is no lock of a client that looks."""
    (tmp_path / "lock").touch()
    fd = os.open(tmp_path / "lock", os.O_RDWR)
    assert not places.is_locked(str(tmp_path / "socket"))
    assert not places.is_locked(str(tmp_path / "none" / "socket"))
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert places.is_locked(str(tmp_path / "socket"))
    os.close(fd)


@given(st.dictionaries(st.sampled_from(["name", "file", "lines", "all"]), VALUES))
def test_request_is_written_as_by_json(fields: dict[str, object]) -> None:
    """Whatever is in a name."""
    assert fields == json.loads(client._request(fields))


def test_long_answer_is_read_as_a_short_one(socket_path: Path) -> None:
    """By another reader."""
    for count in (1, 1000):
        line = {"id": 1, "ok": True, "names": ["web\n\udcff"] * count}
        with server(socket_path, json.dumps(line).encode() + b"\n"):
            assert [line] == ask()
        socket_path.unlink()
