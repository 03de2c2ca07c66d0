"""The work of a compute node, as far as the embedded service does any."""

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
    """Answers RPC calls (the exposed methods) and inspects the host periodically."""

    target = messaging.Target(version="1.0")
    service_name = "compute"

    def __init__(self, conf: cfg.ConfigOpts, host: str) -> None:
        super().__init__(conf)
        self.host = host
        self._record: ServiceRecord | None = None

    # Called by the service.

    def init_host(self, record: ServiceRecord) -> None:
        """Prepare to serve; `record` is the record of the service."""
        self._record = record
        LOG.info("Initialized host %s: %d CPUs", self.host, os.cpu_count() or 1)

    def reset(self) -> None:
        """Inspect the host again after a reload of the configuration."""
        self._update_available_resource({})

    def cleanup_host(self) -> None:
        """Release the host, as the last step before the service ends."""
        LOG.info("Cleaned up host %s", self.host)

    def periodic_tasks(self, context: dict[str, Any]) -> Any:
        """Run the tasks that are due. Return the seconds until the next one."""
        return self.run_periodic_tasks(context)

    @periodic_task.periodic_task(spacing=60, run_immediately=True)
    def _update_available_resource(self, context: dict[str, Any]) -> None:
        """Put the resources of the host into the record, for the next report."""
        resources = self._resources()
        if self._record is not None:
            self._record.update(resources=resources)
        LOG.info("Available resources: %s", resources)

    # Called over RPC.

    @messaging.expose
    def get_host_uptime(self, context: dict[str, Any]) -> float:
        """Return the uptime of the host in seconds."""
        return float(time.time() - psutil.boot_time())

    @messaging.expose
    def get_available_resource(self, context: dict[str, Any]) -> dict[str, int]:
        """Return the current CPUs, memory (MiB) and disk space (GiB) of the host."""
        return self._resources()

    @messaging.expose
    def get_service_state(self, context: dict[str, Any]) -> dict[str, Any]:
        """Return the record of the service, as the next report would write it."""
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
