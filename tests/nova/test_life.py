"""nova-compute's life through each init script, as the queue and the database see it."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from lab.entry_points import TERM_TIMEOUT, Compute
from lab.machine import WAIT_TIMEOUT

pytestmark = [
    pytest.mark.nova,
    pytest.mark.requires_root,
    pytest.mark.requires_namespaces,
    pytest.mark.timeout(7200),  # the first one builds the lab
]

View = tuple[int, int]  # status and pid, as ssd sees them
PONG = {"service": "compute", "arg": "lab"}
LAST_WORDS = "Graceful shutdown finish"  # the last line of docs/reference/compute.md


def test_start_brings_answers_heartbeats_and_a_node(entry: Compute) -> None:
    """It runs as nova in /var/lib/nova, answers over RabbitMQ, reports, and registers its node."""
    assert 3 == entry.status()
    before = entry.nodes()
    assert 0 == entry.verb("start")
    entry.ready()
    assert (0, 0) == (entry.status(), entry.verb("status", check=False))
    assert "nova" == entry.user()
    assert entry.is_at_home()
    assert PONG == entry.ping()
    entry.await_heartbeats(2)
    [(host, name, _)] = nodes = entry.nodes()
    assert ("nova-lab", "nova-lab") == (host, name)
    assert before != nodes  # written by this one, not left by one before it


def test_second_start_changes_nothing(compute: Compute) -> None:
    """It succeeds; the process stays the same, and the only one."""
    before = compute.pid()
    assert [before] == compute.processes()
    assert 0 == compute.verb("start")
    assert before == compute.pid()
    assert [before] == compute.processes()
    assert 1 == compute.consumers()


def test_restart_gives_another_process_with_heartbeats(compute: Compute) -> None:
    """The new one answers, and continues the count of the old one."""
    before, count = compute.pid(), compute.report_count()
    assert 0 == compute.verb("restart")
    assert before != compute.pid()
    assert 0 == compute.status()
    compute.ready()
    assert PONG == compute.ping()
    compute.await_heartbeats(2)
    assert compute.report_count() > count


def test_reload_keeps_rpc(compute: Compute) -> None:
    """It is a restart, see the next test."""
    before = compute.pid()
    assert 0 == compute.verb("force-reload")
    assert before != compute.pid()
    compute.ready()
    assert PONG == compute.ping()


def test_hangup_would_make_it_deaf(compute: Compute) -> None:
    """HUP leaves nova 34 its heartbeat and even its consumer: only the ping is not answered."""
    pid = compute.pid()
    compute.machine.signal(pid, signal.SIGHUP)
    deadline = time.monotonic() + WAIT_TIMEOUT
    while compute.ping(10) is not None:
        assert time.monotonic() < deadline, "it still answers: nova can reload now"
    compute.await_heartbeats(2)
    assert (0, pid) == (compute.status(), compute.pid())
    assert 1 == compute.consumers()
    assert None is compute.ping(10)
    assert 0 == compute.verb("force-reload")
    assert pid != compute.pid()
    compute.ready()
    assert PONG == compute.ping()


def test_killed_service_is_dead_with_a_pidfile(compute: Compute) -> None:
    """Status 1, then 0 with another process that answers."""
    pid = compute.pid()
    compute.machine.signal(pid, signal.SIGKILL)
    assert (1, compute.entry.killed) == (compute.status(), compute.verb("status", check=False))
    assert 0 == compute.verb("start")
    assert 0 == compute.status()
    assert pid != compute.pid()
    compute.ready()
    assert PONG == compute.ping()
    compute.await_heartbeats(1)


def test_stopped_service_is_gone_from_the_queue(compute: Compute) -> None:
    """It ends after TERM, unless that takes longer than the schedule; its queue has no consumer."""
    began, offset, pid = time.monotonic(), compute.log_size(), compute.pid()
    assert 0 == compute.verb("stop")
    seconds = time.monotonic() - began
    assert pid not in compute.machine.processes()
    assert (3, 3) == (compute.status(), compute.verb("status", check=False))
    compute.await_desertion()
    last_words = [line for line in compute.log_since(offset) if LAST_WORDS in line]
    assert last_words or seconds >= TERM_TIMEOUT, "it was killed before its time"


def test_service_that_ignores_term_is_killed_after_its_time(compute: Compute) -> None:
    """A stopped process reacts only to the KILL at the end of the schedule."""
    pid = compute.pid()
    compute.machine.signal(pid, signal.SIGSTOP)
    assert 0 == compute.status()
    began = time.monotonic()
    assert 0 == compute.verb("stop")
    assert time.monotonic() - began >= TERM_TIMEOUT
    assert pid not in compute.machine.processes()
    assert 3 == compute.status()
    compute.await_desertion()


@contextlib.contextmanager
def watched(look: Callable[[], View]) -> Iterator[set[View]]:
    """Look again and again, and yield the set of all that is seen."""
    seen: set[View] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.2):
            seen.add(look())

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield seen
    finally:
        over.set()
        watching.join()


def test_service_outlives_an_outage_of_the_broker(compute: Compute) -> None:
    """It connects again by itself, and ssd sees the same running process all the time."""
    pid = compute.pid()

    def look() -> View:
        return compute.status(), compute.pid()

    with watched(look) as seen:
        compute.machine.nova_lab("stop", "broker")
        seen.add(look())  # at least one look without a broker
        compute.machine.nova_lab("start", "broker")
        compute.ready()
        assert PONG == compute.ping()
        compute.await_heartbeats(1)
        seen.add(look())
    assert {(0, pid)} == seen
