"""The lab's services, each declared once."""

from typing import NamedTuple

from lab.layout import HOST, Lab, Unsuitable

COMPUTE_QUEUE = f"compute.{HOST}"

# How a service lets us know that it is ready.
NOTIFY = "READY=1"
PORT = "port"
CONSUMER = "consumer"


class Service(NamedTuple):
    """What ssd needs to know of one service. ``ready`` is one of the three words above."""

    name: str
    argv: tuple[str, ...]
    ready: str
    subject: str = ""  # the port's name, or the queue


def everything(lab: Lab) -> list[Service]:
    """Return the services in the order in which they start, nova-compute last."""
    return [
        Service("epmd", _epmd(lab), PORT, "epmd"),
        Service("broker", _broker(lab), NOTIFY),
        Service("placement", _placement(lab), NOTIFY),
        Service(
            "conductor",
            (str(lab.command("nova-conductor")), *database_options(lab))
            + ("--log-file", f"{lab.log}/nova-conductor.log"),
            CONSUMER,
            "conductor",
        ),
        Service("compute", (), CONSUMER, COMPUTE_QUEUE),  # the init script starts it
    ]


def named(lab: Lab, name: str) -> Service:
    """Return the service of that name. Raises Unsuitable."""
    for service in everything(lab)[:-1]:
        if service.name == name:
            return service
    raise Unsuitable(f"no service {name}")


def database_options(lab: Lab) -> tuple[str, ...]:
    """Return the options of a program of nova that may read the databases."""
    return ("--config-file", f"{lab.etc}/nova.conf", "--config-file", f"{lab.etc}/conductor.conf")


def _epmd(lab: Lab) -> tuple[str, ...]:
    """Return the words that run Erlang's port mapper.

    The broker would start one by itself, as a daemon that outlives it and that nobody stops.
    """
    return ("/usr/bin/env", *_erlang(lab), "epmd", "-port", str(lab.ports["epmd"]))


def _broker(lab: Lab) -> tuple[str, ...]:
    """Return the words that run RabbitMQ. Given NOTIFY_SOCKET it stays the process started."""
    folder = lab.data / "broker"
    settings = {
        "HOME": folder,
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": "nova-lab@localhost",
        "RABBITMQ_CONFIG_FILE": lab.etc / "rabbitmq.conf",
        "RABBITMQ_MNESIA_BASE": folder / "mnesia",
        "RABBITMQ_LOG_BASE": lab.log,
        "RABBITMQ_ENABLED_PLUGINS_FILE": folder / "enabled_plugins",
        "RABBITMQ_DIST_PORT": lab.ports["distribution"],
        "ERL_EPMD_PORT": lab.ports["epmd"],
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    words = tuple(f"{name}={value}" for name, value in settings.items())
    program = lab.debian / "usr/lib/rabbitmq/bin/rabbitmq-server"
    return ("/usr/bin/env", *_erlang(lab), *words, str(program))


def _erlang(lab: Lab) -> tuple[str, ...]:
    """Return what Erlang's programs need in the environment, unpacked as they are."""
    binaries = [lab.bin, *lab.debian.glob("usr/lib/erlang/erts-*/bin"), lab.debian / "usr/bin"]
    libraries = {str(file.parent) for file in lab.debian.glob("usr/lib/*/*.so*")}
    path = ":".join([*map(str, binaries), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
    return (
        f"PATH={path}",
        f"LD_LIBRARY_PATH={':'.join(sorted(libraries))}",
        "ERL_EPMD_ADDRESS=127.0.0.1",
    )


def _placement(lab: Lab) -> tuple[str, ...]:
    program = lab.bin / "placement_server.py"
    folder = f"OS_PLACEMENT_CONFIG_DIR={lab.etc}/placement"
    port = str(lab.ports["placement"])
    return ("/usr/bin/env", folder, str(lab.command("python")), str(program), port)
