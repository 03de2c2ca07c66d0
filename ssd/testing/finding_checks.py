"""Checks of how a table finds and describes processes; each rule is a docstring."""

import os
import sys

from ssd.matching import Criteria, Process
from ssd.testing.expectations import World, expect, expect_error, hider, identity

# Names that a careless parser of /proc reads wrongly.
HOSTILE_NAMES = (
    b"a) S 1 (b",
    b"two words",
    b"new\nline",
    b"back\\slash\\n",
    b"\xff\xfe caf\xe9",
    b")",
    b"fifteen bytes..",
)
MISSING = "/no/such/executable"


def pids_ascend(world: World) -> None:
    """Every pid is listed once, ascending, also that of a process that was just started."""
    started = {world.start(), world.start()}
    pids = world.table.pids()
    expect(pids, sorted(set(pids)), "pids()")
    expect(started - set(pids), set(), "started, and not in pids()")


def identity_stays(world: World) -> None:
    """A process has one identity from its start to its end, and then none."""
    pid = world.start()
    before = identity(world, pid)
    expect(identity(world, pid), before, "process(pid), asked twice")
    expect(before.pid, pid, "pid of process(pid)")
    world.kill(pid)
    world.reap(pid)
    expect(world.table.process(pid), None, "process(pid) of a free pid")
    expect(world.table.select(Criteria(pid=pid)), [], "select(pid) of a free pid")


def free_pid_has_no_process(world: World) -> None:
    """A number that is no pid belongs to no process, and is not an error."""
    for pid in (0, -1, -(2**31), 2**31 - 1, 2**22 + 1):
        expect(world.table.process(pid), None, f"process({pid})")
        expect(world.table.select(Criteria(pid=pid)), [], f"select(pid={pid})")
        if pid:  # 0 is the parent of processes that came from outside the PID namespace
            expect(world.table.children(pid), [], f"children({pid})")


def zombie_is_dead(world: World) -> None:
    """A zombie is listed as a pid, and in every other way dead."""
    table, pid = world.table, world.start()
    process = identity(world, pid)
    world.kill(pid)
    expect(pid in table.pids(), True, "a zombie in pids()")
    expect(table.process(pid), None, "process() of a zombie")
    expect(table.select(Criteria(pid=pid)), [], "select(pid) of a zombie")
    expect(table.first(Criteria(pid=pid)), None, "first(pid) of a zombie")
    expect(process in table.select(Criteria(ppid=world.caller)), False, "a zombie in select(ppid)")
    expect(process in table.children(world.caller), False, "a zombie in children()")
    expect(table.holds(Criteria(pid=pid), process), False, "holds() of a zombie")
    expect_error(ProcessLookupError, lambda: table.open(process), "open() of a zombie")


def name_is_exact(world: World) -> None:
    """A name holds if all its bytes are equal, whatever they are."""
    if not world.can_rename:
        return
    for name in HOSTILE_NAMES:
        process = identity(world, world.start(name))
        _expect_named(world, process, name)
        expect(world.table.select(Criteria(name=name[:-1] + b"\0")), [], "select() of another name")


def long_name_is_cut(world: World) -> None:
    """A process has the first 15 bytes of its name; a longer one finds no process."""
    if not world.can_rename:
        return
    name = b"a name of twenty byt"
    process = identity(world, world.start(name))
    _expect_named(world, process, name[:15])
    expect(world.table.select(Criteria(name=name)), [], "select() of 20 bytes")


def renamed_is_found_by_its_new_name(world: World) -> None:
    """A process that changes its name keeps its identity; the old name does not hold."""
    if not world.can_rename:
        return
    pid = world.start(b"old name")
    process = identity(world, pid)
    world.rename(pid, b"new name")
    _expect_named(world, process, b"new name")
    expect(process in world.table.select(Criteria(name=b"old name")), False, "select(name=old)")
    expect(world.table.holds(Criteria(name=b"old name"), process), False, "holds(name=old)")
    expect(world.table.holds(Criteria(name=b"new name"), process), True, "holds(name=new)")


