"""Find all that belongs to a process, so that a stop ends all of it and nobody else.

What belongs to a main process is found at each look anew:

- its children, and theirs, by the parent that the kernel has for each;
- its process group and session, if it leads them: a daemon that was started by hand shares those
  of a shell. Those that a descendant leads belong to the tree too;
- what was found before, by its identity: it stays in the tree when its parent ends;
- what has a marker, an entry of the environment that the main process got at its start;
- what is in the cgroup that was made for it.

A child that has called setsid(2) is found while its parent lives, by the marker or by the cgroup.
Descendants in another PID namespace, such as a container's, are descendants. Never found are init,
the caller and its ancestors, unless one of these is the main process itself.
"""

from ssd.signals import raw

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from ssd.cgroups import Cgroup
    from ssd.matching import Process
    from ssd.processes.contract import Handle, ProcessTable
    from ssd.processes.kin import Kin
    from ssd.processes.markers import Markers

MAIN, GROUP, TREE = "main", "group", "tree"
MODES = (MAIN, GROUP, TREE)  # the values of kill_mode: whom a signal is for
INIT = 1
MAX_LOOKS = 3  # after a signal other than KILL: what is made later may be there to clean up
MAX_HALTS = 100  # at a fork storm; each look stops all that it finds
MAX_MISSES = 5  # looks that may find nobody though somebody is there


