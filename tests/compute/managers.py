"""Faulty managers for the option compute_manager."""

import threading

from ssd.compute.manager import ComputeManager


class Broken(ComputeManager):
    """A manager that cannot serve."""

    def init_host(self, record: object) -> None:
        """Fail."""
        raise RuntimeError("no hypervisor")


class Hanging(ComputeManager):
    """A manager that never releases the host."""

    def cleanup_host(self) -> None:
        """Wait for ever."""
        threading.Event().wait()
