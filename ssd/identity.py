"""What a running process is known by: its pid and its start time."""


class Process:
    """One process, identified by pid *and* start time.

    A pid alone is never an identity: the kernel gives it to another process as soon as
    its owner has been reaped. ``start_time`` is an integer in the unit of the process
    table that made it: clock ticks since boot on Linux (field 22 of ``/proc/PID/stat``,
    proc(5)), microseconds since the epoch elsewhere. Two of them are equal if both
    numbers are.
    """

    __slots__ = ("pid", "start_time")

    def __init__(self, pid: int, start_time: int) -> None:
        self.pid: int = pid
        self.start_time: int = start_time

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Process):
            return NotImplemented
        return self.pid == other.pid and self.start_time == other.start_time

    def is_still(self, seen: "Process | None") -> bool:
        """Say whether what has the pid now is this process.

        One that was met unseen is known by its pid alone. One that was seen has to be seen:
        it may have hidden itself since, but so may a stranger who was given its pid.
        """
        if seen is None or self.start_time != UNKNOWN_START:
            return self == seen
        return self.pid == seen.pid

    def __hash__(self) -> int:
        return hash((self.pid, self.start_time))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(pid={self.pid}, start_time={self.start_time})"


UNKNOWN_START = 0  # the start time of a process that exists and shows nothing of itself
