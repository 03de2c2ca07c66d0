"""The mark of a pidfile: which process it was written for; its pid may be another's by now.

It is an extended attribute of the file (xattr(7)), so that the text stays a pid and nothing
else, and counts as long as nobody has written the file since: it has the time of that. What
renames the file keeps both. Who can write the attribute could write the text as well, so
whoever believes the one may believe the other.
"""

from ssd.matching import UNKNOWN_START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable


class Mark:
    """A process as another one can know it later: pid, start time, and what that counts from."""

    __slots__ = ("pid", "start_time", "boot", "clock")

    def __init__(self, pid: int, start_time: int, boot: bytes, clock: bytes) -> None:
        self.pid = pid
        self.start_time = start_time
        self.boot = boot
        self.clock = clock

    def text(self, written: int) -> bytes:
        """Return the attribute of a file that was last modified at ``written`` (st_mtime_ns)."""
        return b"%d %d %s %s %d" % (
            self.pid, self.start_time, self.boot or b"-", self.clock, written,
        )  # fmt: skip

    def denies(self, process: "Process", table: "ProcessTable") -> bool:
        """Tell whether a process with the pid is surely not the one that was marked.

        Where that cannot be told, it is not: a daemon that lives must not be lost.
        """
        origin = table.origin
        if origin is None:
            return False
        same = process.start_time == self.start_time
        if same and origin.is_boot(self.boot):
            return False
        boot = origin.boot()
        if boot and self.boot and boot != self.boot:
            return True  # the machine was started anew since
        if same or process.start_time == UNKNOWN_START:
            return False
        # In another time namespace every start time is shifted (time_namespaces(7)).
        return self.clock == origin.clock()


def parse(value: bytes, written: int) -> Mark | None:
    """Read a mark; None if it is none, or that of a file as it was at another time."""
    words = value.split(b" ")
    if len(words) != 5 or words[4] != b"%d" % written:
        return None
    pid, start_time, boot, clock = words[:4]
    try:
        return Mark(int(pid), int(start_time), b"" if boot == b"-" else boot, clock)
    except ValueError:
        return None
