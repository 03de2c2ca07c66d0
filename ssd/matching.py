"""The identity of a process, and the criteria that say which processes are meant.

The criteria are those of start-stop-daemon(8), "Matching options"; all that are given
must hold.
"""

import os

NAME_LIMIT = 15  # bytes of a name that Linux keeps: TASK_COMM_LEN less one, linux/sched.h

UNKNOWN_START = 0  # the start time of a process that exists but cannot be read


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
        """Tell whether ``seen``, which has the pid now, is this process. None is not.

        If this process has no start time, the pid decides. Otherwise ``seen`` must have the same
        start time: one that cannot be read may be another process.
        """
        if seen is None or self.start_time != UNKNOWN_START:
            return self == seen
        return self.pid == seen.pid

    def __hash__(self) -> int:
        return hash((self.pid, self.start_time))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(pid={self.pid}, start_time={self.start_time})"


def fits(name: str) -> bool:
    """Tell whether the kernel can keep a name of a process, surely."""
    return name.isascii() and len(name) <= NAME_LIMIT


class Match:
    """The processes that are meant; every criterion that is given must hold.

    pid: process id, greater than 0.
    ppid: process id of the parent, greater than 0.
    pidfile: path of a file that holds the pid (str, bytes or os.PathLike).
    exec: path of the executable that the process runs, compared by device and inode.
    name: the kernel's name of the process (comm), 15 bytes at most on Linux: a longer one
        finds nothing, and MatchWarning says so.
    user: the owner of the process: user name, or uid as a number or as a string of digits.

    Two are equal if all their criteria are. Raises ValueError if no criterion is given, if a
    pid is not positive, or if both pid and pidfile are given; TypeError for a value that is not
    text.
    """

    __slots__ = ("pid", "ppid", "pidfile", "exec", "name", "user")

    def __init__(
        self,
        *,
        pid: int | None = None,
        ppid: int | None = None,
        pidfile: "str | bytes | os.PathLike[str] | None" = None,
        exec: "str | bytes | os.PathLike[str] | None" = None,
        name: str | bytes | None = None,
        user: str | int | None = None,
    ) -> None:
        if all(each is None for each in (pid, ppid, pidfile, exec, name, user)):
            raise ValueError("a Match needs at least one of pid, ppid, pidfile, exec, name, user")
        if pid is not None and pidfile is not None:
            raise ValueError("a Match takes either pid or pidfile, not both")
        for label, number in (("pid", pid), ("ppid", ppid)):
            if number is not None and not (isinstance(number, int) and number > 0):
                raise ValueError(f"{label} must be a number greater than 0, not {number!r}")
        self.pid: int | None = pid
        self.ppid: int | None = ppid
        self.pidfile: str | bytes | None
        self.exec: str | bytes | None
        self.name: str | bytes | None
        self.user: str | int | None
        for label, value in (("pidfile", pidfile), ("exec", exec), ("name", name), ("user", user)):
            if not (value is None or type(value) is str and (label != "name" or fits(value))):
                from ssd.match_values import criterion

                value = criterion(label, value, NAME_LIMIT)
            setattr(self, label, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Match) and repr(self) == repr(other)  # all that it holds is plain

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        given = [(k, getattr(self, k)) for k in self.__slots__ if getattr(self, k) is not None]
        return f"{type(self).__name__}({', '.join(f'{k}={value!r}' for k, value in given)})"


class Criteria:
    """A Match with its names resolved, for comparison with a process.

    file: (st_dev, st_ino) of the executable; name: comm as bytes; uid: the owner.
    """

    __slots__ = ("pid", "ppid", "file", "name", "uid")

    def __init__(
        self,
        pid: int | None = None,
        ppid: int | None = None,
        file: tuple[int, int] | None = None,
        name: bytes | None = None,
        uid: int | None = None,
    ) -> None:
        self.pid: int | None = pid
        self.ppid: int | None = ppid
        self.file: tuple[int, int] | None = file
        self.name: bytes | None = name
        self.uid: int | None = uid

    @property
    def bare(self) -> bool:
        """Whether a pid is the only criterion, or there is none."""
        return all(each is None for each in (self.ppid, self.file, self.name, self.uid))

    def replace(self, pid: int) -> "Criteria":
        """Return the same criteria for one pid, read from a pidfile."""
        return Criteria(pid, self.ppid, self.file, self.name, self.uid)

    __repr__ = Match.__repr__
