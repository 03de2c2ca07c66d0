"""What a test needs in place of real processes; nothing at run time imports it.

FakeProcesses is a process table whose processes are declared, FakeClock the time they live
in. ``check_process_table`` holds any table to the contract; ``CHECKS`` are its rules, one
by one.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.testing.clock import FakeClock as FakeClock
    from ssd.testing.conformance import CHECKS as CHECKS
    from ssd.testing.conformance import check_process_table as check_process_table
    from ssd.testing.fake import FakeProcesses as FakeProcesses
    from ssd.testing.worlds import FakeWorld as FakeWorld
    from ssd.testing.worlds import RealWorld as RealWorld

_HOMES = {
    "CHECKS": "conformance",
    "FakeClock": "clock",
    "FakeProcesses": "fake",
    "FakeWorld": "worlds",
    "RealWorld": "worlds",
    "check_process_table": "conformance",
}

__all__ = ["CHECKS", "FakeClock", "FakeProcesses", "FakeWorld", "RealWorld", "check_process_table"]


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
