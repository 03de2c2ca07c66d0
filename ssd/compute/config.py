"""The options of ssd-compute, and how they are read."""

import socket
from collections.abc import Sequence

from oslo_config import cfg

from ssd._version import __version__
from ssd.compute.backend import log, messaging, service_options

PROGRAM = "ssd-compute"

# Not nova's. On a broker that a real nova uses it takes a virtual host of its own besides: the
# names of oslo.messaging's queues are topic and topic.host, and have no exchange in them.
EXCHANGE = "ssd"

# The init script waits 30 s after TERM before it sends KILL (--retry=TERM/30/KILL/5). oslo's own
# limit is 60 s, so that the KILL would come first and the last report would never be written.
GRACEFUL_SHUTDOWN_SECONDS = 25

OPTIONS = [
    cfg.StrOpt(
        "host",
        default=socket.gethostname(),
        regex=r"^[^/\s]+$",
        help="Name of this compute node: its RPC server and its state file are called by it.",
    ),
    cfg.StrOpt(
        "state_path",
        default=".",
        help="Directory of the state file HOST.state.json; relative to where the service starts.",
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
        help="Longest pause, in seconds, between two looks for periodic tasks that are due.",
    ),
    cfg.StrOpt(
        "compute_manager",
        default="ssd.compute.manager.ComputeManager",
        help="Class that does the work: its exposed methods are the RPC interface.",
    ),
]


def load(arguments: Sequence[str], conf: cfg.ConfigOpts = cfg.CONF) -> cfg.ConfigOpts:
    """Read into `conf` the configuration that `arguments` (without the program's name) ask for.

    oslo.messaging 18 works with the global object only: it registers the options of its metrics
    and its tracing there and nowhere else (its _metrics/client.py and _tracing/client.py).
    Raises cfg.Error for a configuration that cannot be read or holds a value out of range, and
    SystemExit for --help, --version and bad usage (argparse: status 2).
    """
    conf.register_opts(OPTIONS)
    log.register_options(conf)
    service_options.register_service_opts(conf)
    conf.set_default("graceful_shutdown_timeout", GRACEFUL_SHUTDOWN_SECONDS)
    conf(list(arguments), project="ssd", prog=PROGRAM, version=__version__)
    # parse() is what registers transport_url; its own default is a broker on this machine.
    messaging.TransportURL.parse(conf)
    conf.set_default("transport_url", "fake://")
    conf.set_default("control_exchange", EXCHANGE)
    for option in OPTIONS:
        # oslo.config looks at a value only when it is asked for.
        conf[option.dest]
    messaging.TransportURL.parse(conf)
    return conf


def check(arguments: Sequence[str]) -> None:
    """Read the files that `arguments` name as they are now, without using them.

    Raises cfg.Error where `load` would.
    """
    load(arguments, cfg.ConfigOpts())
