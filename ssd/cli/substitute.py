"""Called in start-stop-daemon's place by an init script under ``ssd-service --with-ssd``."""

import os


def leave(link: str) -> None:
    """Take the directory of the link off PATH: it was put there for the script, not for daemons."""
    directory = os.fsencode(os.path.dirname(link))
    kept = [each for each in os.environb.get(b"PATH", b"").split(b":") if each != directory]
    os.environb[b"PATH"] = b":".join(kept)
