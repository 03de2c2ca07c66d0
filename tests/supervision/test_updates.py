"""Supervisor.update on declared processes: only what has changed is touched."""

from pathlib import Path

import pytest

from ssd.supervision import Circle
from supervision.machine import Machine


def test_update_touches_only_what_has_changed(tmp_path: Path) -> None:
    """New ones start, gone ones stop and are forgotten, changed ones restart."""
    machine = Machine(tmp_path, [{"name": name} for name in ("same", "gone", "changed")])
    supervisor = machine.supervisor
    supervisor.start_all()
    machine.settle()
    before = {name: unit.process for name, unit in supervisor.units.items()}
    done = supervisor.update(
        [
            machine.service("same"),
            machine.service("changed", arguments=["-v"]),
            machine.service("new"),
        ]
    )
    machine.settle()
    assert (["new"], ["gone"], ["changed"], ["same"]) == (
        done.added, done.removed, done.changed, done.same,
    )  # fmt: skip
    assert {"same", "changed", "new"} == set(supervisor.units)
    assert before["same"] == supervisor.units["same"].process
    living = [each.argv for each in machine.table.started if not each.ended]
    assert ["/bin/changed", "-v"] == max(living, key=len)
    assert all(unit.state == "running" for unit in supervisor.units.values())


def test_update_that_is_wrong_changes_nothing(tmp_path: Path) -> None:
    """A circle is found before anything is done."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.start_all()
    machine.settle()
    circle = [machine.service("a", after=["b"]), machine.service("b", after=["a"])]
    with pytest.raises(Circle):
        machine.supervisor.update(circle)
    machine.settle()
    assert {"web": "start/running"} == machine.states()


def test_update_leaves_stopped_services_stopped(tmp_path: Path) -> None:
    """Changed or not: what somebody stopped stays down, and starts later with the new words."""
    machine = Machine(tmp_path, [{"name": "web"}])
    machine.supervisor.update([machine.service("web", arguments=["-v"])])
    machine.settle()
    assert {"web": "stop/waiting"} == machine.states()
    machine.supervisor.start("web")
    machine.settle()
    assert ["/bin/web", "-v"] == machine.table.started[0].argv
