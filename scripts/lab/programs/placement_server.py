"""Serve placement's WSGI application on a port of loopback: placement_server.py PORT."""

import sys

from placement.wsgi.api import application
from serving import serve

if __name__ == "__main__":
    serve(int(sys.argv[1]), application)
