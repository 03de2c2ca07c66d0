"""What takes the place of oslo.service's threads keeps their rules."""

import os
import signal
import threading

import pytest
from kit.children import WAIT_TIMEOUT


@pytest.fixture
def group():
    """Return a group of timers; they are stopped afterwards."""
    from ssd.compute.threads import ThreadGroup

    group = ThreadGroup()
    yield group
    group.stop(graceful=True)


def test_timer_goes_on_after_an_exception(group, caplog) -> None:
    """A report that fails is logged, and the next one is made."""
    calls: list[int] = []
    twice = threading.Event()

    def fail() -> None:
        calls.append(1)
        if len(calls) == 2:
            twice.set()
        raise OSError("no space")

    group.add_timer_args(0.001, fail)
    assert twice.wait(WAIT_TIMEOUT)
    assert "no space" in caplog.text


def test_stopped_timer_calls_nothing_more(group) -> None:
    """After a graceful stop no call is being made, and none follows."""
    called = threading.Event()
    group.add_timer_args(0, called.set, initial_delay=3600)
    group.stop(graceful=True)
    assert not called.is_set()


def test_stop_by_a_timer_itself_does_not_wait_for_it(group) -> None:
    """A call may stop the group that it belongs to."""
    stopped = threading.Event()

    def stop() -> None:
        group.stop(graceful=True)
        stopped.set()

    group.add_timer_args(3600, stop)
    assert stopped.wait(WAIT_TIMEOUT)


def test_dynamic_timer_calls_after_what_it_was_told(group) -> None:
    """The function is called with its arguments, and again after the seconds that it returns."""
    heard: list[dict[str, str]] = []
    twice = threading.Event()

    def tasks(context: dict[str, str]) -> float:
        heard.append(context)
        if len(heard) == 2:
            twice.set()
            return 3600
        return 0.001

    group.add_dynamic_timer_args(tasks, [{"a": "b"}], periodic_interval_max=3600)
    assert twice.wait(WAIT_TIMEOUT)
    assert [{"a": "b"}] * 2 == heard


def test_dynamic_timer_never_pauses_longer_than_its_limit(group) -> None:
    """The limit holds, whatever the function returns."""
    calls: list[int] = []
    twice = threading.Event()

    def tasks() -> float:
        calls.append(1)
        if len(calls) == 2:
            twice.set()
        return 3600

    group.add_dynamic_timer_args(tasks, [], periodic_interval_max=0.001)
    assert twice.wait(WAIT_TIMEOUT)


def test_timer_that_is_done_is_forgotten(group) -> None:
    """A later stop does not wait for it."""
    timer = group.add_timer_args(3600, lambda: None, initial_delay=3600)
    timer.stop()
    group.timer_done(timer)
    group.wait()
    timer.wait()


def test_argument_that_nothing_needs_is_refused(group) -> None:
    """Arguments with another meaning than in oslo.service are not taken silently."""
    from ssd.compute.threads import ProcessLauncher

    with pytest.raises(ValueError, match="goes on"):
        group.add_timer_args(1, lambda: None, stop_on_exception=True)
    with pytest.raises(ValueError, match="main process"):
        ProcessLauncher(None, restart_method="reload")


def test_cleared_signals_have_their_default_again() -> None:
    """Until the service has started, TERM ends the process at once."""
    from ssd.compute.threads import SignalHandler

    heard: list[int] = []
    handler = SignalHandler()
    handler.add_handlers(("SIGUSR1", "SIGUSR2"), lambda number, frame: heard.append(number))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert [signal.SIGUSR1] == heard
    finally:
        handler.clear()
    assert signal.SIG_DFL == signal.getsignal(signal.SIGUSR1) == signal.getsignal(signal.SIGUSR2)
