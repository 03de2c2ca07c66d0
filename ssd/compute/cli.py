"""The command ssd-compute, and the life of its process.

Exit statuses, with LSB's numbers for init scripts where it has one: 0 stopped in good order,
1 could not start, 2 bad usage, 5 the extra ``compute`` is not installed, 6 the configuration
cannot be used. ``--installed`` starts nothing: status 0 or 5 says whether the extra is there.
"""

import functools
import logging
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ssd._version import __version__
from ssd.statuses import FAILED, NOT_CONFIGURED, NOT_INSTALLED, SUCCESS

LOG = logging.getLogger(__name__)

# What the extra brings; oslo.service's threading backend needs the last two.
LIBRARIES = (
    "oslo_config",
    "oslo_log",
    "oslo_messaging",
    "oslo_service",
    "oslo_utils",
    "cotyledon",
    "futurist",
)
TOPIC = "compute"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the service until it is told to stop. Return the exit status.

    `arguments` are those of the command line without the program's name; None: sys.argv's.
    """
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"ssd-compute: {', '.join(missing)} not found;"
            " pip install 'start-stop-daemon[compute]' brings it\n"
        )
        return NOT_INSTALLED
    words = sys.argv[1:] if arguments is None else arguments
    if list(words) == ["--installed"]:
        return SUCCESS
    return run(words)


def run(arguments: Sequence[str]) -> int:
    """Read the configuration, open the log, and serve until TERM or INT. Return the exit status.

    Raises SystemExit for --help, --version and bad usage.
    """
    from oslo_config import cfg

    from ssd.compute import config
    from ssd.compute.backend import log
    from ssd.compute.launcher import Launcher, Notifier
    from ssd.compute.service import Service

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
        # Any error: under an init script standard error is /dev/null, so only the log can tell
        # the reason.
        LOG.exception("Cannot start")
        return FAILED
    return launcher.wait()
