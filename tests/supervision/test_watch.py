"""What a supervisor waits for, on pipes and processes of the kernel."""

import os
from collections.abc import Iterator

import pytest
from kit.children import child

from ssd.processes import default_table
from ssd.supervision.watch import EpollWatch, HandleWatch, watch_for
from ssd.testing import FakeProcesses

Ends = tuple[int, int]
Watch = HandleWatch | EpollWatch


@pytest.fixture
def pipe() -> Iterator[Ends]:
    """Make a pipe, and close it."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture(params=[EpollWatch, HandleWatch])
def watch(request: pytest.FixtureRequest) -> Iterator[Watch]:
    """Make a watch of each kind, and close it."""
    made = request.param()
    yield made
    made.close()


def test_watch_calls_while_a_descriptor_is_readable(watch: Watch, pipe: Ends) -> None:
    """Level-triggered: what is left is told again."""
    reading, writing = pipe
    calls: list[str] = []
    watch.add(reading, lambda: calls.append("read"))
    assert not watch.poll()
    os.write(writing, b"x")
    assert watch.poll() and watch.poll()
    assert ["read", "read"] == calls
    watch.remove(reading)
    assert not watch.poll()


def test_watch_calls_when_a_descriptor_is_writable(watch: Watch, pipe: Ends) -> None:
    """For answers to slow clients."""
    calls: list[str] = []
    watch.add(pipe[1], lambda: calls.append("write"), writing=True)
    watch.poll()
    assert ["write"] == calls


def test_watch_tells_the_end_of_a_process(watch: Watch) -> None:
    """By its pidfd; the loop of a caller waits for the watch's handles."""
    table = default_table()
    calls: list[str] = []
    with child("/bin/sh", "-c", "read line", stdin=-1) as process:
        found = table.process(process.pid)
        assert found is not None and process.stdin is not None
        with table.open(found) as handle:
            watch.hold(handle, lambda: calls.append("ended"))
            assert not watch.poll()
            process.stdin.close()
            table.wait(watch.handles, None)
            assert any(each.ended() for each in watch.handles)
            assert watch.poll()
            watch.release(handle)
            assert not watch.poll()
    assert ["ended"] == calls


def test_call_may_let_others_go(watch: Watch, pipe: Ends) -> None:
    """What an earlier call has let go is not called in the same turn."""
    other = os.pipe()
    try:
        calls: list[int] = []

        def let_go() -> None:
            calls.append(1)
            for fd in (pipe[0], other[0]):
                watch.remove(fd)

        for reading, writing in (pipe, other):
            os.write(writing, b"x")
            watch.add(reading, let_go)
        watch.poll()
        assert [1] == calls
    finally:
        for end in other:
            os.close(end)


def test_process_without_a_descriptor_is_asked() -> None:
    """An old kernel has no pidfds: then the watch says how soon to ask again."""
    table = FakeProcesses()
    process = table.add("web")
    watch = EpollWatch()
    calls: list[str] = []
    with table.open(process.identity) as handle:
        watch.hold(handle, lambda: calls.append("ended"))
        assert watch.interval and not watch.poll() and not watch.ended()
        process.die()
        assert watch.ended() and watch.poll()
        watch.release(handle)
    assert (None, ["ended"]) == (watch.interval, calls)
    watch.close()


def test_kind_of_watch_follows_the_table() -> None:
    """epoll for the kernel's processes, handles for declared ones."""
    watch = watch_for(default_table())
    assert isinstance(watch, EpollWatch)
    watch.close()
    declared = watch_for(FakeProcesses())
    assert isinstance(declared, HandleWatch)
    declared.close()


def test_wait_returns_for_an_event_or_a_time(pipe: Ends) -> None:
    """The loop of the command waits by it."""
    watch = EpollWatch()
    watch.wait(0)
    os.write(pipe[1], b"x")
    watch.add(pipe[0], lambda: None)
    watch.wait(None)
    assert watch.ended()
    watch.close()


@pytest.mark.parametrize("seconds", [86400.0 * 30, 1e11, float("inf")])
def test_wait_has_no_time_that_is_too_long(seconds: float, pipe: Ends) -> None:
    """A kill timeout may be any number of seconds, and epoll_wait(2) takes 25 days."""
    watch, (reading, writing) = EpollWatch(), pipe
    watch.add(reading, lambda: None)
    os.write(writing, b"x")
    watch.wait(seconds)
    assert watch.poll()
    watch.close()


def test_poke_ends_a_wait(watch: Watch) -> None:
    """For work that comes from the program itself and from no event."""
    assert not any(each.ended() for each in watch.handles)
    watch.poke()
    assert any(each.ended() for each in watch.handles)
    watch.poll()
    assert not any(each.ended() for each in watch.handles)


def test_poke_goes_through_a_pipe_without_eventfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.9 has no eventfd(2). More pokes than the pipe takes are as good as one."""
    monkeypatch.delattr(os, "eventfd")
    watch = EpollWatch()
    for _ in range(10_000):
        watch.poke()
    while watch.poll():
        pass
    assert not watch.ended()
    watch.poke()
    assert watch.ended()
    watch.close()
