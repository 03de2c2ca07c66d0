"""The options of ssd-compute, and how they are read."""

import socket
from collections.abc import Sequence

from oslo_config import cfg

from ssd._version import __version__
from ssd.compute.backend import log, messaging, service_options

PROGRAM = "ssd-compute"

# Different from nova's. On a broker that a real nova uses, a separate virtual host is needed too:
# oslo.messaging names its queues topic and topic.host, without the exchange.
EXCHANGE = "ssd"

# The init script sends KILL 30 s after TERM (--retry=TERM/30/KILL/5). With oslo's own limit of 60 s
# the KILL would come first, and the last report would never be written.
GRACEFUL_SHUTDOWN_SECONDS = 25

OPTIONS = [
    cfg.StrOpt(
        "host",
        default=socket.gethostname(),
        regex=r"^[^/\s]+$",
        help="Name of this compute node, of its RPC server and of its state file.",
    ),
    cfg.StrOpt(
        "state_path",
        default=".",
        help="Directory of the state file HOST.state.json, relative to the working directory.",
    ),
    cfg.FloatOpt(
        "report_interval",
        default=10.0,
        min=0.05,
        mutable=True,
        help="Seconds between two reports of the service's state. HUP applies a new value.",
    ),
    cfg.FloatOpt(
        "rpc_check_timeout",
        default=5.0,
        min=0.1,
        mutable=True,
        help="Seconds that the service waits for its own RPC server to answer a ping.",
    ),
    cfg.BoolOpt("periodic_enable", default=True, help="Run the manager's periodic tasks."),
    cfg.FloatOpt(
        "periodic_interval_max",
        default=60.0,
        min=0.1,
        help="Longest pause, in seconds, between two checks for periodic tasks that are due.",
    ),
    cfg.StrOpt(
        "compute_manager",
        default="ssd.compute.manager.ComputeManager",
        help="Class that does the work; its exposed methods are the RPC interface.",
    ),
]


def load(arguments: Sequence[str], conf: cfg.ConfigOpts = cfg.CONF) -> cfg.ConfigOpts:
    """Read the configuration for `arguments` (without the program's name) into `conf`.

    oslo.messaging 18 works only with the global object, where it registers the options of its
    metrics and tracing (_metrics/client.py and _tracing/client.py). Raises cfg.Error for an
    unreadable configuration or an invalid value, and SystemExit for --help, --version and bad
    usage (argparse: status 2).
    """
    conf.register_opts(OPTIONS)
    log.register_options(conf)
    service_options.register_service_opts(conf)
    conf.set_default("graceful_shutdown_timeout", GRACEFUL_SHUTDOWN_SECONDS)
    conf(list(arguments), project="ssd", prog=PROGRAM, version=__version__)
    # parse() registers transport_url, with a broker on this machine as its default.
    messaging.TransportURL.parse(conf)
    conf.set_default("transport_url", "fake://")
    conf.set_default("control_exchange", EXCHANGE)
    for option in OPTIONS:
        # oslo.config checks a value only when it is read.
        conf[option.dest]
    messaging.TransportURL.parse(conf)
    return conf


def check(arguments: Sequence[str]) -> None:
    """Check the current files of the configuration for `arguments` without applying them.

    Raises cfg.Error as `load` does.
    """
    load(arguments, cfg.ConfigOpts())
