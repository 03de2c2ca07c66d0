"""The life of the process: read the configuration, open the log, serve, wait."""

import functools
import logging
import os
import sys
from collections.abc import Sequence

from oslo_config import cfg

from ssd._version import __version__
from ssd.compute import config
from ssd.compute.backend import log
from ssd.compute.launcher import Launcher
from ssd.compute.notify import Notifier
from ssd.compute.service import Service
from ssd.statuses import FAILED, NOT_CONFIGURED

LOG = logging.getLogger(__name__)

TOPIC = "compute"


def run(arguments: Sequence[str]) -> int:
    """Serve until TERM or INT. Return the exit status (see `ssd.compute.cli`).

    Raises SystemExit for --help, --version and bad usage.
    """
    try:
        conf = config.load(arguments)
        log.setup(conf, config.PROGRAM)
    except (cfg.Error, log.LogConfigError, OSError) as error:
        sys.stderr.write(f"{config.PROGRAM}: cannot use the configuration: {error}\n")
        return NOT_CONFIGURED
    LOG.info(
        "%s %s in process %d, configuration: %s",
        config.PROGRAM,
        __version__,
        os.getpid(),
        ", ".join(conf.config_file) or "defaults",
    )
    launcher = Launcher(
        conf, Notifier.from_environment(), check=functools.partial(config.check, arguments)
    )
    try:
        service = Service.create(conf, binary=config.PROGRAM, topic=TOPIC)
        launcher.launch_service(service)
    except Exception:
        # Whatever it was: started by an init script, standard error is /dev/null, and only the
        # log can tell the reason.
        LOG.exception("Cannot start")
        return FAILED
    return launcher.wait()
