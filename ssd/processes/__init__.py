"""The process table: one contract, the kernel's own and psutil's implementation."""

import sys

from ssd.errors import ProcessTableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.matching import Process
    from ssd.processes.contract import ProcessTable


def default_table(may_fork: bool = False) -> "ProcessTable":
    """Return the fastest table of this system: the kernel's on Linux, else psutil's."""
    return table_named("kernel" if sys.platform == "linux" else "psutil", may_fork)


def table_named(name: str, may_fork: bool = False) -> "ProcessTable":
    """Return the table called "kernel" (Linux only) or "psutil" (everywhere).

    Raises ValueError for any other name. Each is loaded when first asked for.
    """
    if name == "kernel":
        from ssd.processes.linux import LinuxTable

        return LinuxTable(may_fork=may_fork)
    if name == "psutil":
        from ssd.processes.portable import PortableTable

        return PortableTable()
    raise ValueError(f"no process table is called {name!r}: kernel or psutil")


def own(table: "ProcessTable") -> "Process | None":
    """Return the calling process; None if the table cannot be read."""
    try:
        return table.process(table.own_pid())
    except ProcessTableError:
        return None
