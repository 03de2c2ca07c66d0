"""The earlier name of ``ssd.aio``, which stays."""

from ssd.aio import start, stop, stop_all, wait

__all__ = ["start", "stop", "stop_all", "wait"]
