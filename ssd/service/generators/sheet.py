"""The file that is being written, and what of the declaration could not go into it."""

from ssd.errors import Error
from ssd.service.generators.quoting import line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ssd.service.declaration import Service


class Inexpressible(ValueError):
    """A declaration from which no working file can be written for a system.

    ``field`` and ``reason`` say what is in the way.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason

    __reduce__ = Error.__reduce__


class Sheet:
    """A text in the making, and its losses: (field, reason) for each that is not in it.

    ``lost``: the fields that the system has no word for, with the reason. Only those that
    the service declares are losses.
    """

    def __init__(self, service: "Service", kind: str, lost: "Mapping[str, str]") -> None:
        self.service = service
        self.kind = kind
        self.declared = service.to_dict()
        if service.provides == [service.name]:  # which is what it provides anyway
            del self.declared["provides"]
        self.losses = [(name, lost[name]) for name in self.declared if name in lost]
        self._lines: list[str] = []

    def add(self, *lines: str) -> None:
        """Add lines, or pieces of several lines."""
        self._lines += lines

    def lose(self, field: str, reason: str) -> None:
        """Say that a field is not, or not wholly, in the text."""
        if (field, reason) not in self.losses:
            self.losses.append((field, reason))

    def needs(self, field: str, value: str | None, reason: str) -> str:
        """Return a value that has to be there. Raises Inexpressible."""
        if not value:
            raise Inexpressible(field, reason)
        return value

    def head(self) -> list[str]:
        """Return the comments for the beginning: who wrote it, and what is not in it."""
        service = self.service
        lines = [f"# Written by: ssd-service generate {self.kind} {line(service.name)}"]
        for label, value in (("Author", service.author), ("Version", service.version)):
            if value and self.kind != "upstart":
                lines.append(f"# {label}: {line(value)}")
        if service.usage and self.kind != "upstart":
            lines.append(f"# Usage: {line(service.usage)}")
        lines += [f"# Not in this file: {name} ({line(reason)})" for name, reason in self.losses]
        return lines

    def text(self) -> str:
        """Return the whole text, blocks of lines as they were added."""
        return "\n".join(self._lines) + "\n"
