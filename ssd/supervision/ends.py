"""Stop all of a service: its main process, or what that has left, by ``kill_mode``."""

from ssd.matching import Match
from ssd.stopping import Stop
from ssd.supervision.held import WAITED_FOR, OwnChild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable
    from ssd.schedule import Schedule
    from ssd.supervision.unit import Unit
    from ssd.trees import Tree

MAIN, GROUP, TREE = "main", "group", "tree"


def begin(
    unit: "Unit",
    target: "Process | None",
    schedule: "Schedule",
    table: "ProcessTable",
    marker: bytes,
) -> Stop | None:
    """Return the stop of what is left of a service; None if nothing is.

    target: its main process, or the hook before its start; None if that has ended.
    marker: the entry of the environment that all have that its last start has made.
    """
    mode = unit.service.kill_mode or TREE
    if target is None:
        return _of_the_rest(unit, mode, schedule, table, marker)
    match = Match(pid=target.pid)
    if mode == MAIN:
        return Stop(match, schedule, table=table)
    return Stop(match, schedule, tree=_tree(mode, target, table, marker), table=table)


def _of_the_rest(
    unit: "Unit", mode: str, schedule: "Schedule", table: "ProcessTable", marker: bytes
) -> Stop | None:
    """Return the stop of what a main process has left that has ended.

    This is on the way to its successor, so it asks the kernel two things, and more only if
    somebody may be there.
    """
    leader, unit.left = unit.left, None
    if mode == MAIN or leader is None:
        return None
    if isinstance(leader, OwnChild) and not (mode == TREE and _orphans(table)):
        if not table.kin.signal_group(leader.pid, 0):
            return None
    tree = _tree(mode, leader, table, marker)
    tree.remember(leader)
    if not tree.look((), table):
        return None
    return Stop(Match(pid=leader.pid), schedule, tree=tree, table=table)


def _tree(mode: str, main: "Process", table: "ProcessTable", marker: bytes) -> "Tree":
    """Return all that belongs to a main process.

    What an earlier supervisor's services have left is no child of ours: it may be anywhere.
    """
    from ssd.trees import Tree

    among = (lambda: _orphans(table)) if isinstance(main, OwnChild) else None
    return Tree(mode, marker=marker, among=among)


def _orphans(table: "ProcessTable") -> "list[int]":
    """Return our children that are neither main processes nor hooks: what services have left."""
    return [pid for pid in table.kin.children(table.own_pid()) if pid not in WAITED_FOR]
