"""What a test needs in place of real processes; nothing at run time imports it.

FakeProcesses is a process table whose processes are declared, FakeClock the time they live
in, and the reactions (``dies``, ``ignores``, ``forks``, ...) say how they take signals.
``check_process_table`` holds any table to the contract; ``CHECKS`` are its rules, one by one.
For pytest there are fixtures: ``fake_processes``, ``fake_clock``, ``ssd_command``, ``daemon``,
``pidfile``.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from ssd.testing.programs import FakeChild as FakeChild
    from ssd.testing.programs import NoDescriptor as NoDescriptor
    from ssd.testing.programs import NotRegistered as NotRegistered
    from ssd.testing.reactions import daemonizes as daemonizes
    from ssd.testing.reactions import dies as dies
    from ssd.testing.reactions import executes as executes
    from ssd.testing.reactions import exits as exits
    from ssd.testing.reactions import forks as forks
    from ssd.testing.reactions import ignores as ignores
    from ssd.testing.reactions import in_turn as in_turn
    from ssd.testing.reactions import leaves_zombie as leaves_zombie
    from ssd.testing.reactions import reloads as reloads
    from ssd.testing.reactions import renames as renames
    from ssd.testing.reactions import together as together

_HOMES = {
    "CHECKS": "conformance", "check_process_table": "conformance", "World": "expectations",
    "FakeWorld": "conformance", "RealWorld": "conformance",
    "FakeClock": "clock", "FakeProcess": "process", "FakeProcesses": "fake",
    "FakeChild": "programs", "WaitsForEver": "clock", "NotRegistered": "programs",
    "NoDescriptor": "programs",
    "SsdCommand": "command", "Daemons": "daemons",
    "daemonizes": "reactions", "dies": "reactions", "executes": "reactions", "exits": "reactions",
    "forks": "reactions", "ignores": "reactions", "in_turn": "reactions",
    "leaves_zombie": "reactions", "reloads": "reactions", "renames": "reactions",
    "together": "reactions",
}  # fmt: skip

__all__ = [
    "CHECKS", "Daemons", "FakeChild", "FakeClock", "FakeProcess", "FakeProcesses", "FakeWorld",
    "NoDescriptor", "NotRegistered", "RealWorld", "SsdCommand", "WaitsForEver", "World",
    "check_process_table", "daemonizes", "dies", "executes", "exits", "forks", "ignores", "in_turn",
    "leaves_zombie", "reloads", "renames", "together",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted({*globals(), *_HOMES})
