"""Tests without real processes; nothing at run time imports this package.

FakeProcesses is a process table whose processes are declared, FakeClock is their time, and the
reactions (``dies``, ``ignores``, ``forks``, ...) say how they take signals.
``check_process_table`` checks any table against the contract; ``CHECKS`` are its single rules.
For pytest there are fixtures: ``fake_processes``, ``fake_clock``, ``ssd_command``, ``daemon``,
``pidfile``.
"""

from ssd import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.children import FakeChild as FakeChild
    from ssd.testing.children import NoDescriptor as NoDescriptor
    from ssd.testing.clock import FakeClock as FakeClock
    from ssd.testing.clock import WaitsForEver as WaitsForEver
    from ssd.testing.command import SsdCommand as SsdCommand
    from ssd.testing.conformance import CHECKS as CHECKS
    from ssd.testing.conformance import FakeWorld as FakeWorld
    from ssd.testing.conformance import RealWorld as RealWorld
    from ssd.testing.conformance import check_process_table as check_process_table
    from ssd.testing.daemons import Daemons as Daemons
    from ssd.testing.expectations import World as World
    from ssd.testing.fake import FakeProcesses as FakeProcesses
    from ssd.testing.process import FakeProcess as FakeProcess
    from ssd.testing.programs import NotRegistered as NotRegistered
    from ssd.testing.reactions import daemonizes as daemonizes
    from ssd.testing.reactions import dies as dies
    from ssd.testing.reactions import executes as executes
    from ssd.testing.reactions import exits as exits
    from ssd.testing.reactions import forks as forks
    from ssd.testing.reactions import ignores as ignores
    from ssd.testing.reactions import in_turn as in_turn
    from ssd.testing.reactions import leaves_zombie as leaves_zombie
    from ssd.testing.reactions import notifies as notifies
    from ssd.testing.reactions import reloads as reloads
    from ssd.testing.reactions import renames as renames
    from ssd.testing.reactions import together as together

if not TYPE_CHECKING:
    _HOMES = {
        "children": ("FakeChild", "NoDescriptor"),
        "clock": ("FakeClock", "WaitsForEver"),
        "command": ("SsdCommand",),
        "conformance": ("CHECKS", "FakeWorld", "RealWorld", "check_process_table"),
        "daemons": ("Daemons",),
        "expectations": ("World",),
        "fake": ("FakeProcesses",),
        "process": ("FakeProcess",),
        "programs": ("NotRegistered",),
        "reactions": (
            "daemonizes", "dies", "executes", "exits", "forks", "ignores", "in_turn",
            "leaves_zombie", "notifies", "reloads", "renames", "together",
        ),
    }  # fmt: skip
    __getattr__, __dir__, __all__ = lazy(globals(), _HOMES)
