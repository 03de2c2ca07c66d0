"""Run one service in the main process and wait for signals.

This is oslo.service's ProcessLauncher with ``no_fork=True``, which nova-compute uses, with what
its threading backend (oslo.service 4.8, backend/_threading/service.py) lacks put right:

* HUP: `_reload_service` raises SystemExit in the main thread. The timers' threads keep the
  process and its heartbeat alive, but no signal is handled any more and RPC ends. Here HUP reads
  the configuration again and the service goes on.
* TERM: `_graceful_shutdown` runs in the signal handler and ends in os._exit, in the middle of
  whatever the main thread did, a start included. Here a handler only notes the signal.
* Nothing says READY=1 for a service in the main process, and oslo.service's systemd module knows
  no other state. Here `Notifier` tells NOTIFY_SOCKET.

The launcher with worker processes is no way out: cotyledon says READY=1 before a worker exists,
and a killed master leaves its worker behind for a moment, in which a second service can start.
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
    """The sender's end of NOTIFY_SOCKET. Without an address it does nothing."""

    def __init__(self, address: str | None = None) -> None:
        self.address = address

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> "Notifier":
        """Take the address out of `environment`, so that no child speaks in our name."""
        return cls(environment.pop("NOTIFY_SOCKET", None))

    def ready(self) -> bool:
        """Say that the service answers. Return whether anybody was told."""
        return self._send("READY=1")

    def reloading(self) -> bool:
        """Say that the configuration is being read again; `ready` ends that state."""
        # systemd orders a reload and its READY=1 by this clock (sd_notify(3)).
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> bool:
        """Say that the service is on its way down."""
        return self._send("STOPPING=1")

    def _send(self, text: str) -> bool:
        if not self.address:
            return False
        # A leading @ stands for the NUL byte of Linux's abstract namespace (sd_notify(3)).
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.connect(name)
                channel.sendall(text.encode())
        except OSError as error:
            # Usual for STOPPING=1: --notify-await listens until READY=1 and no longer.
            LOG.info("Nobody to notify at %s: %s", self.address, error)
            return False
        return True


class Launcher(service.ProcessLauncher):
    """Starts a service, keeps it until TERM or INT, and has it reload at HUP."""

    def __init__(
        self, conf: cfg.ConfigOpts, notifier: Notifier, check: Callable[[], object]
    ) -> None:
        """`check` raises cfg.Error if the configuration files cannot be used as they are now."""
        self._notifier = notifier
        self._check = check
        # Its put() may be called while the same thread is inside get() (queue.SimpleQueue).
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        super().__init__(conf, restart_method="mutate", no_fork=True)

    def add_signal_handlers(self) -> None:
        """Take HUP from now on; TERM and INT still end the process at once.

        Nothing is there to put in order before the service has started, and a start may block
        for ever on a broker that does not answer.
        """
        self.signal_handler.clear()
        self.signal_handler.add_handler("SIGHUP", self._note)

    def launch_service(self, service: Any, workers: int = 1) -> None:
        """Start `service`, and say so. Raises what its start raises."""
        self.service = service
        service.start()
        self.signal_handler.add_handlers(("SIGTERM", "SIGINT"), self._note)
        self.signal_handler.add_handler("SIGALRM", self._give_up)
        if self._notifier.ready():
            LOG.info("Said READY=1 to %s", self._notifier.address)

    def wait(self) -> int:
        """Wait for TERM or INT and stop the service. Return the exit status."""
        LOG.info("Waiting for signals in process %d", os.getpid())
        while (signum := self._signals.get()) == signal.SIGHUP:
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
        """Read the configuration again. One that cannot be used is logged and not applied."""
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
            # First: oslo.config keeps what it has read, even if a value in it is out of range.
            self._check()
            self.conf.mutate_config_files()
        except cfg.Error as error:
            return error
        return None

    @property
    def _limit(self) -> int:
        """Seconds that a stop may take; 0 means for ever, as alarm(2) has it."""
        return int(self.conf.graceful_shutdown_timeout)

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self._signals.put(signum)

    def _give_up(self, signum: int, frame: FrameType | None) -> None:
        LOG.error("Not stopped within %d s: ending at once", self._limit)
        os._exit(1)
