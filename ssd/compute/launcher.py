"""Run one service in the main process and wait for signals.

This is oslo.service's ProcessLauncher with ``no_fork=True``, as in nova-compute. It corrects three
defects of the threading backend (oslo.service 4.8, backend/_threading/service.py):

* HUP: `_reload_service` raises SystemExit in the main thread. The timer threads keep the process
  and its heartbeat alive, but signals are no longer handled and RPC ends. Here HUP reads the
  configuration again and the service continues.
* TERM: `_graceful_shutdown` runs in the signal handler and ends in os._exit, at any point of the
  main thread, even during a start. Here the handler only records the signal.
* Nothing sends READY=1 for a service in the main process, and oslo.service's systemd module knows
  no other state. Here `Notifier` does.

The launcher with worker processes is no alternative: cotyledon sends READY=1 before a worker
exists, and the worker of a killed master lives on for a moment, in which a second service can
start.
"""

import logging
import os
import queue
import signal
import socket
import time
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any

from oslo_config import cfg

from ssd.compute.backend import service

LOG = logging.getLogger(__name__)


class Notifier:
    """Sends states to NOTIFY_SOCKET (sd_notify(3)). Without an address it does nothing."""

    def __init__(self, address: str | None = None) -> None:
        self.address = address

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> "Notifier":
        """Remove the address from `environment`, so that no child can send in our name."""
        return cls(environment.pop("NOTIFY_SOCKET", None))

    def ready(self) -> bool:
        """Report that the service answers. Return whether the message was sent."""
        return self._send("READY=1")

    def reloading(self) -> bool:
        """Report that the configuration is read again; `ready` ends that state."""
        # systemd orders a reload and its READY=1 by this clock (sd_notify(3)).
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> bool:
        """Report that the service stops."""
        return self._send("STOPPING=1")

    def _send(self, text: str) -> bool:
        if not self.address:
            return False
        # A leading @ means the NUL byte of Linux's abstract namespace (sd_notify(3)).
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.connect(name)
                channel.sendall(text.encode())
        except OSError as error:
            # Usual for STOPPING=1: --notify-await listens only until READY=1.
            LOG.info("Cannot notify %s: %s", self.address, error)
            return False
        return True


class Launcher(service.ProcessLauncher):
    """Starts a service, runs it until TERM or INT, and reloads it at HUP."""

    def __init__(
        self, conf: cfg.ConfigOpts, notifier: Notifier, check: Callable[[], object]
    ) -> None:
        """`check` raises cfg.Error if the configuration files are now invalid."""
        self._notifier = notifier
        self._check = check
        # put() runs in signal handlers, so it must be reentrant.
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        # A blocking get() can miss a signal that arrives just before it blocks, because Python runs
        # handlers only between its own steps. The C handler writes to this pipe at once.
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        super().__init__(conf, restart_method="mutate", no_fork=True)

    def add_signal_handlers(self) -> None:
        """Handle HUP from now on; TERM and INT still end the process at once.

        Before the service has started there is nothing to clean up, and a start may block for
        ever on a broker that does not answer.
        """
        self.signal_handler.clear()
        self.signal_handler.add_handler("SIGHUP", self._note)

    def launch_service(self, service: Any, workers: int = 1) -> None:
        """Start `service` and report that it is ready. Raises what its start raises."""
        self.service = service
        service.start()
        self.signal_handler.add_handlers(("SIGTERM", "SIGINT"), self._note)
        self.signal_handler.add_handler("SIGALRM", self._give_up)
        if self._notifier.ready():
            LOG.info("Said READY=1 to %s", self._notifier.address)

    def wait(self) -> int:
        """Wait for TERM or INT and stop the service. Return the exit status."""
        LOG.info("Waiting for signals in process %d", os.getpid())
        while (signum := self._next_signal()) == signal.SIGHUP:
            self.restart()
        LOG.info("Caught %s: stopping within %d s", signal.Signals(signum).name, self._limit)
        signal.alarm(self._limit)
        self._notifier.stopping()
        self.service.stop()
        self.service.wait()
        signal.alarm(0)
        LOG.info("Stopped in good order")
        return 0

    def restart(self) -> None:
        """Read the configuration again. An invalid one is logged and not applied."""
        LOG.info("Caught SIGHUP: reading the configuration again")
        self._notifier.reloading()
        problem = self._reread()
        if problem is None:
            self.service.reset()
            LOG.info("Reloaded")
        else:
            LOG.error("Configuration not applied: %s", problem)
        self._notifier.ready()

    def _reread(self) -> cfg.Error | None:
        try:
            # Check first: oslo.config would keep what it has read, even with an invalid value.
            self._check()
            self.conf.mutate_config_files()
        except cfg.Error as error:
            return error
        return None

    def _next_signal(self) -> int:
        while self._signals.empty():
            os.read(self._woken, 4096)
        return self._signals.get()

    @property
    def _limit(self) -> int:
        """Seconds that a stop may take; 0 means no limit, as in alarm(2)."""
        return int(self.conf.graceful_shutdown_timeout)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._signals.put(signum)

    def _give_up(self, signum: int, frame: FrameType | None) -> None:
        LOG.error("Not stopped within %d s: ending at once", self._limit)
        os._exit(1)