class Tree:
    """All that belongs to some main processes; it remembers what it has found.

    mode: "main" for these alone, "group" with the process group of each that leads one, "tree".
    marker: an entry of the environment (KEY=VALUE) that only this tree has; with a colon at its end
    it is what such an entry begins with. Unless given, it is SSD_TREE=... of each main process that
    has one of its own.
    among: a function that returns the pids among which orphans are looked for. Unless given, these
    are all processes. A subreaper (prctl(2)) gives those of its children that it does not know,
    because orphans below it become its children.
    cgroup: a cgroup that was made for the main process.
    """

    __slots__ = (
        "mode", "marker", "among", "cgroup", "_mains", "_members", "_groups", "_sessions",
        "_markers", "_found", "_alone", "_table", "_line", "is_killed",
    )  # fmt: skip

    def __init__(
        self,
        mode: str = TREE,
        *,
        marker: bytes | None = None,
        among: "Callable[[], Iterable[int]] | None" = None,
        cgroup: "Cgroup | None" = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"mode must be one of {', '.join(MODES)}, not {mode!r}")
        self.mode: str = mode
        self.marker: bytes | None = marker
        self.among: Callable[[], Iterable[int]] | None = among
        self.cgroup: Cgroup | None = cgroup
        self._mains: list[Process] = []
        self._members: set[Process] = set()
        self._groups: dict[int, Process] = {}  # number -> the member that leads it or has led it
        self._sessions: dict[int, Process] = {}
        self._markers: Markers | None = None
        self._found: dict[int, Kin] = {}  # by the last look
        self._alone: set[int] = set()  # of these groups, those that only the tree is in
        self._table: ProcessTable | None = None
        self._line: tuple[set[int], set[int]] | None = None  # see Surroundings
        self.is_killed: bool = False  # whether KILL was the last signal

    def __contains__(self, process: "Process") -> bool:
        """Say whether a process was found because it belongs to a main process."""
        return process in self._members and process not in self._mains

    def remember(self, leader: "Process") -> None:
        """Add a process that has just ended, and that led a group and a session of its own."""
        self._members.add(leader)
        self._groups[leader.pid] = self._sessions[leader.pid] = leader

    def look(self, mains: "Iterable[Process]", table: "ProcessTable") -> "list[Process]":
        """Return the main processes, and after them all that belongs to them now."""
        self._mains, self._table = list(mains), table
        if self.mode == MAIN:
            return self._mains
        if self.mode == TREE:
            self._take_markers(table)
        if self._line is None:  # of the caller; it can only become shorter
            self._line = ancestry(table)
        around = Surroundings(table, self._beginnings(), self._line)
        for led in (self._groups, self._sessions):
            around.forget_reused(led)
        inside = () if self.cgroup is None else frozenset(self.cgroup.members() or ())
        found = self._found = {}
        new = [kin for main in self._mains for kin in around.of(main)]
        while True:
            for kin in new:
                found[kin.process.pid] = kin
                self._claim(kin, around)
            near = [child for kin in new for child in around.children(kin) if self.mode == TREE]
            near += [kin for kin in around.there.values() if self._belongs(kin, inside)]
            new = [kin for kin in near if kin.process.pid not in found]
            if not new:
                break
        self._alone = {kin.group for kin in found.values()} & self._groups.keys() - around.groups
        kept = [kin.process for pid, kin in found.items() if pid not in around.above]
        return self._mains + [process for process in kept if process not in self._mains]

    def batches(
        self, signum: int, held: "Mapping[Process, Handle]", look: "Callable[[], None]"
    ) -> "Iterator[list[Process]]":
        """Yield those whom a signal is for: all who are held, then those who have come meanwhile.

        ``look`` adds newcomers to ``held``. All get the signal at once, the main process first:
        one that restarts its workers knows by then that it must end. Before KILL all are stopped,
        so that none can fork; after it the kernel kills what is in their groups and cgroup.
        """
        self.is_killed = signum == raw.SIGKILL
        if not self.is_killed:
            yield from self._newcomers(held, look, MAX_LOOKS)
            return
        self._halt(held, look)
        for new in self._newcomers(held, look, MAX_HALTS):
            yield new
            self._sweep()

    def _newcomers(
        self, held: "Mapping[Process, Handle]", look: "Callable[[], None]", most: int
    ) -> "Iterator[list[Process]]":
        """Yield all who are held, and then, after a look, those who are new, until nobody is.

        At most ``most`` times. What forks and ends at once may be missed by a look: between two
        processes, or while it executes a program and has no environment. So where a marker tells
        it, nobody is new only after some looks.
        """
        known: set[Process] = set()
        patience = MAX_MISSES if self.is_killed and self._markers else 0
        for _ in range(most):
            new = [process for process in held if process not in known]
            if new:
                known.update(new)
                yield new
            elif patience and self._markers is not None:
                patience -= self.among is None or not self._markers.missed()
            else:
                return
            look()

    def _beginnings(self) -> "Iterable[int] | None":
        """Return the pids that a look begins with; None for all."""
        if self.among is None:
            return None
        inside = () if self.cgroup is None else self.cgroup.members() or ()
        known = (process.pid for process in (*self._mains, *self._members))
        return {*known, *self.among(), *inside}

    def _claim(self, kin: "Kin", around: "Surroundings") -> None:
        """Add a process, and the group and session that it leads."""
        process = kin.process
        self._members.add(process)
        if process.pid in around.outside:
            return
        if process not in self._mains and (self.mode == GROUP or process.pid in around.above):
            return
        if kin.group == process.pid:
            self._groups[kin.group] = process
        if kin.session == process.pid:
            self._sessions[kin.session] = process

    def _belongs(self, kin: "Kin", inside: "Container[int]") -> bool:
        """Say whether a process belongs to the tree for another reason than its parent."""
        if kin.process in self._members or kin.group in self._groups:
            return True
        if self.mode == GROUP:
            return False
        if kin.session in self._sessions or kin.process.pid in inside:
            return True
        return self._markers is not None and self._markers.has(kin)

    def _take_markers(self, table: "ProcessTable") -> None:
        """Know the marker that is given, or the main processes' own: ``ssd.processes.markers``."""
        entries = [] if self.marker is None or self._markers else [self.marker]
        for main in self._mains if self.marker is None else ():
            there = () if main in self._members else table.kin.environment(main.pid)
            for entry in there:
                if entry.startswith(b"SSD_TREE="):
                    from ssd.processes.markers import is_own

                    entries += [entry] if is_own(entry, main, table) else []
        if entries:
            from ssd.processes.markers import Markers

            self._markers = Markers(entries, table.kin, self._markers)

    def _halt(self, held: "Mapping[Process, Handle]", look: "Callable[[], None]") -> None:
        """Stop all who are held, and all who are found meanwhile."""
        for new in self._newcomers(held, look, MAX_HALTS):
            self._signal_groups(raw.SIGSTOP)
            for process in new:
                kin = self._found.get(process.pid)
                if kin is not None and kin.group in self._alone:
                    continue
                try:
                    held[process].signal(raw.SIGSTOP)
                except (ProcessLookupError, PermissionError):
                    continue  # KILL meets the same, and reports it

    def _sweep(self) -> None:
        """Have the kernel kill the groups and the cgroup of the tree, each in one step."""
        self._signal_groups(raw.SIGKILL)
        cgroup = self.cgroup
        if cgroup is None and self.mode == TREE and self._table is not None:
            from ssd import cgroups

            names = [self._table.kin.cgroup(main.pid) for main in self._mains]
            cgroup = cgroups.exclusive(names, self._found)
        if cgroup is not None:
            cgroup.kill()

    def _signal_groups(self, signum: int) -> None:
        """Signal the groups that only the tree is in."""
        assert self._table is not None
        for group in self._alone:
            self._table.kin.signal_group(group, signum)


