"""Serve placement's WSGI application on a port of loopback: placement_server.py PORT.

openstack-placement brings the application and leaves the server to its installer. One
thread for each request is enough for one compute node. Says READY=1 once the port listens.
"""

import os
import socket
import socketserver
import sys
import wsgiref.simple_server

from placement.wsgi.api import application


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """A thread for each request, none of which keeps the server from ending."""

    daemon_threads = True

    def server_bind(self):
        """Bind without asking the resolver for our name."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]
        self.setup_environ()


def say_ready():
    """Notify the process that started us: sd_notify(3)."""
    address = os.environ.pop("NOTIFY_SOCKET", None)
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(b"READY=1", address)


if __name__ == "__main__":
    with wsgiref.simple_server.make_server(
        "127.0.0.1", int(sys.argv[1]), application, server_class=Server
    ) as server:
        say_ready()
        server.serve_forever()
