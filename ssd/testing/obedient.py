"""The near end of a process that does as it is told."""

from typing import IO


class Obedient:
    """A process that runs ``ssd.testing.child``: where it is told, and where it answers."""

    def __init__(self, pid: int, orders: IO[str], answers: IO[str]) -> None:
        self.pid = pid
        self._orders = orders
        self._answers = answers

    def tell(self, command: str) -> str:
        """Give it a command; return its answer."""
        self._orders.write(f"{command}\n")
        self._orders.flush()
        return self.hear()

    def hear(self, expected: str | None = None) -> str:
        """Return what it says next. Raises RuntimeError if it says something else."""
        said = self._answers.readline().rstrip("\n")
        if not said or (expected is not None and said != expected):
            raise RuntimeError(f"child {self.pid} said {said!r}")
        return said

    def close(self) -> None:
        """Let go of it; it ends, unless it is stopped."""
        self._orders.close()
        self._answers.close()
