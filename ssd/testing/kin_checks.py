"""Checks of how a table says who belongs to whom; each rule is a docstring."""

from collections.abc import Callable

from ssd.matching import Criteria
from ssd.processes.kin import Kin
from ssd.testing.expectations import World, expect, identity


def _able(world: World, *names: str) -> "list[Callable[..., None]]":
    """Return methods of a world that it need not have; none unless it has all of them."""
    found = [getattr(world, name, None) for name in names]
    return [each for each in found if each is not None] if all(found) else []


def _kin(world: World, pid: int) -> Kin:
    """Return the kin of a living process. Raises AssertionError if the table has none."""
    kin = world.table.kin.of(pid)
    if kin is None:
        raise AssertionError(f"kin.of({pid}): None, but it lives")
    return kin


def kin_is_of_the_process(world: World) -> None:
    """The kin of a process has its identity, parent and name; a zombie and a free pid none."""
    pid = world.start()
    if world.can_rename:
        world.rename(pid, b"a (b) c")
        expect(_kin(world, pid).name, b"a (b) c", "name of kin.of()")
    kin = _kin(world, pid)
    expect(kin.process, identity(world, pid), "process of kin.of()")
    expect(kin.ppid, world.caller, "ppid of kin.of()")
    world.kill(pid)
    expect(world.table.kin.of(pid), None, "kin.of() of a zombie")
    world.reap(pid)
    for free in (pid, 0, -1, 2**31 - 1):
        expect(world.table.kin.of(free), None, f"kin.of({free})")
        expect(world.table.kin.children(free) if free else [], [], f"kin.children({free})")


def group_and_session_are_inherited(world: World) -> None:
    """A child has the group and the session of its parent, until it makes its own."""
    first = world.start()
    child = world.start(parent=first)
    ours, theirs = _kin(world, first), _kin(world, child)
    expect((theirs.ppid, theirs.group, theirs.session), (first, ours.group, ours.session), "a fork")
    for lead in _able(world, "lead"):
        lead(child)
        made = _kin(world, child)
        expect((made.ppid, made.group, made.session), (first, child, child), "after setsid(2)")
        expect(_kin(world, first), ours, "the parent, after its child's setsid(2)")


def orphan_keeps_group_and_session(world: World) -> None:
    """A process whose parent ends has another parent, and is otherwise the same."""
    first = world.start()
    child = world.start(parent=first)
    before = _kin(world, child)
    world.kill(first)
    world.reap(first)
    after = _kin(world, child)
    expect(after.ppid == first, False, "ppid of an orphan is that of the dead parent")
    expect((after.process, after.group, after.session),
           (before.process, before.group, before.session), "an orphan")  # fmt: skip
    end_orphan(world, child)


def end_orphan(world: World, pid: int) -> None:
    """End an orphan and wait for its end."""
    with world.table.open(identity(world, pid)) as handle:
        handle.signal(9)
        world.table.wait([handle], None)


def children_are_listed_with_zombies(world: World) -> None:
    """All children of a process are listed, also zombies, and nobody else."""
    first = world.start()
    expect(world.table.kin.children(first), [], "kin.children() of a process without any")
    pids = {world.start(parent=first), world.start(parent=first)}
    expect(set(world.table.kin.children(first)), pids, "kin.children()")
    one = min(pids)
    world.kill(one)
    expect(one in world.table.kin.children(first), True, "a zombie in kin.children()")
    world.reap(one)
    expect(world.table.kin.children(first), [max(pids)], "kin.children() after one was reaped")
    expect(first in world.table.kin.children(world.caller), True, "a child of the caller")


def environment_is_that_of_its_execution(world: World) -> None:
    """A process has the environment with which it was executed; a child has it, a zombie none."""
    for put in _able(world, "put"):
        pid, entry = world.start(), b"SSD_CHECK=a b=c"
        expect(entry in world.table.kin.environment(pid), False, "an entry before it is put")
        put(pid, entry.decode())
        child = world.start(parent=pid)
        for each in (pid, child):
            expect(entry in world.table.kin.environment(each), True, f"the entry of {each}")
        world.kill(child)
        expect(world.table.kin.environment(child), [], "kin.environment() of a zombie")
        expect(world.table.kin.environment(2**31 - 1), [], "kin.environment() of a free pid")


def group_is_signalled_as_one(world: World) -> None:
    """A signal to a group reaches all of it and nobody else; a group without processes is none."""
    first, other = world.start(), world.start()
    child = world.start(parent=first)
    kin = world.table.kin
    expect(kin.signal_group(first, 0), True, "signal_group() of a living group")
    handles = [world.table.open(identity(world, pid)) for pid in (first, child, other)]
    try:
        expect(kin.signal_group(first, 15), True, "signal_group()")
        for handle in handles[:2]:
            world.table.wait([handle], None)
        expect([each.ended() for each in handles], [True, True, False], "ended() after TERM")
        for handle in handles:
            handle.close()
    finally:
        for handle in handles:
            handle.close()
    for nobody in (0, 1, 2**31 - 1):
        expect(kin.signal_group(nobody, 0), False, f"signal_group({nobody})")
    expect(world.table.holds(Criteria(pid=other), identity(world, other)), True, "another group")


CHECKS = (
    kin_is_of_the_process,
    group_and_session_are_inherited,
    orphan_keeps_group_and_session,
    children_are_listed_with_zombies,
    environment_is_that_of_its_execution,
    group_is_signalled_as_one,
)
