"""The work of a compute node, as far as an embedded service has any."""

import logging
import os
import shutil
import time
from typing import Any

import psutil
from oslo_config import cfg

from ssd.compute.backend import messaging, periodic_task
from ssd.compute.record import ServiceRecord

LOG = logging.getLogger(__name__)

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3


class ComputeManager(periodic_task.PeriodicTasks):
    """Answers RPC calls (the exposed methods) and looks at the host from time to time."""

    target = messaging.Target(version="1.0")
    service_name = "compute"

    def __init__(self, conf: cfg.ConfigOpts, host: str) -> None:
        super().__init__(conf)
        self.host = host
        self._record: ServiceRecord | None = None

    # What the service calls.

    def init_host(self, record: ServiceRecord) -> None:
        """Get ready to serve; `record` is what the service knows of itself."""
        self._record = record
        LOG.info("Initialized host %s: %d CPUs", self.host, os.cpu_count() or 1)

    def reset(self) -> None:
        """Look at the host again now that the configuration has been read again."""
        self._update_available_resource({})

    def cleanup_host(self) -> None:
        """Let go of the host: the last thing before the service ends."""
        LOG.info("Cleaned up host %s", self.host)

    def periodic_tasks(self, context: dict[str, Any]) -> Any:
        """Run the tasks that are due. Return the seconds until the next one is."""
        return self.run_periodic_tasks(context)

    @periodic_task.periodic_task(spacing=60, run_immediately=True)
    def _update_available_resource(self, context: dict[str, Any]) -> None:
        """Note what the host has, in the record that the next report writes."""
        resources = self._resources()
        if self._record is not None:
            self._record.update(resources=resources)
        LOG.info("Available resources: %s", resources)

    # What others call over RPC.

    @messaging.expose
    def get_host_uptime(self, context: dict[str, Any]) -> float:
        """Return how long the host has been up, in seconds."""
        return float(time.time() - psutil.boot_time())

    @messaging.expose
    def get_available_resource(self, context: dict[str, Any]) -> dict[str, int]:
        """Return CPUs, memory in MiB and disk in GiB of the host, as they are now."""
        return self._resources()

    @messaging.expose
    def get_service_state(self, context: dict[str, Any]) -> dict[str, Any]:
        """Return the service's record, as the next report would write it."""
        return {} if self._record is None else self._record.snapshot()

    def _resources(self) -> dict[str, int]:
        memory = psutil.virtual_memory()
        disk = shutil.disk_usage(self.conf.state_path)
        return {
            "vcpus": os.cpu_count() or 1,
            "memory_mb": memory.total // MEBIBYTE,
            "memory_mb_used": (memory.total - memory.available) // MEBIBYTE,
            "local_gb": disk.total // GIBIBYTE,
            "local_gb_used": disk.used // GIBIBYTE,
        }
