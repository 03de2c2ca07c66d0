"""Whether a job comes back too often: only the decision (init(5), "respawn limit").

The window begins with its first respawn and does not slide. A start by hand begins it anew.
"""


class Respawns:
    """The respawns of one job: how many, in a window that has begun at a time in seconds."""

    __slots__ = ("begun", "count")

    def __init__(self) -> None:
        self.begun: float | None = None
        self.count = 0

    def is_too_fast(self, limit: int, interval: float, now: float) -> bool:
        """Count a respawn, and tell whether it is one too many. A limit of 0 is none."""
        if not limit or not interval:
            return False
        if self.begun is None or now - self.begun >= interval:
            self.begun, self.count = now, 1
            return False
        self.count += 1
        return self.count > limit