def executed_is_the_same_process(world: World) -> None:
    """A process that executes keeps its identity, and has the name of the new program."""
    if not world.can_rename:
        return
    pid = world.start(b"wrapper")
    process, file = identity(world, pid), world.file(pid)
    world.execute(pid, b"daemon of long name")
    expect(identity(world, pid), process, "process(pid) after an exec")
    _expect_named(world, process, b"daemon of long ")
    expect(world.table.holds(Criteria(name=b"wrapper"), process), False, "holds(name=old)")
    expect(world.table.holds(Criteria(file=file), process), True, "holds(file)")


def executable_is_a_file(world: World) -> None:
    """An executable is compared by device and inode."""
    pid = world.start()
    process, (device, inode) = identity(world, pid), world.file(pid)
    expect(process in world.table.select(Criteria(file=(device, inode))), True, "select(file)")
    for other in ((device, inode + 1), (device + 1, inode)):
        expect(process in world.table.select(Criteria(file=other)), False, "select(file=other)")
        expect(world.table.holds(Criteria(file=other), process), False, "holds(file=other)")


def owner_is_a_uid(world: World) -> None:
    """A process is found by the uid of its owner, and by no other."""
    process = identity(world, world.start())
    expect(process in world.table.select(Criteria(uid=world.uid())), True, "select(uid)")
    other = world.uid() + 1
    expect(process in world.table.select(Criteria(uid=other)), False, "select(uid=other)")


def children_are_of_their_parent(world: World) -> None:
    """A child has its parent while that lives, and another parent after that."""
    table, parent = world.table, world.start()
    born = [identity(world, world.start(parent=parent)) for _ in range(3)]
    born.sort(key=lambda process: process.pid)
    expect(table.children(parent), born, "children()")
    expect(table.select(Criteria(ppid=parent)), born, "select(ppid)")
    expect(
        identity(world, parent) in table.children(world.caller), True, "its parent in children()"
    )
    expect(
        [p for p in born if p in table.children(world.caller)], [], "grandchildren in children()"
    )
    world.kill(parent)
    expect(table.children(parent), [], "children() of a zombie")
    world.reap(parent)
    expect(table.children(parent), [], "children() of a free pid")
    expect(table.select(Criteria(ppid=parent)), [], "select(ppid) of a free pid")
    expect([identity(world, process.pid) for process in born], born, "the orphans")


def all_criteria_must_hold(world: World) -> None:
    """One criterion that does not hold excludes a process."""
    pid = world.start()
    process, file, uid = identity(world, pid), world.file(pid), world.uid()
    every = Criteria(pid, world.caller, file, None, uid)
    expect(world.table.select(every), [process], "select() with all criteria")
    expect(
        world.table.select(Criteria(None, world.caller, file, None, uid)).count(process),
        1,
        "select()",
    )
    wrong = (
        Criteria(pid, world.caller + 1, file, None, uid),
        Criteria(pid, world.caller, (file[0], file[1] + 1), None, uid),
        Criteria(pid, world.caller, file, b"not its name", uid),
        Criteria(pid, world.caller, file, None, uid + 1),
    )
    for criteria in wrong:
        expect(world.table.select(criteria), [], f"select({criteria})")
        expect(world.table.holds(criteria, process), False, f"holds({criteria})")


def caller_is_never_selected(world: World) -> None:
    """The calling process is on the table, and no criteria select it."""
    table, own = world.table, world.caller
    caller = identity(world, own)
    expect(own in table.pids(), True, "the caller in pids()")
    expect(table.select(Criteria(pid=own)), [], "select() of the caller")
    expect(table.first(Criteria(pid=own)), None, "first() of the caller")
    expect(caller in table.select(Criteria(uid=world.uid())), False, "the caller in select(uid)")


def caller_has_a_pid(world: World) -> None:
    """The table knows the caller's pid."""
    expect(world.table.own_pid(), world.caller, "own_pid()")


def executable_has_the_numbers_of_its_file(world: World) -> None:
    """An executable has the device and inode of its file; a missing one is an error."""
    table, facts = world.table, os.stat(sys.executable)
    for path in (sys.executable, os.fsencode(sys.executable)):
        expect(table.executable(path), (facts.st_dev, facts.st_ino), f"executable({path!r})")
    if table.launcher is None:  # one that makes processes may have executables on no disk
        expect_error(OSError, lambda: table.executable(MISSING), f"executable({MISSING!r})")


