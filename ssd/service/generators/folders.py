"""The directories that have to be there before a start, with their owners and modes."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.declaration import Service


# Where systemd's own files put the old names, hier(7).
_MOVED = (("/var/run/", "/run/"), ("/var/lock/", "/run/lock/"))


def modern(path: str) -> str:
    """Return a path below /run for one below /var/run or /var/lock, which lead there."""
    for old, new in _MOVED:
        if path.startswith(old):
            return new + path.removeprefix(old)
    return path


class Folder:
    """A directory to make if it is missing; None for user and group is root's.

    A user without a group gives it to the group of his account.
    """

    __slots__ = ("path", "mode", "user", "group")

    def __init__(self, path: str, mode: str, user: str | None, group: str | None) -> None:
        self.path = path
        self.mode = mode
        self.user = user
        self.group = group

    @property
    def owner(self) -> str:
        """The owner in chown(1)'s words, ``USER:`` for a user and his group; empty for root."""
        return f"{self.user or ''}:{self.group or ''}" if self.user or self.group else ""


def folders(service: "Service") -> list[Folder]:
    """Return those that are declared, and that of the log file, which is the service's own."""
    made = [
        Folder(each["path"], each["mode"], each.get("user"), each.get("group"))
        for each in service.directories
    ]
    if service.log_file:
        path = os.path.dirname(service.log_file)
        if path != "/" and path not in [folder.path for folder in made]:
            made.append(Folder(path, "0755", service.user, service.group))
    return made
