"""A shell declaration as a text, and how tests read it."""

from ssd.service import Service
from ssd.service.sources import shell

FILE = "/etc/ssd/nap"
HEAD = "DAEMON=/bin/sleep\nDAEMON_ARGS=300\n"
GIVEN = {b"PATH": b"/usr/bin:/bin", b"LANG": b"C"}


def loads(text: str, first: str = "", **given: bytes) -> Service:
    """Read a text with hardly any environment."""
    environment = {**GIVEN, **{name.encode(): value for name, value in given.items()}}
    return shell.loads(f"{first}{HEAD}{text}", FILE, environment)