def command_line_ends_with_its_process(world: World) -> None:
    """A living process has a command line, also after it changes its name; a dead one has none."""
    table, pid = world.table, world.start()
    words = table.command_line(pid)
    expect([type(word) for word in words], [bytes] * max(1, len(words)), "words of command_line()")
    if world.can_rename:
        world.rename(pid, b"new name")
        expect(table.command_line(pid), words, "command_line() of one with a new name")
    world.kill(pid)
    expect(table.command_line(pid), [], "command_line() of a zombie")
    world.reap(pid)
    expect(table.command_line(pid), [], "command_line() of a free pid")


def origin_stays(world: World) -> None:
    """The origin of start times, if the table has one, is the same at each look."""
    origin = world.table.origin
    if origin is not None:
        boot, clock = origin.boot(), origin.clock()
        expect(origin.is_boot(boot), True, "is_boot() of boot()")
        again = world.table.origin
        expect(again and (again.boot(), again.clock()), (boot, clock), "origin, asked twice")


def selection_ascends(world: World) -> None:
    """A selection ascends by pid, and ``first`` returns its first process."""
    started = sorted(world.start() for _ in range(4))
    selected = world.table.select(Criteria(ppid=world.caller, uid=world.uid()))
    expect([p.pid for p in selected if p.pid in started], started, "pids of select()")
    expect(world.table.first(Criteria(ppid=world.caller, uid=world.uid())), selected[0], "first()")


def stranger_does_not_hold(world: World) -> None:
    """A pid with another start time is another process: it does not hold, and is not opened."""
    table, pid = world.table, world.start()
    process = identity(world, pid)
    stranger = Process(pid, process.start_time + 1)
    expect(table.holds(Criteria(), process), True, "holds() of no criteria")
    expect(table.holds(Criteria(pid=pid), process), True, "holds(pid)")
    expect(table.holds(Criteria(pid=pid + 1), process), False, "holds(pid=other)")
    expect(table.holds(Criteria(), stranger), False, "holds() of another process")
    expect_error(ProcessLookupError, lambda: table.open(stranger), "open() of another process")


def hidden_process_is_not_dead(world: World) -> None:
    """A process that the caller may not read is alive, or unreadable where its facts matter."""
    table, hide = world.table, hider(world)
    if hide is None:
        return
    pid = world.start()
    asked = (
        Criteria(pid, file=world.file(pid)),
        Criteria(pid, uid=world.uid()),
        Criteria(pid, world.caller),
    )
    hide(pid)
    process = identity(world, pid)
    expect(table.select(Criteria(pid=pid)), [process], "select(pid) of a hidden process")
    expect(table.first(Criteria(pid=pid)), process, "first(pid) of a hidden process")
    expect(table.unreadable(Criteria(pid=pid)), False, "unreadable(pid) of a hidden process")
    for criteria in asked:
        met = table.select(criteria) == [process]
        expect(table.unreadable(criteria), not met, f"unreadable({criteria}) of a hidden process")
    world.kill(pid)
    expect(table.process(pid), None, "process() of a hidden zombie")
    expect(table.select(Criteria(pid=pid)), [], "select(pid) of a hidden zombie")
    for criteria in (*asked, Criteria(world.caller, uid=world.uid()), Criteria(2**22 + 1, 1)):
        what = f"unreadable({criteria}) of a dead or visible process"
        expect(table.unreadable(criteria), False, what)


def _expect_named(world: World, process: Process, name: bytes) -> None:
    """Expect a process among all with a name, and alone among the caller's children."""
    table, ours = world.table, Criteria(ppid=world.caller, name=name)
    expect(process in table.select(Criteria(name=name)), True, f"select(name={name!r})")
    expect(table.select(ours), [process], f"select(ppid, name={name!r})")


CHECKS = (
    pids_ascend,
    identity_stays,
    free_pid_has_no_process,
    zombie_is_dead,
    name_is_exact,
    long_name_is_cut,
    renamed_is_found_by_its_new_name,
    executed_is_the_same_process,
    executable_is_a_file,
    owner_is_a_uid,
    children_are_of_their_parent,
    all_criteria_must_hold,
    caller_is_never_selected,
    caller_has_a_pid,
    executable_has_the_numbers_of_its_file,
    command_line_ends_with_its_process,
    origin_stays,
    selection_ascends,
    stranger_does_not_hold,
    hidden_process_is_not_dead,
)
