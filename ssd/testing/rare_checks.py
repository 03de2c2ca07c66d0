"""Checks of the criteria that few looks have (``ssd.evidence``); each rule is a docstring."""

import os
from collections.abc import Callable

from ssd.evidence import COMMAND_LINE, EXECUTABLE, SCRIPT, More
from ssd.matching import Criteria
from ssd.testing.expectations import World, expect, hider, identity

INTERPRETED = More(interpreted=True)


def script_is_known_by_its_file(world: World) -> None:
    """A script is found by device and inode of its file, only if it is asked for, and by no other.

    The evidence for it is the script, or the command line where the executable is hidden.
    """
    script = _script(world)
    if script is None:
        return
    pid = world.start()
    process, (device, inode) = identity(world, pid), script
    for name in (None, b"renamed"):  # a link to the interpreter has any name
        if name is not None and world.can_rename:
            world.execute(pid, name)
        asked = Criteria(file=script, more=INTERPRETED)
        expect(process in world.table.select(asked), True, "select(script)")
        expect(world.table.holds(asked, process), True, "holds(script)")
        expect(world.table.holds(Criteria(file=script), process), False, "holds(file=script)")
        other = Criteria(file=(device, inode + 1), more=INTERPRETED)
        expect(process in world.table.select(other), False, "select(another script)")
        kinds = [each for each in (EXECUTABLE, SCRIPT, COMMAND_LINE) if _by(world, pid, each)]
        expect(kinds in ([SCRIPT], [COMMAND_LINE]), True, f"evidence {kinds}")


def executable_is_found_with_interpreted_too(world: World) -> None:
    """What runs a file itself is found as without ``interpreted``."""
    pid = world.start()
    process = identity(world, pid)
    asked = Criteria(file=world.file(pid), more=INTERPRETED)
    expect(process in world.table.select(asked), True, "select(file, interpreted)")
    expect(world.table.holds(asked, process), True, "holds(file, interpreted)")


def own_name_is_that_of_the_script(world: World) -> None:
    """With ``interpreted`` a name is the kernel's or the script's; else the kernel's alone."""
    if _script(world) is None:
        return
    pid, table = world.start(), world.table
    process = identity(world, pid)
    name = os.fsencode(os.path.basename(world.script()))  # type: ignore[attr-defined]
    asked = Criteria(name=name, more=INTERPRETED)
    expect(process in table.select(asked), True, "select(name of a script)")
    expect(table.holds(Criteria(name=name), process), False, "holds(name of a script)")
    other = Criteria(name=b"not" + name, more=INTERPRETED)
    expect(process in table.select(other), False, "select(another name)")
    if world.can_rename:
        world.rename(pid, b"new name")
        renamed = Criteria(name=b"new name", more=INTERPRETED)
        expect(process in table.select(renamed), True, "select(new name, interpreted)")
        expect(table.holds(asked, process), True, "holds(name of a script) of a renamed one")


def hidden_script_is_not_dead(world: World) -> None:
    """A script that the caller may not read is found, or unreadable; never neither."""
    script, hide = _script(world), hider(world)
    if script is None or hide is None:
        return
    pid = world.start()
    hide(pid)
    process = identity(world, pid)
    for criteria in (
        Criteria(pid, file=script, more=INTERPRETED),
        Criteria(pid, name=b"no such name", more=INTERPRETED),
        Criteria(pid, more=More(same_namespace=True)),
    ):
        found = world.table.select(criteria)
        expect(found in ([], [process]), True, f"select({criteria}): {found}")
        if criteria.name is None:
            unread = world.table.unreadable(criteria)
            expect(unread, not found, f"unreadable({criteria}) of a hidden process")


def neighbours_are_in_the_callers_namespace(world: World) -> None:
    """Children of the caller are in its PID namespace; one that is not is left out."""
    pid = world.start()
    process, table = identity(world, pid), world.table
    asked = Criteria(uid=world.uid(), more=More(same_namespace=True))
    expect(process in table.select(asked), True, "select(same namespace)")
    expect(table.holds(asked, process), True, "holds(same namespace)")
    contain: Callable[[int], None] | None = getattr(world, "contain", None)
    if contain is not None:
        contain(pid)
        expect(process in table.select(asked), False, "select(same namespace) of another one")
        expect(process in table.select(Criteria(uid=world.uid())), True, "select(uid)")


def _script(world: World) -> tuple[int, int] | None:
    """Return the script that all processes of a world run, by device and inode, if it has one."""
    if not hasattr(world, "script"):
        return None
    facts = os.stat(world.script())
    return facts.st_dev, facts.st_ino


def _by(world: World, pid: int, kind: str) -> bool:
    """Say whether a process is found for its script by one kind of evidence."""
    more = More(interpreted=True, only=kind)
    return bool(world.table.select(Criteria(pid, file=_script(world), more=more)))


CHECKS = (
    script_is_known_by_its_file,
    executable_is_found_with_interpreted_too,
    own_name_is_that_of_the_script,
    hidden_script_is_not_dead,
    neighbours_are_in_the_callers_namespace,
)
