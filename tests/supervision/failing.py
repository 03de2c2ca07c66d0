"""ssd-supervise, but an error that nobody foresaw comes once; run in a namespace.

usage: STEADY=SECONDS failing.py [OPTION...]
"""

import os
import sys

from ssd.supervision import cli
from ssd.supervision.cli import foreground
from ssd.supervision.succession import recovery

HAS_FAILED = "/run/has-failed"


class Failing(foreground.Foreground):
    """Fails in the first turn in which all services run."""

    def _settle(self) -> None:
        super()._settle()
        up = all(unit.is_up for unit in self.supervisor.units.values())
        if up and not os.path.exists(HAS_FAILED):
            os.close(os.open(HAS_FAILED, os.O_CREAT | os.O_CLOEXEC))
            raise RuntimeError("nobody foresaw this")


recovery.STEADY = float(os.environ["STEADY"])
cli.Foreground = Failing  # type: ignore[misc]
try:
    status = cli.main(sys.argv)
except RuntimeError as error:
    print(f"it ends: {error}", flush=True)
    status = 1
os._exit(status)
