"""The lab's services, each declared once, in ssd's own terms (docs/reference/service.md)."""

from lab.layout import HOST, USER, Lab
from ssd.service import Service

NAMES = ("epmd", "broker", "placement", "conductor")  # in the order in which they start
ON_REQUEST = ("api",)  # started by its name only: nova-compute does without
COMPUTE_QUEUE = f"compute.{HOST}"
START_SECONDS = 600  # for one service, on a busy machine
BROKER = "usr/lib/rabbitmq/bin/rabbitmq-server"  # below the directory of unpacked packages

_CONNECT = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"
_NOTIFIES = {"kind": "notify", "timeout": START_SECONDS}


def everything(lab: Lab) -> list[Service]:
    """Return the services in the order in which they start, those on request last."""
    conductor = [*database_options(lab), "--log-file", f"{lab.log}/nova-conductor.log"]
    connects = [str(lab.command("python")), "-c", _CONNECT, str(lab.ports["epmd"])]
    return [
        _service(lab, "epmd", _epmd(lab), _succeeds(connects)),
        _service(lab, "broker", _broker(lab), _NOTIFIES),
        _service(lab, "placement", _placement(lab), _NOTIFIES),
        _service(
            lab,
            "conductor",
            [str(lab.command("nova-conductor")), *conductor],
            consumes(lab, "conductor"),
        ),
        _service(lab, "api", _api(lab), _NOTIFIES),
    ]


def _service(lab: Lab, name: str, argv: list[str], readiness: dict[str, object]) -> Service:
    """Declare a service of the lab's user."""
    return Service(
        name=name,
        executable=argv[0],
        arguments=argv[1:],
        pidfile=str(lab.run / f"{name}.pid"),
        user=USER,
        group=USER,
        working_directory=str(lab.state),
        output=str(lab.log / f"{name}.out"),
        stop_schedule="TERM/300/KILL/60",
        readiness=readiness,
    )


def consumes(lab: Lab, queue: str) -> dict[str, object]:
    """Return the readiness of a service of nova: it consumes from its queue.

    Each question takes at most a second, so that the end of the service is noticed.
    """
    return _succeeds([*probe(lab), "await", queue, "1"])


def _succeeds(command: list[str]) -> dict[str, object]:
    return {"kind": "command", "timeout": START_SECONDS, "command": command}


def probe(lab: Lab) -> list[str]:
    """Return the words that ask the broker; see programs/probe.py."""
    return [str(lab.command("python")), str(lab.bin / "probe.py"), str(lab.etc / "nova.conf")]


def database_options(lab: Lab) -> tuple[str, ...]:
    """Return the options of a program of nova that may read the databases."""
    return ("--config-file", f"{lab.etc}/nova.conf", "--config-file", f"{lab.etc}/conductor.conf")


def _epmd(lab: Lab) -> list[str]:
    """Return the words that run Erlang's port mapper.

    The broker would start one by itself, as a daemon that outlives it and is never stopped.
    """
    variables = [f"{name}={value}" for name, value in _erlang(lab).items()]
    return ["/usr/bin/env", *variables, "epmd", "-port", str(lab.ports["epmd"])]


def _broker(lab: Lab) -> list[str]:
    """Return the words that run RabbitMQ. With NOTIFY_SOCKET it does not fork."""
    words = [f"{name}={value}" for name, value in broker_environment(lab).items()]
    return ["/usr/bin/env", *words, str(lab.debian / BROKER)]


def broker_environment(lab: Lab) -> dict[str, str]:
    """Return the variables of RabbitMQ and of Erlang, which are only unpacked."""
    directory = lab.data / "broker"
    settings = {
        **_erlang(lab),
        "HOME": directory,
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_NODENAME": "nova-lab@localhost",
        "RABBITMQ_CONFIG_FILE": lab.etc / "rabbitmq.conf",
        "RABBITMQ_MNESIA_BASE": directory / "mnesia",
        "RABBITMQ_LOG_BASE": lab.log,
        "RABBITMQ_ENABLED_PLUGINS_FILE": directory / "enabled_plugins",
        "RABBITMQ_DIST_PORT": lab.ports["distribution"],
        "ERL_EPMD_PORT": lab.ports["epmd"],
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
    }
    return {name: str(value) for name, value in settings.items()}


def _erlang(lab: Lab) -> dict[str, str]:
    """Return the environment of Erlang's programs, which are only unpacked."""
    binaries = [lab.bin, *lab.debian.glob("usr/lib/erlang/erts-*/bin"), lab.debian / "usr/bin"]
    libraries = {str(file.parent) for file in lab.debian.glob("usr/lib/*/*.so*")}
    path = ":".join([*map(str, binaries), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
    return {
        "PATH": path,
        "LD_LIBRARY_PATH": ":".join(sorted(libraries)),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }


def _placement(lab: Lab) -> list[str]:
    program = lab.bin / "placement_server.py"
    directory = f"OS_PLACEMENT_CONFIG_DIR={lab.etc}/placement"
    port = str(lab.ports["placement"])
    return ["/usr/bin/env", directory, str(lab.command("python")), str(program), port]


def _api(lab: Lab) -> list[str]:
    """Return the words that run nova's API, which may read the databases."""
    settings = [
        f"OS_NOVA_CONFIG_DIR={lab.etc}",
        "OS_NOVA_CONFIG_FILES=api-paste.ini;nova.conf;conductor.conf",
    ]
    program = [str(lab.command("python")), str(lab.bin / "api_server.py"), str(lab.ports["api"])]
    return ["/usr/bin/env", *settings, *program, str(lab.etc / "token")]
