"""The mark of a pidfile: it identifies the process, even if its pid is reused later.

It is an extended attribute of the file (xattr(7)), so the text stays a plain pid. It contains the
file's modification time, so it is valid only until the file is written again; a rename keeps both.
Only a user who could write the text can write the attribute, so both deserve the same trust.
"""

from ssd.matching import UNKNOWN_START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable


class Mark:
    """A process as it can be identified later: pid, start time, and what that counts from."""

    __slots__ = ("pid", "start_time", "boot", "clock")

    def __init__(self, pid: int, start_time: int, boot: bytes, clock: bytes) -> None:
        self.pid = pid
        self.start_time = start_time
        self.boot = boot
        self.clock = clock

    def text(self, written: int) -> bytes:
        """Return the attribute's value for a file with the st_mtime_ns ``written``."""
        return b"%d %d %s %s %d" % (
            self.pid, self.start_time, self.boot or b"-", self.clock, written,
        )  # fmt: skip

    def excludes(self, process: "Process", table: "ProcessTable") -> bool:
        """Return whether a process with the same pid is certainly not the marked one.

        False if that is unknown, because a living daemon must not be overlooked.
        """
        origin = table.origin
        if origin is None:
            return False
        same = process.start_time == self.start_time
        if same and origin.is_boot(self.boot):
            return False
        boot = origin.boot()
        if boot and self.boot and boot != self.boot:
            return True  # the machine has rebooted since
        if same or process.start_time == UNKNOWN_START:
            return False
        # Another time namespace shifts every start time (time_namespaces(7)).
        return self.clock == origin.clock()


def parse(value: bytes, written: int) -> Mark | None:
    """Parse a mark; return None if it is invalid, or the file was written after it."""
    words = value.split(b" ")
    if len(words) != 5 or words[4] != b"%d" % written:
        return None
    pid, start_time, boot, clock = words[:4]
    try:
        return Mark(int(pid), int(start_time), b"" if boot == b"-" else boot, clock)
    except ValueError:
        return None
