"""The service on the message queue: one RPC server, and one client that calls it."""

from collections.abc import Iterable
from typing import Any

from oslo_config import cfg

from ssd.compute.backend import messaging

# nova's names (nova/baserpc.py), so that programs that ping nova can ping this service.
BASE_NAMESPACE = "baseapi"
BASE_VERSION = "1.1"


class BaseEndpoint:
    """The methods that every service answers, with any manager."""

    target = messaging.Target(namespace=BASE_NAMESPACE, version=BASE_VERSION)

    def __init__(self, service_name: str) -> None:
        self.service_name = service_name

    @messaging.expose
    def ping(self, context: dict[str, Any], arg: Any) -> dict[str, Any]:
        """Return `arg` and the name of the service that answers."""
        return {"service": self.service_name, "arg": arg}


class Bus:
    """The message queue for one service. It connects in `open`."""

    def __init__(self, conf: cfg.ConfigOpts, *, topic: str, host: str) -> None:
        self.topic = topic
        self.host = host
        self.transport = messaging.get_rpc_transport(conf)
        # The driver's name alone: the whole URL may hold a password.
        self.driver: str = messaging.TransportURL.parse(conf).transport
        self._server: Any = None

    def open(self, endpoints: Iterable[object]) -> None:
        """Start to serve `endpoints`; only their exposed methods can be called.

        Blocks until the broker accepts the connection. Raises messaging.MessagingException.
        """
        self._server = messaging.get_rpc_server(
            self.transport,
            messaging.Target(topic=self.topic, server=self.host),
            list(endpoints),
            access_policy=messaging.ExplicitRPCAccessPolicy,
        )
        self._server.start()

    def ping(self, arg: object, timeout: float) -> Any:
        """Ping our own server with `arg` over the queue, for at most `timeout` seconds.

        Raises messaging.MessagingTimeout, or another messaging.MessagingException.
        """
        return self.call("ping", timeout, namespace=BASE_NAMESPACE, version=BASE_VERSION, arg=arg)

    def call(
        self,
        method: str,
        timeout: float,
        *,
        namespace: str | None = None,
        version: str = "1.0",
        **arguments: object,
    ) -> Any:
        """Call `method` of our own server over the queue. Raises as `ping` does."""
        target = messaging.Target(
            topic=self.topic, server=self.host, namespace=namespace, version=version
        )
        client = messaging.get_rpc_client(self.transport, target, timeout=timeout)
        return client.call({}, method, **arguments)

    def close(self) -> None:
        """Accept no more calls, finish those in progress, disconnect. Can be repeated."""
        if self._server is not None:
            self._server.stop()
            self._server.wait()
            self._server = None
        self.transport.cleanup()
