"""A service on a host: serves a manager over RPC, reports its state, runs periodic tasks."""

import logging
import os
import pathlib
import sys
from typing import Any

from oslo_config import cfg
from oslo_utils import importutils

from ssd._version import __version__
from ssd.compute import record as report
from ssd.compute.backend import messaging, service
from ssd.compute.rpc import BaseEndpoint, Bus

LOG = logging.getLogger(__name__)


class Service(service.Service):
    """A service with the methods that oslo.service's launchers call: start, stop, wait, reset."""

    def __init__(
        self, conf: cfg.ConfigOpts, *, host: str, binary: str, topic: str, manager: str
    ) -> None:
        super().__init__()
        self.conf = conf
        self.host = host
        self.binary = binary
        self.topic = topic
        self.manager = importutils.import_class(manager)(conf, host)
        path = pathlib.Path(conf.state_path, f"{host}.state.json").absolute()
        self.record = report.ServiceRecord(
            report.StateFile(path), host=host, binary=binary, topic=topic
        )
        self.bus = Bus(conf, topic=topic, host=host)
        self._report_timer: Any = None

    @classmethod
    def create(
        cls,
        conf: cfg.ConfigOpts,
        *,
        host: str | None = None,
        binary: str | None = None,
        topic: str | None = None,
        manager: str | None = None,
    ) -> "Service":
        """Return a service that is not started yet.

        Defaults: host and manager class from the configuration, binary from the name of this
        program, topic from the part of that name after the first hyphen. Raises ImportError for
        an unknown manager class, and OSError for an unreadable state file.
        """
        binary = binary or os.path.basename(sys.argv[0])
        made = cls(
            conf,
            host=host or conf.host,
            binary=binary,
            topic=topic or binary.partition("-")[2] or binary,
            manager=manager or conf.compute_manager,
        )
        LOG.info(
            "Created service: binary %s, topic %s, manager %s, host %s",
            made.binary,
            made.topic,
            type(made.manager).__name__,
            made.host,
        )
        return made

    def start(self) -> None:
        """Open the RPC server, check that it answers, report, and set the timers.

        Raises messaging.MessagingException and OSError, after closing everything again.
        """
        LOG.info("Starting %s node (version %s)", self.topic, __version__)
        try:
            self.manager.init_host(self.record)
            self._open_rpc()
            self.record.save(report.UP)
            self._set_timers()
        except BaseException:
            self._close()
            raise

    def _open_rpc(self) -> None:
        self.bus.open([self.manager, BaseEndpoint(self.manager.service_name)])
        self._ping()
        LOG.info(
            "RPC server answers: topic %s, server %s, transport %s",
            self.topic,
            self.host,
            self.bus.driver,
        )

    def _set_timers(self) -> None:
        self._set_report_timer()
        if self.conf.periodic_enable:
            self.tg.add_dynamic_timer_args(
                self.manager.periodic_tasks,
                [{}],
                periodic_interval_max=self.conf.periodic_interval_max,
            )

    def stop(self, graceful: bool = True) -> None:
        """End the timers, finish the RPC calls in progress, and write the last report.

        `graceful` exists for oslo.service; a stop is always graceful.
        """
        LOG.info("Stopping %s", self.binary)
        self._close()
        self.manager.cleanup_host()
        try:
            self.record.save(report.DOWN)
        except OSError as error:
            # A full disk must not prevent the stop.
            LOG.error("Cannot write the last report: %s", error)

    def _close(self) -> None:
        super().stop(graceful=True)
        self._report_timer = None
        self.bus.close()
        LOG.info("RPC server closed: topic %s", self.topic)

    def reset(self) -> None:
        """Apply a configuration after HUP. RPC continues to answer."""
        self.manager.reset()
        self._set_report_timer()
        self._check_rpc()

    def report_state(self) -> None:
        """Report once. An RPC server that does not answer is logged, and is not counted.

        A heartbeat alone does not prove health: after HUP nova-compute's continues although its
        RPC server is gone. Raises OSError if the report cannot be written.
        """
        self._check_rpc()
        self.record.save(report.UP)

    def _check_rpc(self) -> None:
        try:
            self._ping()
        except messaging.MessagingException as error:
            LOG.error("RPC server does not answer: %s", error)

    def _ping(self) -> None:
        self.bus.ping(self.host, self.conf.rpc_check_timeout)
        self.record.rpc_answered()

    def _set_report_timer(self) -> None:
        """Report from now on in the interval of the configuration."""
        if self._report_timer is not None:
            self._report_timer.stop()
            self.tg.timer_done(self._report_timer)
        interval = self.conf.report_interval
        # stop_on_exception=False: oslo.service logs an error and tries again after the interval;
        # a full disk must not end the reports permanently.
        self._report_timer = self.tg.add_timer_args(
            interval, self.report_state, initial_delay=interval, stop_on_exception=False
        )
        LOG.info("Reporting state every %g s to %s", interval, self.record.file.path)
