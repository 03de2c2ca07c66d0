"""The uptime and the memory of a process, for the sentence of ``status``."""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process

_TICKS, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class Vitals:
    """uptime: seconds since the start of the process. memory: its resident set, in bytes."""

    __slots__ = ("uptime", "memory")

    def __init__(self, uptime: float, memory: int) -> None:
        self.uptime = uptime
        self.memory = memory

    def __str__(self) -> str:
        return f"up {duration(self.uptime)}, {size(self.memory)}"


def vitals(process: "Process") -> Vitals | None:
    """Return the vitals of a process, None if it has ended."""
    return _of_kernel(process) if sys.platform == "linux" else _of_psutil(process)


def _of_kernel(process: "Process") -> Vitals | None:
    """Read /proc directly (proc(5)): to import psutil takes twice as long as to start Python."""
    try:
        fd = os.open(f"/proc/{process.pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        stat = os.read(fd, 2048)
    except OSError:  # it has just ended
        return None
    finally:
        os.close(fd)
    fields = stat[stat.rindex(b")") + 2 :].split(b" ", 22)
    if int(fields[19]) != process.start_time:
        return None
    # The clock of start times, which also runs while the machine sleeps.
    uptime = time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_time / _TICKS
    return Vitals(max(0.0, uptime), int(fields[21]) * _PAGE)


def _of_psutil(process: "Process") -> Vitals | None:
    """Ask psutil, on systems without /proc."""
    import psutil

    try:
        found = psutil.Process(process.pid)
        return Vitals(time.time() - found.create_time(), found.memory_info().rss)
    except psutil.Error:
        return None


def duration(seconds: float) -> str:
    """Write a time with its two largest units: ``3 d 4 h``."""
    left = int(seconds)
    parts: list[str] = []
    for length, unit in _UNITS:
        count, left = divmod(left, length)
        if count or parts or unit == "s":
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def size(count: int) -> str:
    """Write a number of bytes in a unit that fits: ``12.4 MB``."""
    number, unit = float(count), "kB"
    number /= 1000
    for larger in ("MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.1f} {unit}"
