"""The part of oslo.service's threading backend that ssd-compute uses, for a release without one.

Debian 12 and 13 have 3.0 and 4.1, which know only eventlet. Names, arguments and behaviour are
those of oslo.service 4.8 (backend/_threading), as far as `ssd.compute.service` and
`ssd.compute.launcher` use them.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import Any

from oslo_config import cfg

LOG = logging.getLogger(__name__)

Handler = Callable[[int, FrameType | None], object]


def register_service_opts(conf: cfg.ConfigOpts) -> None:
    """Register the option of oslo.service that is used here, with its default of 60 seconds."""
    conf.register_opt(cfg.IntOpt("graceful_shutdown_timeout", default=60, min=0))


class Timer:
    """Calls a function again and again in a thread, until it is stopped."""

    def __init__(
        self, work: Callable[[], Any], pause: Callable[[Any, float], float], delay: float
    ) -> None:
        """`pause` gives the seconds until the next call, from a call's result and its seconds.

        `delay` is the time before the first call, in seconds.
        """
        self._work = work
        self._pause = pause
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(delay,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make no further call. One that is being made goes on."""
        self._stopped.set()

    def wait(self) -> None:
        """Wait for the end of the thread, unless this is that thread."""
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self, delay: float) -> None:
        while not self._stopped.wait(delay):
            begun, result = time.monotonic(), None
            try:
                result = self._work()
            except Exception:
                # One report that cannot be written, for example, must not end all later ones.
                LOG.exception("A timer's call failed; the next one is made in time")
            delay = max(0.0, self._pause(result, time.monotonic() - begun))


class ThreadGroup:
    """The timers of a service."""

    def __init__(self) -> None:
        self._timers: list[Timer] = []

    def add_timer_args(
        self,
        interval: float,
        callback: Callable[[], Any],
        *,
        initial_delay: float = 0,
        stop_on_exception: bool = False,
    ) -> Timer:
        """Call `callback` every `interval` seconds. Exceptions are logged.

        Raises ValueError if an exception is to stop the timer, which nothing here needs.
        """
        if stop_on_exception:
            raise ValueError("a timer here goes on after an exception")
        return self._add(Timer(callback, lambda _, took: interval - took, initial_delay))

    def add_dynamic_timer_args(
        self, callback: Callable[..., float], args: Sequence[Any], *, periodic_interval_max: float
    ) -> Timer:
        """Call `callback` with `args` now, and again after the seconds that it returns."""

        def pause(result: float | None, took: float) -> float:
            return periodic_interval_max if result is None else min(result, periodic_interval_max)

        return self._add(Timer(lambda: callback(*args), pause, 0))

    def timer_done(self, timer: Timer) -> None:
        """Forget a timer that was stopped."""
        self._timers.remove(timer)

    def stop(self, graceful: bool = False) -> None:
        """Stop all timers; if `graceful`, wait for calls that are being made."""
        for timer in self._timers:
            timer.stop()
        if graceful:
            self.wait()
        self._timers.clear()

    def wait(self) -> None:
        """Wait for the threads of all timers."""
        for timer in self._timers:
            timer.wait()

    def _add(self, timer: Timer) -> Timer:
        self._timers.append(timer)
        return timer


class Service:
    """A service with timers."""

    def __init__(self) -> None:
        self.tg = ThreadGroup()

    def stop(self, graceful: bool = False) -> None:
        """Stop the timers, as `ThreadGroup.stop` does."""
        self.tg.stop(graceful)

    def wait(self) -> None:
        """Wait for the timers that are left."""
        self.tg.wait()


class SignalHandler:
    """The signals that a launcher handles."""

    def __init__(self) -> None:
        self._handled: set[signal.Signals] = set()

    def clear(self) -> None:
        """Give every handled signal back its default action."""
        for each in self._handled:
            signal.signal(each, signal.SIG_DFL)
        self._handled.clear()

    def add_handler(self, name: str, handler: Handler) -> None:
        """Call `handler` at the signal of that name."""
        number = signal.Signals[name]
        self._handled.add(number)
        signal.signal(number, handler)

    def add_handlers(self, names: Iterable[str], handler: Handler) -> None:
        """Call `handler` at each of those signals."""
        for name in names:
            self.add_handler(name, handler)


class ProcessLauncher:
    """What a launcher starts from: the configuration and the signals, without another process."""

    def __init__(
        self, conf: cfg.ConfigOpts, *, restart_method: str = "mutate", no_fork: bool = True
    ) -> None:
        """`restart_method` and `no_fork` can only be what they are in `ssd.compute.launcher`."""
        if (restart_method, no_fork) != ("mutate", True):
            raise ValueError("this launcher runs its service in the main process")
        self.conf = conf
        self.service: Any = None
        self.signal_handler = SignalHandler()
        self.add_signal_handlers()

    def add_signal_handlers(self) -> None:
        """Handle no signal yet."""
