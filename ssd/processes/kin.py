"""Who belongs to whom: parent, process group, session, children, environment, as Linux says.

A table gives it as ``table.kin``. Only a stop of a whole tree asks (``ssd.trees``).
"""

import os

from ssd.errors import VANISHED, ProcessTableError
from ssd.matching import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 65536  # bytes of one read(2)


class Kin:
    """A living process, and to whom it belongs.

    ``ppid``, ``group`` and ``session`` are pids: of its parent, and of the processes that lead or
    once led its process group and its session (credentials(7)). 0: outside this PID namespace.
    ``name`` is the kernel's (comm), by which ``ssd --name`` finds it; it may change.
    """

    __slots__ = ("process", "ppid", "group", "session", "name")

    def __init__(
        self, process: Process, ppid: int, group: int, session: int, name: bytes = b""
    ) -> None:
        self.process: Process = process
        self.ppid: int = ppid
        self.group: int = group
        self.session: int = session
        self.name: bytes = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kin) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(self.process)

    def __repr__(self) -> str:
        belongs = f"ppid={self.ppid}, group={self.group}, session={self.session}"
        return f"{type(self).__name__}({self.process!r}, {belongs})"


class KernelKinship:
    """The kinship of Linux's processes, from procfs.

    ``root`` is where it is mounted; ``parse`` is ``ssd.processes.linux.parse``.
    """

    def __init__(self, root: bytes, parse: "Callable[[bytes], tuple[int | None, int]]") -> None:
        self._root = root
        self._parse = parse

    def of(self, pid: int) -> Kin | None:
        """Return a living process with its kin; None if it has ended or cannot be read.

        All of it is from one reading of /proc/PID/stat, so it is of one process at one moment.
        """
        stat = self._read(b"%d/stat" % pid, once=True)
        if stat is None:
            return None
        start_time, ppid = self._parse(stat)
        if start_time is None:
            return None
        end = stat.rindex(b")")
        group, session = stat[end + 2 :].split(b" ", 4)[2:4]
        name = stat[stat.index(b"(") + 1 : end]
        return Kin(Process(pid, start_time), ppid, int(group), int(session), name)

    def children(self, pid: int) -> list[int]:
        """Return the pids of the children, zombies too, in no order; none of an ended process.

        The list is read once. The kernel may omit a child if one listed before it is reaped
        meanwhile (proc(5), "task/tid/children"): a process that alone reaps its own children
        sees all of them. Without CONFIG_PROC_CHILDREN every process is asked for its parent.
        """
        tasks = self._root + b"/%d/task" % pid
        try:
            lists = [self._read(b"%d/task/%s/children" % (pid, task)) for task in os.listdir(tasks)]
        except VANISHED:
            return []
        if None in lists and not os.path.exists(tasks + b"/%d/children" % pid):
            return self._children_by_parents(pid)
        return [*map(int, b" ".join(filter(None, lists)).split())]

    def environment(self, pid: int) -> list[bytes]:
        """Return the entries, KEY=VALUE, with which a process was executed.

        There are none if it has ended, or the caller may not read them (ptrace(2)).
        """
        if text := self._read(b"%d/environ" % pid):
            return text.split(b"\0")[:-1]
        from ssd.processes.environments import entries

        return entries(self._root, pid)  # it may be within execve(2)

    def signal_group(self, group: int, signum: int) -> bool:
        """Signal all processes of a group in one step, in which none of them can fork.

        Return whether there is one, a zombie too. Signal 0 only asks. A denial counts as yes: one
        may be signalled, and another not.
        """
        if group <= 1:  # 0 is the caller's own group, 1 would be every process: kill(2)
            return False
        try:
            os.kill(-group, signum)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return True

    def cgroup(self, pid: int) -> bytes | None:
        """Return the name of the cgroup (v2) that a process is in, as ``ssd.cgroups`` takes it.

        None if it has ended, or the kernel has no cgroups. The root cgroup is called "/".
        """
        lines = (self._read(b"%d/cgroup" % pid) or b"").splitlines()
        return next((line[3:] for line in lines if line.startswith(b"0::")), None)

    def _children_by_parents(self, pid: int) -> list[int]:
        """Return the living children of a process by asking all; none if it has just ended."""
        pids = [int(name) for name in os.listdir(self._root) if name.isdigit()]
        return [kin.process.pid for kin in map(self.of, pids) if kin and kin.ppid == pid]

    def _read(self, name: bytes, once: bool = False) -> bytes | None:
        """Read a file of procfs; None if its process has ended or is hidden.

        ``once`` is for one that is shorter than a page, which the kernel gives in one piece.
        """
        try:
            fd = os.open(self._root + b"/" + name, os.O_RDONLY)
            try:
                text = os.read(fd, SIZE)
                while not once and (more := os.read(fd, SIZE)):
                    text += more
                return text
            finally:
                os.close(fd)
        except VANISHED:
            return None
        except OSError as error:  # no descriptor is left to look with, or no memory
            root = os.fsdecode(self._root)
            raise ProcessTableError(f"unable to read {root}: {error.strerror}") from error
