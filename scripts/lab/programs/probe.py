"""Query the message queue about a service of nova or of ssd.

probe.py CONFIG consumers QUEUE          print the number of consumers
probe.py CONFIG await QUEUE [SECONDS]    wait until it has a consumer
probe.py CONFIG deserted QUEUE [SECONDS] wait until it has none
probe.py CONFIG ping TOPIC HOST [SECONDS]            call the service's ping, print its answer
probe.py CONFIG talk TOPIC HOST [SECONDS]            for each line that is read, the name of a
                                         method, call it and print its answer

CONFIG is a nova.conf or an ssd-compute.conf: its transport_url is used. Exit status 0, or 1
with the reason on standard error.

nova-compute with its threading backend does not say READY=1, so a consumer on its queue
(compute.HOST) shows that it is ready: it starts to consume at the very end of its start, and the
broker drops the consumer when the process ends. A consumer does not prove health,
though: after a HUP nova-compute still has it and answers nothing. A ping that is answered is one.
"""

import configparser
import contextlib
import json
import sys
import time
import urllib.parse
import warnings

import amqp

POLL_INTERVAL = 0.2  # seconds between questions: a broker does not announce consumers


class Problem(Exception):
    """The question has a negative answer."""


def broker(config):
    """Return a connection to the broker that a configuration names."""
    parser = configparser.RawConfigParser(strict=False)
    with open(config) as file:
        parser.read_file(file)
    url = urllib.parse.urlsplit(parser["DEFAULT"]["transport_url"])
    connection = amqp.Connection(
        host=f"{url.hostname}:{url.port}",
        userid=url.username,
        password=url.password,
        virtual_host=url.path.lstrip("/"),
        connect_timeout=60,
    )
    connection.connect()
    return connection


def count(connection, queue):
    """Return the number of consumers; 0 also if the queue does not exist."""
    channel = connection.channel()
    try:
        return channel.queue_declare(queue, passive=True).consumer_count
    except amqp.NotFound:
        return 0  # the broker has closed the channel
    finally:
        if channel.is_open:
            channel.close()


def consumers(config, queue):
    """Print the number of consumers of a queue."""
    with broker(config) as connection:
        print(count(connection, queue))


def await_count(config, queue, seconds, wanted):
    """Poll until there are consumers, or none. Raises Problem."""
    deadline = time.monotonic() + float(seconds)
    with broker(config) as connection:
        while (count(connection, queue) > 0) != wanted:
            if time.monotonic() > deadline:
                state = "no process consumes" if wanted else "a process still consumes"
                raise Problem(f"{state} from {queue} after {seconds} seconds")
            # Sooner if the broker ends the connection, which raises.
            with contextlib.suppress(TimeoutError):
                connection.drain_events(timeout=POLL_INTERVAL)


def client(config, topic, host, seconds, **target):
    """Return an RPC client, and the transport to clean up when it is done."""
    from oslo_service import backend

    backend.init_backend(backend.BackendType.THREADING)  # or it takes eventlet
    import oslo_messaging as messaging
    from oslo_config import cfg

    conf = cfg.CONF
    conf([], project="probe", default_config_files=[config])
    messaging.TransportURL.parse(conf)  # registers the options that have the exchange among them
    conf.set_default("control_exchange", "ssd" if "ssd-compute" in config else "nova")
    transport = messaging.get_rpc_transport(conf)
    where = messaging.Target(topic=topic, server=host, **target)
    return messaging.get_rpc_client(transport, where, timeout=float(seconds)), transport


def ping(config, topic, host, seconds):
    """Call the ping of a service of nova (nova/baserpc.py) and print the answer."""
    caller, transport = client(config, topic, host, seconds, namespace="baseapi", version="1.1")
    print(json.dumps(caller.call({}, "ping", arg="lab")))
    transport.cleanup()


def talk(config, topic, host, seconds):
    """Call one method after the other, all through one connection, until the input ends."""
    caller, transport = client(config, topic, host, seconds, version="1.0")
    for line in sys.stdin:
        print(json.dumps(caller.call({}, line.strip())), flush=True)
    transport.cleanup()


def main(config, verb, *words):
    """Carry out one question. Raises Problem and what the libraries raise."""
    words = list(words)
    limits = {"await": 1, "deserted": 1, "ping": 2, "talk": 2}
    if len(words) == limits.get(verb):
        words.append("60")
    if verb == "consumers":
        consumers(config, *words)
    elif verb in ("await", "deserted"):
        await_count(config, *words, wanted=verb == "await")
    else:
        {"ping": ping, "talk": talk}[verb](config, *words)


if __name__ == "__main__":
    # futurist imports eventlet if it is installed, only to ask whether it is in use.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    try:
        main(*sys.argv[1:])
    except Problem as problem:
        sys.exit(f"probe.py: {problem}")
