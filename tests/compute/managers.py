"""Managers that behave badly, for the option compute_manager."""

import threading

from ssd.compute.manager import ComputeManager


class Broken(ComputeManager):
    """Cannot serve."""

    def init_host(self, record: object) -> None:
        """Fail."""
        raise RuntimeError("no hypervisor")


class Hanging(ComputeManager):
    """Never lets go of the host."""

    def cleanup_host(self) -> None:
        """Wait for ever."""
        threading.Event().wait()
