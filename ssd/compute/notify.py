"""Tell whoever started the service how far it has come, as sd_notify(3) describes.

oslo.service cannot be used for it: its threading backend never says READY=1 for a service that
runs in the main process, and with worker processes cotyledon says it before the first worker
exists. Its systemd module knows READY=1 only.
"""

import logging
import os
import socket
import time
from collections.abc import MutableMapping

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
