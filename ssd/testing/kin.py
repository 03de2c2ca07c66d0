"""Who belongs to whom on a fake machine: what ``FakeProcesses.kin`` answers."""

import os
from typing import Protocol

from ssd.processes.kin import Kin
from ssd.testing.process import FakeProcess, Machine


class Peopled(Machine, Protocol):
    """The members of FakeProcesses that its kinship uses."""

    def inhabitants(self) -> list[FakeProcess]:
        """Return the processes and zombies, ascending by pid."""

    def may_trace(self, process: FakeProcess) -> bool:
        """Say whether the caller may read all of a process: ptrace(2)."""

    def is_visible(self, pid: int) -> bool:
        """Say whether the caller sees a pid in the table."""


class FakeKinship:
    """The kinship of declared processes; see ``ssd.processes.contract.Kinship``."""

    def __init__(self, table: Peopled) -> None:
        self._table = table

    def of(self, pid: int) -> Kin | None:
        """Return a living process with its kin; None if it has ended or cannot be seen."""
        found = self._living(pid)
        if found is None:
            return None
        return Kin(found.identity, found.ppid, found.group, found.session, found.name)

    def children(self, pid: int) -> list[int]:
        """Return the pids of the children, zombies too."""
        with self._table.clock.lock:
            return [each.pid for each in self._seen() if each.ppid == pid]

    def environment(self, pid: int) -> list[bytes]:
        """Return the entries of its ``environment``; none if it has ended."""
        found = self._living(pid)
        if found is None or not self._table.may_trace(found):
            return []
        return [os.fsencode(f"{key}={value}") for key, value in found.environment.items()]

    def signal_group(self, group: int, signum: int) -> bool:
        """Signal all processes of a group; return whether there is one, or a zombie."""
        with self._table.clock.lock:
            there = [
                each for each in self._table.inhabitants() if group > 1 and each.group == group
            ]
            for each in there:
                if signum and not each.ended and self._table.may_signal(each):
                    with self._table.open(each.identity) as handle:
                        handle.signal(signum)
        return bool(there)

    def cgroup(self, pid: int) -> bytes | None:
        """Return None: a fake machine has no cgroups."""
        return None

    def _seen(self) -> list[FakeProcess]:
        """Return the processes and zombies that the caller may see."""
        return [each for each in self._table.inhabitants() if self._table.is_visible(each.pid)]

    def _living(self, pid: int) -> FakeProcess | None:
        """Return a living process that the caller may see."""
        with self._table.clock.lock:
            there = [each for each in self._seen() if each.pid == pid and not each.ended]
        return there[0] if there else None
