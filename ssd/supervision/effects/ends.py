"""Stop all of a service: its main process, or what that has left, by ``kill_mode``."""

import os

from ssd.matching import Match
from ssd.schedule import Schedule
from ssd.stopping import Stop
from ssd.supervision.effects.held import WAITED_FOR, OwnChild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.cgroups import Cgroup
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.supervision.supervisor import Supervisor
    from ssd.supervision.unit import Unit
    from ssd.trees import Tree

STRAYS = "TERM/2/KILL/2"
MAIN, GROUP, TREE, CGROUP = "main", "group", "tree", "cgroup"
SPARING = (MAIN, GROUP)


def begin(unit: "Unit", target: "Process | None", schedule: "Schedule") -> Stop | None:
    """Return the stop of what is left of a service; None if nothing is.

    target: its main process, or the hook before its start; None if that has ended.
    """
    mode, table = unit.service.kill_mode or TREE, unit.supervisor.table
    if mode == MAIN:
        return None if target is None else Stop(Match(pid=target.pid), schedule, table=table)
    if target is None and not _may_have_left(unit, mode, table):
        return None
    tree = _tree(unit, mode, target or unit.left)
    if unit.left is not None:
        tree.remember(unit.left)
    if target is None:
        found = tree.look((), table)
        if not found:
            return None
        target = found[0]  # not the one that has ended: its pid may be another process's by now
    return Stop(Match(pid=target.pid), schedule, tree=tree, table=table)


def _may_have_left(unit: "Unit", mode: str, table: "ProcessTable") -> bool:
    """Tell whether a main process that has ended may have left something.

    This is on the way to its successor, so it asks the kernel two things, and the caller asks more
    only if somebody may be there.
    """
    if unit.left is None:
        return False
    if not isinstance(unit.left, OwnChild):
        return True
    if mode != GROUP and not WAITED_FOR.issuperset(table.kin.children(table.own_pid())):
        return True
    if mode == CGROUP and (found := cgroup_of(unit)) is not None and found.populated():
        return True
    return table.kin.signal_group(unit.left.pid, 0)


def _tree(unit: "Unit", mode: str, main: "Process | None") -> "Tree":
    """Return all that belongs to a service: by its main process, and by the marker of any start.

    Orphans are our children if we are a subreaper. What an earlier supervisor's services have left
    may be anywhere (``ssd.supervision.effects.strays``).
    """
    from ssd.trees import Tree

    effects = unit.supervisor.effects
    marker = effects.marker(unit, "")
    cgroup = cgroup_of(unit) if mode == CGROUP else None
    if mode == CGROUP:
        mode = TREE
    if main is None:
        return Tree(mode, marker=marker, cgroup=cgroup)
    near, leader = effects.reaps and isinstance(main, OwnChild), main.pid
    hook = [] if unit.hook is None else [unit.hook.pid]  # which the stop has overtaken

    def among() -> "list[int]":
        found = _orphans(effects.table) if near else effects.strays().of(marker, leader)
        return [*found, *hook]

    return Tree(mode, marker=marker, among=among, cgroup=cgroup)


def enclose(unit: "Unit", pid: int) -> None:
    """Put a main process that was just started into a cgroup of its own, where one can be had.

    The kernel takes about 10 ms for it (cgroup_threadgroup_rwsem waits for all processors), in
    which the supervisor does nothing else: so only a service that declares it has one.
    """
    from ssd import cgroups

    made = cgroup_of(unit) or cgroups.make(_cgroup_name(unit))
    if made is None or not made.add(pid):
        unit.complain("no cgroup can be had for it: it is stopped as with kill_mode tree")


def discard_cgroup(unit: "Unit") -> None:
    """Remove the cgroup of a service that has stopped."""
    found = cgroup_of(unit)
    if found is not None:
        found.remove()


def cgroup_of(unit: "Unit") -> "Cgroup | None":
    """Return the cgroup that was made for a service; None without one."""
    from ssd import cgroups

    parent = cgroups.own()
    if parent is None:
        return None
    path = parent.path + b"/" + os.fsencode(_cgroup_name(unit))
    return cgroups.Cgroup(path) if os.path.isdir(path) else None


def _cgroup_name(unit: "Unit") -> str:
    return f"ssd-{unit.supervisor.effects.key}-{unit.name}"


def end_strays(supervisor: "Supervisor") -> int:
    """End what services have left that nothing tells whose it is; return how many that were.

    It left its session, its parent and its environment, so no stop of one service found it. When
    all have stopped, a subreaper's other children can only be such. Where a service may leave
    processes, by its ``kill_mode``, they may be meant to stay. Waits until they have ended.
    """
    effects, table = supervisor.effects, supervisor.table
    declared = (unit.service.kill_mode for unit in supervisor.units.values())
    if not effects.reaps or effects.spares or not {*SPARING}.isdisjoint(declared):
        return 0
    found = _orphans(table)
    schedule = Schedule.parse(STRAYS)
    ahead = [Stop(Match(pid=pid), schedule, tree=True, table=table) for pid in found]
    count = 0
    while ahead := [stop for stop in ahead if not stop.step()]:
        count = count or len(ahead)  # others were zombies
        handles = [handle for stop in ahead for handle in stop.handles]
        table.wait(handles, min(stop.until for stop in ahead if stop.until is not None))
    return count


def _orphans(table: "ProcessTable") -> "list[int]":
    """Return our children that are neither main processes nor hooks: what services have left."""
    return [*{*table.kin.children(table.own_pid())}.difference(WAITED_FOR)]
