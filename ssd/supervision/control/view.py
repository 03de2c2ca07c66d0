"""How clients see the units of a supervisor: by which name, and what of them can be had.

This is the view of declared services; jobs of Upstart have another (``ssd.upstart.control.view``).
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.supervision.unit import Unit


class View:
    """The view of services that are declared in files."""

    __slots__ = ()

    def name(self, unit: "Unit") -> str:
        """Return the name that the file of a service has, by which users call it.

        The file of an instance may be that of a template, so its own name counts.
        """
        file = unit.service.file
        if file is None:
            return unit.name
        stem = file.rpartition("/")[2].removesuffix(".toml")
        prefix, mark, _ = unit.name.partition("@")
        return unit.name if mark and stem in (prefix, prefix + mark) else stem

    def listed(self, units: "Mapping[str, Unit]") -> "list[str]":
        """Return the names of the units that a list of all shows."""
        return sorted(units)

    def refusal(self, unit: "Unit") -> str:
        """Say why nothing can be wished of a unit at all; empty if it can."""
        return ""

    def is_installed(self, unit: "Unit") -> bool:
        """Tell whether the program is there, so that a start can be tried."""
        service = unit.service
        if service.script or service.executable is None or unit.main is not None:
            return True
        return unit.supervisor.table.launcher is not None or os.path.exists(str(service.program))

    def plain(self, lines: "list[str]") -> "list[str]":
        """Return lines of a log as they are shown."""
        return lines

    def log_owner(self, unit: "Unit") -> "int | None":
        """Return the user whose log it may be, besides root. Raises UnknownAccount."""
        from ssd.accounts import Account

        return Account(unit.service.user, unit.service.group).uid
