"""The earlier name of ``ssd.aio``: the same module, so that a patch of one reaches the other."""

import sys

from ssd import aio
from ssd.aio import start, stop, stop_all, wait

__all__ = ["start", "stop", "stop_all", "wait"]

sys.modules[__name__] = aio
