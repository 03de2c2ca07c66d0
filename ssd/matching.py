"""What the caller says of a process, and the pure decision whether one is meant.

The criteria are those of start-stop-daemon(8), "Matching options"; all that are given
must hold.
"""

import os


class Match:
    """The processes a caller means; every criterion that is given must hold.

    pid: process id, greater than 0.
    ppid: process id of the parent, greater than 0.
    pidfile: path of a file that holds the pid (str, bytes or os.PathLike).
    exec: path of the executable that the process runs, compared by device and inode.
    name: the kernel's name of the process (comm), 15 bytes at most on Linux: a longer one
        finds nothing, and MatchWarning says so.
    user: user name, or uid as a number or as a string of digits: the process's owner.

    Two are equal if all their criteria are. Raises ValueError if no criterion is given, if a
    pid is not positive, or if both pid and pidfile are given; TypeError for what is no text.
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
            if not (value is None or type(value) is str and (label != "name" or len(value) < 6)):
                from ssd.validation import settled  # seldom

                value = settled(label, value)
            setattr(self, label, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Match) and repr(self) == repr(other)  # all that it holds is plain

    def __hash__(self) -> int:
        return hash(repr(self))

    def __repr__(self) -> str:
        given = [(k, getattr(self, k)) for k in self.__slots__ if getattr(self, k) is not None]
        return f"{type(self).__name__}({', '.join(f'{k}={value!r}' for k, value in given)})"


class Criteria:
    """A Match with its names resolved: what the decision is made on.

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
        """Whether nothing but a pid, or nothing at all, is asked for."""
        return all(each is None for each in (self.ppid, self.file, self.name, self.uid))

    def replace(self, pid: int) -> "Criteria":
        """Return the same criteria for one pid, the one that a pidfile gave."""
        return Criteria(pid, self.ppid, self.file, self.name, self.uid)

    __repr__ = Match.__repr__
