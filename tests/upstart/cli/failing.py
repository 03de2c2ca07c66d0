"""ssd-supervise --upstart, but each HUP makes an error that nobody foresaw; run in a namespace."""

import os
import sys

from ssd.upstart import cli
from ssd.upstart.cli import foreground


class Failing(foreground.Foreground):
    """Fails where it would read the job files anew."""

    def reread(self) -> None:
        """Raise what nobody foresaw."""
        raise RuntimeError("nobody foresaw this")


cli.Foreground = Failing  # type: ignore[misc]
try:
    status = cli.main(sys.argv)
except RuntimeError as error:
    print(f"it ends: {error}", flush=True)
    status = 1
os._exit(status)
