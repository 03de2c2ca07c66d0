"""Clients that are slow, silent, endless or gone: none of them disturbs another one."""

import os
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssd.supervision.control import connections
from ssd.supervision.control.connections import MAX_CLIENTS, MAX_GUESTS, MAX_OPEN, Client
from ssd.supervision.control.protocol import MAX_LINE, Request, line, success
from supervision.clients import Caller, Served

Serve = Callable[..., Served]
HELLO = {"id": 1, "ok": True, "verb": "hello"}
LONG = "x" * 1000


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that listens, and close what it made."""
    made: list[Served] = []

    def one(*arguments: Any, **options: Any) -> Served:
        made.append(Served(tmp_path, *arguments, **options))
        return made[-1]

    yield one
    for each in made:
        each.close()


class Task:
    """A request that waits."""

    count = 0


def wait(client: Client, request: Request) -> None:
    """Answer nothing."""
    client.tasks.append(Task())


def long(client: Client, request: Request) -> None:
    """Answer with many pieces."""
    client.send_long(line(request.id, number=number, text=LONG) for number in range(2000))
    client.send_long(iter([success(request.id)]))


def test_request_is_answered(serve: Serve) -> None:
    """Several in a row, in their order."""
    served = serve()
    caller = served.connect()
    caller.ask("hello")
    caller.ask("hello", id="two")
    served.turns()
    assert [HELLO, {**HELLO, "id": "two"}] == caller.lines()


def test_silence_costs_nothing(serve: Serve) -> None:
    """A client that says nothing, or half a line, gives no turn, for ever."""
    served = serve()
    silent, half = served.connect(), served.connect()
    half.send(b'{"id": 1, "verb":')
    served.turns()
    assert 0 == served.turns()
    half.send(b' "hello"}\n')
    served.turns()
    assert [HELLO] == half.lines()
    assert [] == silent.lines()


def test_line_without_end_is_refused(serve: Serve) -> None:
    """After so many bytes; no more than that is held, and the client is told."""
    served = serve()
    caller = served.connect()
    sent = 0
    for _ in range(10_000):
        try:
            sent += caller.send(b"x" * MAX_LINE)
        except OSError:
            break
        served.turns()
    fault, end = caller.lines()
    assert ("too-long", None) == (fault["error"], end)
    assert sent < 64 * MAX_LINE
    assert {} == served.connections.clients


def test_silent_clients_leave_for_others(serve: Serve) -> None:
    """However many there are: the one that did nothing for longest."""
    served = serve()
    many = []
    for _ in range(200):
        many.append(served.connect())
        served.turns()
    caller = served.connect()
    caller.ask("hello")
    served.turns()
    assert [HELLO] == caller.lines()
    assert MAX_CLIENTS == len(served.connections.clients)
    assert [[None]] * (201 - MAX_CLIENTS) == [each.lines() for each in many[: 201 - MAX_CLIENTS]]


def test_waiting_client_leaves_for_nobody(serve: Serve) -> None:
    """If all wait for something, the next one is told that there are too many."""
    served = serve(wait)
    for _ in range(MAX_CLIENTS):
        served.connect().ask("hello")
        served.turns()
    caller = served.connect()
    served.turns()
    refused, end = caller.lines()
    assert ("busy", None) == (refused["error"], end)
    served.callers[3].socket.close()
    served.turns()
    after = served.connect()
    served.turns()
    assert [] == after.lines()


def test_guests_leave_room_for_the_owner(serve: Serve, monkeypatch) -> None:
    """Members of a group have some of the places, and push nobody else out."""
    served = serve(wait)
    seen = iter(range(10_000))
    real = connections.peer

    def stranger(sock: Any) -> connections.Peer:
        found = real(sock)
        return connections.Peer(found.pid, 12345, found.groups) if next(seen) < 40 else found

    monkeypatch.setattr(connections, "peer", stranger)
    for _ in range(40):
        served.connect().ask("hello")
        served.turns()
    assert MAX_GUESTS == len(served.connections.clients)
    owner = served.connect()
    served.turns()
    assert [] == owner.lines()
    assert MAX_GUESTS + 1 == len(served.connections.clients)


def flooded(served: Served) -> Caller:
    """Return a client that has not read what it was sent, until it was dropped."""
    caller = served.connect()
    caller.ask("hello")
    served.turns()
    client = [*served.connections.clients.values()][-1]
    while not served.told:
        client.send(line(1, text=LONG))
        served.turns()
    served.told.clear()
    return caller


def test_client_that_reads_nothing_is_dropped(serve: Serve) -> None:
    """It is told why, if it ever reads; little of it is held until then."""
    served = serve(wait)
    caller = flooded(served)
    (client,) = served.connections.clients.values()
    assert client._size < 2 * len(LONG)
    assert 0 == served.turns()
    lines: list[Any] = []
    while None not in lines:
        lines += caller.lines()
        served.turns()
    assert "slow" == lines[-2]["error"]
    assert {LONG} == {each["text"] for each in lines[:-2]}
    assert {} == served.connections.clients


def test_dropped_client_makes_room(serve: Serve) -> None:
    """It waits for nothing but its end."""
    served = serve(wait)
    first = flooded(served)
    for _ in range(MAX_CLIENTS):
        served.connect().ask("hello")
        served.turns()
    assert MAX_CLIENTS == len(served.connections.clients)
    assert None in first.lines()


def test_long_answer_is_made_as_it_is_read(serve: Serve) -> None:
    """The client takes all of it in the end; what is not read is not made."""
    served = serve(long)
    caller = served.connect()
    caller.ask("hello")
    served.turns()
    (client,) = served.connections.clients.values()
    assert client._size < 1 << 17
    lines: list[Any] = []
    while len(lines) < 2001:
        lines += caller.lines()
        served.turns()
    assert [*range(2000)] == [each["number"] for each in lines[:-1]]
    assert {"id": 1, "ok": True} == lines[-1]


def test_endless_client_has_one_turn_at_a_time(serve: Serve) -> None:
    """Another one is served after each of its requests."""
    order: list[object] = []

    def note(client: Client, request: Request) -> None:
        order.append(request.id)
        client.send(success(request.id))

    served = serve(note)
    endless, other = served.connect(), served.connect()
    served.turns()
    for _ in range(100):
        endless.ask("hello", id="endless")
    for _ in range(10):
        other.ask("hello", id="other")
    served.turns()
    assert ["endless", "other"] * 10 == order[:20] or ["other", "endless"] * 10 == order[:20]


def test_client_that_does_not_read_is_not_read(serve: Serve) -> None:
    """Its requests wait in the kernel, so they cost no memory here."""
    answered: list[object] = []

    def note(client: Client, request: Request) -> None:
        answered.append(request.id)
        client.send(line(request.id, text=LONG))

    served = serve(note)
    caller = served.connect()
    while caller.send(b'{"verb": "hello"}\n' * 100):
        served.turns()
    before = len(answered)
    assert 0 == served.turns()
    caller.lines()
    served.turns()
    assert len(answered) > before


def test_requests_of_one_client_are_limited(serve: Serve) -> None:
    """So many may wait; the next one is refused, and the others stay."""
    served = serve(wait)
    caller = served.connect()
    for number in range(MAX_OPEN + 1):
        caller.ask("hello", id=number)
    served.turns()
    (refused,) = caller.lines()
    assert (MAX_OPEN, "busy") == (refused["id"], refused["error"])


def test_half_closed_client_gets_its_answers(serve: Serve) -> None:
    """As one that a shell pipes a request into; then it is closed."""
    served = serve()
    caller = served.connect()
    caller.ask("hello")
    caller.ask("hello")
    caller.socket.shutdown(socket.SHUT_WR)
    served.turns()
    assert [HELLO, HELLO, None] == caller.lines()
    assert {} == served.connections.clients


def test_half_closed_client_may_wait(serve: Serve) -> None:
    """Until it is answered, without a turn meanwhile."""
    kept: list[Client] = []

    def later(client: Client, request: Request) -> None:
        kept.append(client)
        client.tasks.append(Task())

    served = serve(later)
    caller = served.connect()
    caller.ask("hello")
    caller.socket.shutdown(socket.SHUT_WR)
    served.turns()
    assert (0, []) == (served.turns(), caller.lines())
    kept[0].send(success(1))
    kept[0].tasks.clear()
    served.turns()
    assert [{"id": 1, "ok": True}, None] == caller.lines()


def test_client_that_goes_is_forgotten(serve: Serve) -> None:
    """Whatever it had asked for, and whoever answers it is told."""
    left: list[Client] = []
    served = serve(wait, left=left.append)
    caller = served.connect()
    caller.ask("hello")
    served.turns()
    (client,) = served.connections.clients.values()
    caller.socket.close()
    served.turns()
    assert ({}, [client]) == (served.connections.clients, left)
    assert 0 == served.turns()


def test_refused_peer_is_told_why(serve: Serve) -> None:
    """And the log is."""
    served = serve(admits=lambda peer: "not you")
    caller = served.connect()
    caller.ask("hello")
    served.turns()
    lines = caller.lines()
    assert [{"id": None, "ok": False, "error": "denied", "message": "not you"}, None] == lines
    assert "may not use the socket" in served.told[0]


def test_lack_of_descriptors_turns_clients_away(serve: Serve) -> None:
    """Without a loop that spins; with descriptors again, clients are served again."""
    served = serve()
    first, second = served.connect(), served.connect()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
    try:
        assert served.turns() < 10
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert [[None], [None]] == [first.lines(), second.lines()]
    after = served.connect()
    after.ask("hello")
    served.turns()
    assert [HELLO] == after.lines()


def test_clients_wait_while_none_is_taken(serve: Serve) -> None:
    """They are not refused, whatever others do; afterwards they are answered."""
    served = serve()
    early = served.connect()
    served.turns()
    served.connections.pause(True)
    late = served.connect()
    for caller in (early, late):
        caller.ask("hello")
    early.socket.shutdown(socket.SHUT_WR)
    served.turns()
    assert ([HELLO, None], []) == (early.lines(), late.lines())
    served.connections.pause(False)
    served.turns()
    assert [HELLO] == late.lines()


def test_end_is_told_to_those_who_wait(serve: Serve) -> None:
    """The others see the end of the connection."""
    served = serve(wait)
    waiting, idle = served.connect(), served.connect()
    waiting.ask("hello")
    served.turns()
    served.connections.close_all("ending", "the supervisor ends")
    served.closed = True
    said, end = waiting.lines()
    assert ("ending", None) == (said["error"], end)
    assert [None] == idle.lines()


STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from(["open", "ask", "half", "junk", "read", "close"])),
    max_size=40,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STEPS)
def test_clients_at_random_disturb_nobody(serve: Serve, steps: list[tuple[int, str]]) -> None:
    """Whatever they do and when they go, one that asks is answered at once."""
    served = serve()
    callers: dict[int, Any] = {}
    for number, step in steps:
        caller = callers.get(number)
        if step == "open":
            callers[number] = served.connect()
        elif caller is None:
            continue
        elif step == "close":
            callers.pop(number).socket.close()
        elif step == "read":
            caller.lines()
        else:
            texts = {"ask": b'{"id":1,"verb":"hello"}\n', "half": b'{"id"', "junk": b"\xff\n[[\n"}
            try:
                caller.send(texts[step])
            except OSError:
                del callers[number]
        if number % 2:
            served.turns()
    honest = served.connect()
    honest.ask("hello")
    served.turns()
    assert [HELLO] == honest.lines()
