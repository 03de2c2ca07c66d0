"""The identity of a process, and the criteria that say which processes are meant.

The criteria are those of start-stop-daemon(8), "Matching options"; all that are given
must hold.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.evidence import More

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


class Match:
    """The processes that are meant; every criterion that is given must hold.

    pid: process id, greater than 0.
    ppid: process id of the parent, greater than 0.
    pidfile: path of a file that holds the pid (str, bytes or os.PathLike).
    exec: path of the executable that the process runs, compared by device and inode.
    name: the kernel's name of the process (comm), 15 bytes at most on Linux: a longer one
        finds nothing, and MatchWarning says so.
    user: the owner of the process: user name, or uid as a number or as a string of digits.
    interpreted: whether exec and name may also be those of a script that an interpreter runs.
    same_namespace: whether processes of other PID namespaces, as of containers, are left out.

    Two are equal if all their criteria are. Raises ValueError if no criterion is given, if a
    pid is not positive, if both pid and pidfile are given, or if interpreted has neither exec nor
    name; TypeError for a value that is not text.
    """

    __slots__ = ("pid", "ppid", "pidfile", "exec", "name", "user", "interpreted", "same_namespace")

    def __init__(
        self,
        *,
        pid: int | None = None,
        ppid: int | None = None,
        pidfile: "str | bytes | os.PathLike[str] | None" = None,
        exec: "str | bytes | os.PathLike[str] | None" = None,
        name: str | bytes | None = None,
        user: str | int | None = None,
        interpreted: bool = False,
        same_namespace: bool = False,
    ) -> None:
        given = (pid, ppid, pidfile, exec, name, user)
        odd = not all(n is None or isinstance(n, int) and n > 0 for n in (pid, ppid))
        odd = odd or None not in (pid, pidfile) or given.count(None) == len(given)
        if odd or interpreted or same_namespace:
            from ssd.match_values import demand_sense

            demand_sense(given, interpreted, same_namespace)
        self.pid: int | None = pid
        self.ppid: int | None = ppid
        self.pidfile: str | bytes | None
        self.exec: str | bytes | None
        self.name: str | bytes | None
        self.user: str | int | None
        self.interpreted: bool = interpreted
        self.same_namespace: bool = same_namespace
        for label, value in (("pidfile", pidfile), ("exec", exec), ("name", name), ("user", user)):
            fits = label != "name" or type(value) is str and len(os.fsencode(value)) <= NAME_LIMIT
            if not (value is None or type(value) is str and fits):
                from ssd.match_values import criterion

                value = criterion(label, value, None if interpreted else NAME_LIMIT)
            setattr(self, label, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Match) and repr(self) == repr(other)  # all that it holds is plain

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        pairs = ((k, getattr(self, k)) for k in self.__slots__)
        given = ", ".join(f"{k}={v!r}" for k, v in pairs if v is not None and v is not False)
        return f"{type(self).__name__}({given})"


class Criteria:
    """A Match with its names resolved, for comparison with a process.

    file: (st_dev, st_ino) of the executable; name: comm as bytes; uid: the owner; more: the rest.
    """

    __slots__ = ("pid", "ppid", "file", "name", "uid", "more")

    def __init__(
        self,
        pid: int | None = None,
        ppid: int | None = None,
        file: tuple[int, int] | None = None,
        name: bytes | None = None,
        uid: int | None = None,
        more: "More | None" = None,
    ) -> None:
        self.pid: int | None = pid
        self.ppid: int | None = ppid
        self.file: tuple[int, int] | None = file
        self.name: bytes | None = name
        self.uid: int | None = uid
        self.more: More | None = more

    @property
    def bare(self) -> bool:
        """Whether a pid is the only criterion, or there is none."""
        return all(e is None for e in (self.ppid, self.file, self.name, self.uid, self.more))

    def replace(self, pid: int) -> "Criteria":
        """Return the same criteria for one pid, read from a pidfile."""
        return Criteria(pid, self.ppid, self.file, self.name, self.uid, self.more)

    __repr__ = Match.__repr__
