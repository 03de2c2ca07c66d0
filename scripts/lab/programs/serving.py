"""Serve a WSGI application on a port of loopback, and say READY=1 once the port listens.

The lab's programs for nova's API and for placement do this: the projects bring the applications
and leave the server to their installer. One thread for each request is enough for one compute
node.
"""

import os
import socket
import socketserver
import wsgiref.simple_server


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A thread for each request, none of which keeps the server from ending."""

    daemon_threads = True
    request_queue_size = 128  # a rollout asks for many hosts at once

    def server_bind(self):
        """Bind without asking the resolver for our name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()


def serve(port, application):
    """Serve until the process ends."""
    with wsgiref.simple_server.make_server(
        "127.0.0.1", port, application, server_class=Server
    ) as server:
        _say_ready()
        server.serve_forever()


def _say_ready():
    """Notify the process that started us: sd_notify(3)."""
    address = os.environ.pop("NOTIFY_SOCKET", None)
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"READY=1", address)