def tree_of(given: object) -> Tree:
    """Return the tree that is given, True for a new one. Raises TypeError for anything else."""
    if given is True:
        return Tree()
    if not isinstance(given, Tree):
        raise TypeError(f"tree must be True, False or an ssd.trees.Tree, not {given!r}")
    return given


class Surroundings:
    """The processes of one look, ``there`` by pid, and which of them are the caller's.

    ``above`` are the caller and its ancestors, ``groups`` are their process groups. Nothing is
    looked for below ``outside``, the caller and init.
    """

    __slots__ = ("there", "above", "groups", "outside", "_kin", "_born")

    def __init__(
        self,
        table: "ProcessTable",
        beginnings: "Iterable[int] | None",
        line: "tuple[set[int], set[int]]",
    ) -> None:
        """Look at all processes, or at the ``beginnings`` and then at what is below them.

        ``line``: ``above`` and ``groups``.
        """
        self._kin = table.kin
        self.above, self.groups = line
        self.outside = {INIT, table.own_pid()}
        pids = {*(table.pids() if beginnings is None else beginnings)} - self.outside
        seen = [kin for kin in map(self._kin.of, sorted(pids)) if kin is not None]
        self.there: dict[int, Kin] = {kin.process.pid: kin for kin in seen}
        self._born: dict[int, list[Kin]] | None = None
        if beginnings is None:
            self._born = {}
            for kin in self.there.values():
                self._born.setdefault(kin.ppid, []).append(kin)

    def of(self, main: "Process") -> "list[Kin]":
        """Return a main process with its kin, as a list, which is empty if it cannot be seen."""
        kin = self._kin.of(main.pid)
        return [kin] if kin is not None and main.is_still(kin.process) else []

    def children(self, parent: "Kin") -> "list[Kin]":
        """Return the children of a process, unless its pid turns out to belong to another.

        It may have ended by now: a pid is not given out again before all others were.
        """
        pid = parent.process.pid
        if pid in self.outside:
            return []
        if self._born is None:
            found = [kin for kin in map(self._kin.of, self._kin.children(pid)) if kin is not None]
            born = [kin for kin in found if kin.ppid == pid and kin.process.pid not in self.outside]
            self.there.update((kin.process.pid, kin) for kin in born)
        else:
            born = self._born.get(pid, [])
        now = self._kin.of(pid) if born else None
        return born if now is None or now.process == parent.process else []

    def forget_reused(self, led: "dict[int, Process]") -> None:
        """Drop the groups or sessions whose number is another process's pid now.

        A number is not given out while a group or session has it (alloc_pid in kernel/pid.c): so
        what had it has ended.
        """
        for number, leader in list(led.items()):
            now = self.there.get(number)
            if now is not None and now.process != leader:
                del led[number]


def ancestry(table: "ProcessTable") -> "tuple[set[int], set[int]]":
    """Return the pids of init, the caller and its ancestors, and the groups that these are in."""
    pid = table.own_pid()
    above, groups = {INIT, pid}, set()
    while (own := table.kin.of(pid)) is not None:
        above.add(pid)
        groups.add(own.group)
        pid = own.ppid
    return above, groups


def targets(
    mode: str,
    process: "Process",
    table: "ProcessTable",
    *,
    marker: bytes | None = None,
    among: "Callable[[], Iterable[int]] | None" = None,
) -> "list[Process]":
    """Return whom a signal to a service is for by its ``kill_mode``, its main process first."""
    return Tree(mode, marker=marker, among=among).look([process], table)


def left_behind(
    process: "Process",
    table: "ProcessTable",
    *,
    mode: str = TREE,
    marker: bytes | None = None,
    mains: "Container[int]" = (),
) -> "list[Process]":
    """Return what a main process has left that has ended, was reaped and led its own session.

    ``mains`` are the pids of the caller's other children that it knows. That there is no child
    that it does not know, and nobody in the group, tells a subreaper that nothing is left.
    """
    orphans = [pid for pid in table.kin.children(table.own_pid()) if pid not in mains]
    found: list[Process] = []
    if orphans:
        found = _left(process, table, Tree(mode, marker=marker, among=lambda: orphans))
    if not found and table.kin.signal_group(process.pid, 0):
        found = _left(process, table, Tree(mode, marker=marker))
    return found


def _left(process: "Process", table: "ProcessTable", tree: Tree) -> "list[Process]":
    tree.remember(process)
    return tree.look((), table)
