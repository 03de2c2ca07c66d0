"""ssd-supervise --upstart, but with errors that nobody foresaw; run in a namespace.

usage: failing.py [OPTION...]

One comes for each of the files /run/fail1 and /run/fail2, which are removed by it.
"""

import os
import sys

from ssd.supervision.succession import recovery
from ssd.upstart import cli
from ssd.upstart.cli import foreground

FAILS = ("/run/fail1", "/run/fail2")


class Failing(foreground.Foreground):
    """Fails in a turn after somebody has wished it."""

    def _settle(self) -> None:
        super()._settle()
        for path in FAILS:
            if os.path.exists(path):
                os.unlink(path)
                raise RuntimeError("nobody foresaw this")


recovery.STEADY = 0.0
cli.Foreground = Failing  # type: ignore[misc]
sys.exit(cli.main(sys.argv))
